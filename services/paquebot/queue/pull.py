"""Pulling from one consumer: one open request at a time, heartbeats, the pin of its priority group."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass

import nats.errors
from nats.aio.subscription import Subscription

from paquebot.queue.jetstream import JetStream, Message
from paquebot.queue.natsclient import Heard

BATCH = 64
BYTES_MAX = 1 << 20
EXPIRES_S = 30
HEARTBEAT_S = 5
DRAIN_S = 2.0
GROUP = "own"


@dataclass(slots=True, eq=False)
class Pull:
    """Messages of one consumer, handed to a callback as long as `wanted` says so."""

    js: JetStream
    stream: str
    consumer: str
    on_message: Callable[[Message], None]
    wanted: Callable[[], bool]
    on_missing: Callable[[], None]  # the consumer is gone: it must be created again
    pin: str = ""
    inbox: str = ""
    number: int = 0
    left: int = 0  # of the open request; 0: none is open
    lone: bool = False  # the next message alone is larger than BYTES_MAX: ask for it without that limit
    heard: float = 0.0
    subscription: Subscription | None = None
    stopped: bool = False

    async def start(self) -> None:
        """Subscribe and ask for messages."""
        self.stopped = False
        self.inbox = self.js.client.new_inbox()  # its own: else it would revive requests of a pull before it
        self.subscription = await self.js.client.hear(f"{self.inbox}.*", self._on)
        self.ask()

    async def stop(self) -> None:
        """Take no more, and hand back what is still on its way."""
        self.stopped = True
        self.left = 0
        self.number += 1
        if self.subscription is not None:
            subscription, self.subscription = self.subscription, None
            with contextlib.suppress(nats.errors.Error, TimeoutError):
                if self.js.connected:
                    async with asyncio.timeout(DRAIN_S):
                        await subscription.drain()  # type: ignore[no-untyped-call]
                else:
                    await subscription.unsubscribe()

    def ask(self) -> None:
        """Open a request, unless one is open or nothing is wanted."""
        if self.left or self.subscription is None or not self.wanted() or not self.js.connected:
            return
        self.number += 1
        self.left = 1 if self.lone else BATCH
        self.heard = asyncio.get_running_loop().time()
        wanted = {
            "batch": self.left,
            "expires": EXPIRES_S * 10**9,
            "idle_heartbeat": HEARTBEAT_S * 10**9,
            "group": GROUP,
        }
        if not self.lone:
            wanted["max_bytes"] = BYTES_MAX
        self.lone = False
        if self.pin:
            wanted["id"] = self.pin
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self.stream}.{self.consumer}"
        with contextlib.suppress(nats.errors.Error):
            self.js.client.post(subject, json.dumps(wanted).encode(), f"{self.inbox}.{self.number}")

    def look(self, now: float) -> None:
        """Ask again when the open request fell silent; called every second, and after a reconnect."""
        if self.left and now - self.heard > 2 * HEARTBEAT_S + 1:
            self.left = 0
        self.ask()

    def forget_request(self) -> None:
        """Forget the open request: it died with its connection."""
        self.left = 0

    def _on(self, message: Heard) -> None:
        self.heard = asyncio.get_running_loop().time()
        headers = message.headers
        status = headers.get("Status")
        if status is not None:
            self._on_status(status, message)
            return
        if self.stopped:
            self.js.send(message.reply, b"-NAK")
            return
        self.pin = headers.get("Nats-Pin-Id", self.pin)
        self.left = max(0, self.left - 1)
        self.on_message(_delivered(message, headers))
        if not self.left:
            self.ask()

    def _on_status(self, status: str, message: Heard) -> None:
        if status == "100" or message.subject != f"{self.inbox}.{self.number}":
            return  # a heartbeat, or the end of a request that is already replaced
        why = message.headers.get("Description", "")
        self.lone = self.left == BATCH and "Size Exceeds" in why
        self.left = 0
        if status == "423":
            self.pin = ""
        if status in {"404", "503"} or "Deleted" in why:
            self.on_missing()
        elif status in {"408", "423"} or "Size Exceeds" in why or "Completed" in why:
            self.ask()  # the request ended as requests end; after anything else `look` asks, a second later


def _delivered(message: Heard, headers: dict[str, str]) -> Message:
    """Read the ack subject from the right: …<delivered>.<stream seq>.<consumer seq>.<time>.<pending>[.<token>]."""
    parts = message.reply.split(".")
    counts = parts[6:11] if len(parts) >= 11 else parts[4:9]  # noqa: PLR2004  (v2: domain and account too)
    delivered, seq, _consumer_seq, at_ns, pending = map(int, counts)
    return Message(
        message.subject, message.payload, seq, headers, message.reply, delivered, pending, at_ns // 1_000_000
    )
