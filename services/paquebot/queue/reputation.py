"""The bucket `reputation`, and the events that feed it: what is remembered of senders, for all replicas of the filter.

Values are opaque here. A key is written by compare-and-set: two who count at once never lose each other's counts.
"""

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field

import structlog

from paquebot.mail.record import Record
from paquebot.queue.jetstream import ApiError, JetStream, Message, QueueUnavailableError
from paquebot.queue.provision import REPUTATION_CONSUMER
from paquebot.queue.pull import GROUP, Pull
from paquebot.queue.subjects import site_token
from paquebot.wire.method import WireError
from paquebot.wire.record import decode_records

BUCKET = "reputation"
STREAM = f"KV_{BUCKET}"
EVERYTHING = ">"
ABSENT = 0  # sequence of a key that is not there
IN_HAND_MAX = 500  # messages of the event stream
LOOK_S = 1.0
LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored under a key; writing over it wants its sequence. No value: nothing is there."""

    value: bytes | None = None
    seq: int = ABSENT


@dataclass(frozen=True, slots=True)
class Shelf:
    """All keys of a bucket. Methods raise QueueUnavailableError, QueueFullError or ApiError when it does not serve."""

    js: JetStream
    bucket: str = BUCKET

    async def read(self, keys: Iterable[str]) -> dict[str, Stored]:
        """Return what is stored under each of up to 256 keys."""
        subjects = [self._prefix + key for key in keys]
        found = {subject: Stored() for subject in subjects}
        for message in (
            await self.js.get(self._stream, {"multi_last": subjects, "batch": len(subjects)}) if subjects else ()
        ):
            found[message.subject] = _stored(message)
        return {subject.removeprefix(self._prefix): stored for subject, stored in found.items()}

    async def write(self, key: str, value: bytes, seq: int, ttl_s: int) -> int:
        """Write over what has this sequence, and return the new one; raise FenceLostError when another was faster."""
        headers = {"Nats-Expected-Last-Subject-Sequence": str(seq), "Nats-TTL": f"{ttl_s}s"}
        return (await self.js.publish(self._prefix + key, value, headers)).seq

    async def last(self) -> int:
        """Return the sequence of the last write."""
        return int((await self.js.request(f"STREAM.INFO.{self._stream}"))["state"]["last_seq"])

    async def since(self, seq: int) -> tuple[dict[str, Stored], int]:
        """Return some of what was written after `seq`, and up to where that reaches; nothing when that is all."""
        batch = await self.js.read(self._stream, EVERYTHING, start_seq=seq + 1)
        entries = {message.subject.removeprefix(self._prefix): _stored(message) for message in batch}
        return entries, batch[-1].seq if batch else seq

    @property
    def _stream(self) -> str:
        return f"KV_{self.bucket}"

    @property
    def _prefix(self) -> str:
        return f"$KV.{self.bucket}."


@dataclass(slots=True, eq=False)
class Events:
    """The consumer `reputation` of the event stream: one replica has it, another takes it over when that one goes."""

    js: JetStream
    arrived: list[Message] = field(default_factory=list)
    behind: int = 0  # messages that wait
    pull: Pull = field(init=False)

    def __post_init__(self) -> None:
        self.pull = Pull(self.js, "EV", REPUTATION_CONSUMER, self._take, self._has_room, self._miss)

    async def follow(self) -> None:
        """Take messages as they come, for ever; hand back on the way out what nobody has taken."""
        self.js.on_reconnect.append(self.pull.forget_request)
        await self.pull.start()
        try:
            while True:
                await asyncio.sleep(LOOK_S)
                self.pull.look(asyncio.get_running_loop().time())
        finally:
            await self.pull.stop()
            if self.pull.pin:  # another need not wait for it to fall
                with contextlib.suppress(QueueUnavailableError, ApiError):
                    await self.js.request(f"CONSUMER.UNPIN.EV.{REPUTATION_CONSUMER}", {"group": GROUP}, 1.0)

    def taken(self) -> list[Message]:
        """Return what has arrived since the last time."""
        arrived, self.arrived = self.arrived, []
        return arrived

    def done(self, messages: Iterable[Message]) -> None:
        """Say that messages need not come again."""
        for message in messages:
            self.js.send(message.reply, b"+ACK")

    def _take(self, message: Message) -> None:
        self.arrived.append(message)
        self.behind = message.pending

    def _has_room(self) -> bool:
        return len(self.arrived) < IN_HAND_MAX

    def _miss(self) -> None:
        LOG.warning("the consumer of events is not there: reputation stands still until the publisher makes it")


async def forget_senders(js: JetStream, tenant: str) -> int:
    """Drop the histories of a tenant's accounts; return how many. What is in memory follows with their next message."""
    purged = [
        await js.request(f"STREAM.PURGE.{STREAM}", {"filter": f"$KV.{BUCKET}.{kind}.{site_token(tenant)}.>"})
        for kind in ("account", "author")
    ]
    return sum(int(each["purged"]) for each in purged)


def records_of(messages: Iterable[Message]) -> list[tuple[Record, ...]]:
    """Return the records of each message; of one that cannot be read, none."""
    found = []
    for message in messages:
        try:
            found.append(decode_records(message.payload))
        except WireError as error:
            LOG.warning("an event cannot be read", subject=message.subject, error=str(error))
    return found


def _stored(message: Message) -> Stored:
    gone = "KV-Operation" in message.headers or "Nats-Marker-Reason" in message.headers
    return Stored(None if gone else message.payload, message.seq)
