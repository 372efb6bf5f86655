"""Key-value buckets: small tables that services read whole and look at again when they change.

Changes are found by asking the stream's state, not by a watch: nothing that can die silently.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from paquebot.queue.jetstream import ApiError, JetStream, Message, QueueUnavailableError

POLL_S = 1.0
DELETED = {"DEL", "PURGE"}
DELETED_TTL_S = 600  # every follower has looked by then
LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket."""

    js: JetStream
    name: str

    async def put(self, key: str, value: bytes, ttl_s: int = 0) -> int:
        """Write a key, to vanish after `ttl_s` when given; return its sequence."""
        headers = {"Nats-TTL": f"{ttl_s}s"} if ttl_s else None
        return (await self.js.publish(f"$KV.{self.name}.{key}", value, headers)).seq

    async def delete(self, key: str) -> int:
        """Take a key away and return its sequence.

        What says so vanishes too, or pods that came and went would be read for ever.
        """
        headers = {"KV-Operation": "DEL", "Nats-TTL": f"{DELETED_TTL_S}s"}
        return (await self.js.publish(f"$KV.{self.name}.{key}", b"", headers)).seq

    async def get(self, key: str) -> bytes | None:
        """Return a key's value, None when it is not there."""
        message = await self.js.get_last(f"KV_{self.name}", f"$KV.{self.name}.{key}")
        if message is None or message.headers.get("KV-Operation") in DELETED:
            return None
        return message.payload

    async def snapshot(self) -> dict[str, bytes]:
        """Return all keys and values."""
        return {key: message.payload for key, message in (await self._entries()).items()}

    async def written(self) -> dict[str, float]:
        """Return when each key was written, in Unix seconds by the server's clock."""
        return {
            key: datetime.fromisoformat(message.headers["Nats-Time-Stamp"]).timestamp()
            for key, message in (await self._entries()).items()
        }

    async def state(self) -> tuple[int, int, int]:
        """Return what changes whenever the bucket does."""
        state = (await self.js.request(f"STREAM.INFO.KV_{self.name}"))["state"]
        return state["last_seq"], state["messages"], state["first_seq"]

    async def follow(self, on_change: Callable[[dict[str, bytes]], None]) -> None:
        """Hand over a snapshot now and after each change, for ever. An unreachable store changes nothing."""
        async for entries, _seq in self.changes():
            on_change(entries)

    async def changes(self) -> AsyncIterator[tuple[dict[str, bytes], int]]:
        """Yield a snapshot now and after each change, for ever, with the sequence up to which it knows all."""
        seen: tuple[int, int, int] | None = None
        while True:
            entries = None
            try:
                now = await self.state()
                if now != seen:
                    entries = await self.snapshot()
                    seen = now
            except (QueueUnavailableError, ApiError) as error:
                LOG.warning("a bucket cannot be read", bucket=self.name, error=str(error))
            if entries is not None and seen is not None:
                yield entries, seen[0]
            await asyncio.sleep(POLL_S)

    async def _entries(self) -> dict[str, Message]:
        prefix = f"$KV.{self.name}."
        # The pattern of all: the server looks each batch of a narrower one up from the beginning.
        messages = await self.js.read_all(f"KV_{self.name}", ">")
        return {
            message.subject.removeprefix(prefix): message
            for message in messages
            if message.headers.get("KV-Operation") not in DELETED and "Nats-Marker-Reason" not in message.headers
        }
