"""The event stream: records go out in batches and are repeated until they are stored."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from paquebot.mail.record import Kind, Record
from paquebot.queue import metrics
from paquebot.queue.jetstream import BATCH, ApiError, JetStream, Message, QueueFullError, QueueUnavailableError
from paquebot.queue.subjects import event_subject
from paquebot.wire.record import decode_records, encode_records

GATHER_S = 0.02
AGAIN_S = 0.5
RECORDS_MAX = 500  # of one batch
UNSTORED_MAX = 50_000  # records in memory; what nobody waits for is left out beyond: later records of it tell the same
FOLLOW_S = 0.2


@dataclass(slots=True, eq=False)
class _Batch:
    records: list[Record] = field(default_factory=list)
    awaited: "list[asyncio.Future[None]]" = field(default_factory=list)  # done when the batch is stored
    kept: "list[asyncio.Future[None]]" = field(default_factory=list)  # done as well when there is no room for it now


@dataclass(slots=True)
class EventWriter:
    """Gathers records for 20 ms and stores them, a message for each tenant and kind."""

    js: JetStream
    waiting: dict[str, _Batch] = field(default_factory=dict)
    running: "set[asyncio.Task[None]]" = field(default_factory=set)
    timer: asyncio.TimerHandle | None = None
    unstored: int = 0

    def add(self, record: Record) -> "asyncio.Future[None]":
        """Take a record; the future is done when it is stored, however long that takes.

        It may be cancelled: the batch, which others wait for too, is stored all the same.
        """
        stored = asyncio.get_running_loop().create_future()  # its own: a shield of a common one costs twice as much
        self._batched(record).awaited.append(stored)
        return stored

    def keep(self, record: Record) -> "asyncio.Future[None]":
        """Take a record as `add` does; the future is done as well when there is no room for it now.

        For what makes room itself when it goes on. A crash while the store is full loses the record, no more.
        """
        kept = asyncio.get_running_loop().create_future()
        self._batched(record).kept.append(kept)
        return kept

    def note(self, record: Record) -> None:
        """Take a record that nobody waits for, unless too many are not stored yet."""
        if self.unstored < UNSTORED_MAX:
            self._batched(record)
        else:
            metrics.LEFT_OUT.inc()

    def fullness(self) -> dict[str, tuple[float, float]]:
        """Return how much of its limit is in use, and the limit."""
        return {"records not stored yet": (self.unstored, UNSTORED_MAX)}

    async def drain(self, timeout_s: float) -> None:
        """Store what is gathered; give up after `timeout_s`."""
        self._flush()
        if self.running:
            await asyncio.wait(self.running, timeout=timeout_s)
        for task in self.running:
            task.cancel()

    def _batched(self, record: Record) -> _Batch:
        loop = asyncio.get_running_loop()
        subject = event_subject(record.tenant, record.kind)
        batch = self.waiting.get(subject)
        if batch is None or len(batch.records) >= RECORDS_MAX:
            if batch is not None:
                self._send(subject, batch)
            batch = self.waiting[subject] = _Batch()
            if self.timer is None:
                self.timer = loop.call_later(GATHER_S, self._flush)
        batch.records.append(record)
        self.unstored += 1
        return batch

    def _flush(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        waiting, self.waiting = self.waiting, {}
        for subject, batch in waiting.items():
            self._send(subject, batch)

    def _send(self, subject: str, batch: _Batch) -> None:
        task = asyncio.create_task(self._store(subject, batch))
        self.running.add(task)
        task.add_done_callback(self.running.discard)

    async def _store(self, subject: str, batch: _Batch) -> None:
        headers = {"Nats-Msg-Id": uuid4().hex}
        payload = encode_records(batch.records)
        while True:
            try:
                await self.js.publish(subject, payload, headers)
                break
            except (QueueUnavailableError, QueueFullError, ApiError) as error:
                if isinstance(error, QueueFullError) and self.unstored < UNSTORED_MAX:
                    _done(batch.kept)
                await asyncio.sleep(AGAIN_S)
        self.unstored -= len(batch.records)
        _done(batch.awaited)
        _done(batch.kept)


def _done(futures: "list[asyncio.Future[None]]") -> None:
    for each in futures:
        if not each.done():
            each.set_result(None)


async def read_records(js: JetStream, since_ms: int, subjects: str = "ev.>") -> AsyncIterator[Record]:
    """Yield all records stored since a time (Unix milliseconds)."""
    batch = await js.read_since("EV", subjects, rfc3339(since_ms))
    while batch:
        for message in batch:
            for record in decode_records(message.payload):
                yield record
        if len(batch) < BATCH:
            return
        batch = await js.read("EV", subjects, start_seq=batch[-1].seq + 1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the events: what is about a message, and up to when (Unix milliseconds) it reaches."""

    records: tuple[Record, ...]
    until_ms: int


async def read_about(js: JetStream, ident: str, since_ms: int) -> AsyncGenerator[Stretch, None]:
    """Yield what happened to a message, and to the reports about it, stretch by stretch from a time on.

    Only what holds its id is decoded, so that reading hours of others' events takes moments.
    """
    names = {ident}
    batch = await js.read_since("EV", "ev.>", rfc3339(since_ms))
    while batch:
        records = []
        for message in batch:
            if any(name.encode() in message.payload for name in names):
                about = [each for each in decode_records(message.payload) if _is_about(each, ident, names)]
                names |= {record.id for record in about if record.report_of}
                records += about
        yield Stretch(tuple(records), _stored_ms(batch[-1]))
        batch = await js.read("EV", "ev.>", start_seq=batch[-1].seq + 1) if len(batch) == BATCH else []


def _is_about(record: Record, ident: str, names: set[str]) -> bool:
    return record.id in names or record.report_of.partition(".")[0] == ident


async def find_id(js: JetStream, begins: str, since_ms: int, until_ms: int) -> str:
    """Return the first id that begins so, of what was refused or accepted between two times; "" when there is none."""
    for kind in (Kind.REFUSED, Kind.ACCEPTED):
        batch = await js.read_since("EV", f"ev.*.{kind}", rfc3339(since_ms))
        while batch:
            for message in batch:
                if begins.encode() in message.payload:
                    found = (each.id for each in decode_records(message.payload) if each.id.startswith(begins))
                    return next(found, "")
            if len(batch) < BATCH or _stored_ms(batch[-1]) > until_ms:
                break
            batch = await js.read("EV", f"ev.*.{kind}", start_seq=batch[-1].seq + 1)
    return ""


async def follow_records(js: JetStream, subjects: str = "ev.>") -> AsyncIterator[Record]:
    """Yield records from now on, for ever."""
    state = (await js.request("STREAM.INFO.EV"))["state"]
    start = state["last_seq"] + 1
    while True:
        batch = []
        with contextlib.suppress(QueueUnavailableError):
            batch = await js.read("EV", subjects, start_seq=start)
        for message in batch:
            start = message.seq + 1
            for record in decode_records(message.payload):
                yield record
        if len(batch) < BATCH:
            await asyncio.sleep(FOLLOW_S)


def _stored_ms(message: Message) -> int:
    return int(datetime.fromisoformat(message.headers["Nats-Time-Stamp"]).timestamp() * 1000)


def rfc3339(at_ms: int) -> str:
    """Return a time (Unix milliseconds) as reading wants it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
