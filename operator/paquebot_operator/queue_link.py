"""The operator's connection to the queue: made when it is first needed, made again when it died, never waited for.

An operator without a queue goes on reading objects and says in their conditions what it waits for.
"""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from paquebot.queue.fitness import inspect, record
from paquebot.queue.jetstream import JetStream, QueueUnavailableError


@dataclass(slots=True, eq=False)
class QueueLink:
    """Connections as `publisher`, and for a moment as `system`; identities lie in folders of those names."""

    url: str
    identities: Path
    js: JetStream | None = None
    connecting: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def connected(self) -> JetStream:
        """Return the connection. Raises QueueUnavailableError."""
        async with self.connecting:
            if self.js is not None and self.js.dead.is_set():
                await self.close()
            if self.js is None:
                self.js = await self._connect("publisher")
            return self.js

    async def record_fitness(self) -> None:
        """Write down what the server is, so that services can refuse one that would lose mail."""
        js = await self.connected()
        system = await self._connect("system")
        try:
            await record(js, await inspect(system))
        finally:
            await system.close()

    async def close(self) -> None:
        """Let go."""
        if self.js is not None:
            js, self.js = self.js, None
            await js.close()

    async def _connect(self, identity: str) -> JetStream:
        folder = self.identities / identity
        if not (folder / "tls.crt").exists():
            raise QueueUnavailableError(f"there is no certificate for {identity} yet")
        return await JetStream.connect(self.url, folder, "operator")
