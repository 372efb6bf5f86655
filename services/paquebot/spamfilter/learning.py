"""Learning from people: what they decide reaches their tenant's delta in the store, and so every replica's memory.

Nothing here is waited for by a verdict. A label is marked on what was kept of its message before it is learned: so
of several replicas one learns it, and a crash in between loses a lesson but never counts one twice.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import structlog
from prometheus_client import Counter, Gauge

from paquebot.queue.events import rfc3339
from paquebot.queue.jetstream import (
    BATCH,
    ApiError,
    FenceLostError,
    JetStream,
    Message,
    QueueFullError,
    QueueUnavailableError,
    TooManyError,
)
from paquebot.queue.reputation import Shelf, records_of
from paquebot.spamfilter.delta import Delta, Lesson
from paquebot.spamfilter.delta import decode as decode_delta
from paquebot.spamfilter.judged import KEPT_S, TEACHING, Judged, Label, label_of, teaches
from paquebot.spamfilter.judged import decode as decode_judged

DELTAS, JUDGED = "deltas", "judged"
DELTA_TTL_S = 180 * 86_400  # without a lesson
TENANTS_MAX = 2000  # in memory
NOTES_MAX = 2000  # that wait to be stored
NOTES_AT_ONCE = 64
LOOK_S = 1.0
BACK_MS = 3_600_000  # events that are looked at again after a start: what is marked is not learned again
TRIES_MAX = 5
UNREACHABLE = (QueueUnavailableError, QueueFullError, ApiError, TooManyError)
LOG = structlog.get_logger()

LESSONS = Counter(
    "paquebot_spamfilter_lessons_total", "Labels that tenants' deltas have learned, by what they say.", ["wanted"]
)
NOTES_LOST = Counter(
    "paquebot_spamfilter_notes_lost_total", "Judged messages that nobody can teach by, as too many came at once."
)
TAUGHT = Gauge("paquebot_spamfilter_tenants_taught", "Tenants whose delta is in memory.")
NO_DELTA = Delta()


@dataclass(slots=True, eq=False)
class Notes:
    """What is to be kept of judged messages: taken at once, stored in the background, the newest left out when full."""

    shelf: Shelf
    waiting: "OrderedDict[str, tuple[bytes, int]]" = field(default_factory=OrderedDict)

    def take(self, tenant: str, ident: str, judged: Judged, hold_s: int) -> None:
        """Keep a message for as long as it may be held, and KEPT_S beyond."""
        if len(self.waiting) >= NOTES_MAX:
            NOTES_LOST.inc()
            return
        self.waiting[f"{tenant}.{ident}"] = judged.encode(), hold_s + KEPT_S

    async def run(self) -> None:
        """Store for ever."""
        while True:
            await asyncio.sleep(LOOK_S / 2)
            await self.store()

    async def store(self) -> None:
        """Store what waits; what cannot be stored now is tried again."""
        while self.waiting:
            some = [self.waiting.popitem(last=False) for _ in range(min(NOTES_AT_ONCE, len(self.waiting)))]
            done = await asyncio.gather(*(self._one(key, *value) for key, value in some))
            again = {key: value for (key, value), is_done in zip(some, done, strict=True) if not is_done}
            if again:
                self.waiting = OrderedDict(again) | self.waiting
                return

    async def _one(self, key: str, value: bytes, ttl_s: int) -> bool:
        try:
            await self.shelf.write(key, value, 0, ttl_s)
        except FenceLostError:  # a repeat of the same message: what is known stays
            return True
        except UNREACHABLE as error:
            LOG.warning("a judged message cannot be kept yet", error=str(error))
            return False
        return True


@dataclass(slots=True, eq=False)
class Taught:
    """All tenants' deltas in memory, as the store has them."""

    shelf: Shelf
    by_tenant: "OrderedDict[str, Delta]" = field(default_factory=OrderedDict)
    seq: int = 0

    def of(self, tenant: str) -> Delta:
        """Return a tenant's delta; one that has learned nothing when there is none."""
        return self.by_tenant.get(tenant, NO_DELTA)

    async def run(self) -> None:
        """Follow the store for ever."""
        while True:
            try:
                await self.catch_up()
            except UNREACHABLE as error:
                LOG.warning("deltas cannot be followed", error=str(error))
            TAUGHT.set(len(self.by_tenant))
            await asyncio.sleep(LOOK_S)

    async def catch_up(self) -> None:
        """Take what was written since the last time."""
        last = await self.shelf.last()
        if last < self.seq:  # another store
            self.by_tenant.clear()
            self.seq = 0
        while self.seq < last:
            entries, seq = await self.shelf.since(self.seq)
            for tenant, stored in entries.items():
                self._take(tenant, stored.value)
            self.seq = seq if entries else last

    def _take(self, tenant: str, value: bytes | None) -> None:
        found = decode_delta(value) if value else None
        if found is None:
            self.by_tenant.pop(tenant, None)
            return
        self.by_tenant[tenant] = found
        self.by_tenant.move_to_end(tenant)
        if len(self.by_tenant) > TENANTS_MAX:
            self.by_tenant.popitem(last=False)


@dataclass(slots=True, eq=False)
class Teacher:
    """Reads what people and hosts said of mail, and teaches the tenant's delta."""

    js: JetStream
    judged: Shelf
    deltas: Shelf
    seen: dict[str, int] = field(default_factory=dict)  # sequence of the event stream, by kind

    async def run(self) -> None:
        """Teach for ever."""
        since = rfc3339(time.time_ns() // 1_000_000 - BACK_MS)
        while True:
            for kind in TEACHING:
                try:
                    await self._read(kind, since)
                except UNREACHABLE as error:
                    LOG.warning("what people decided cannot be read", kind=kind, error=str(error))
            await asyncio.sleep(LOOK_S)

    async def _read(self, kind: str, since: str) -> None:
        """Teach what is new of one kind."""
        while True:
            subjects = f"ev.*.{kind}"
            if kind in self.seen:
                batch = await self.js.read("EV", subjects, start_seq=self.seen[kind] + 1)
            else:
                batch = await self.js.read_since("EV", subjects, since)
            await self.teach(batch)
            if batch:
                self.seen[kind] = batch[-1].seq
            if len(batch) < BATCH:
                return

    async def teach(self, batch: Iterable[Message]) -> None:
        """Teach what some events say: of each message once."""
        labels: dict[tuple[str, str], Label] = {}
        for records in records_of(batch):
            for record in records:
                label = label_of(record)
                if label is not None:
                    labels[record.tenant, record.id] = label
        for (tenant, ident), label in labels.items():
            await self.learn(tenant, ident, label)

    async def learn(self, tenant: str, ident: str, label: Label) -> bool:
        """Mark a label on its message, then let the tenant's delta learn; return whether it did."""
        key = f"{tenant}.{ident}"
        stored = (await self.judged.read((key,)))[key]
        judged = decode_judged(stored.value) if stored.value else None
        if judged is None or not teaches(label, judged):
            return False
        marked = replace(judged, taught=label.weight, wanted=label.is_wanted)
        try:
            await self.judged.write(key, marked.encode(), stored.seq, KEPT_S)
        except FenceLostError:  # another replica learns it
            return False
        lesson = Lesson(judged.words, judged.logit, label.is_wanted, label.weight)
        await self._write(tenant, lesson)
        LESSONS.labels(str(label.is_wanted).lower()).inc()
        return True

    async def _write(self, tenant: str, lesson: Lesson) -> None:
        """Let a delta learn by compare-and-set."""
        for _ in range(TRIES_MAX):
            stored = (await self.deltas.read((tenant,)))[tenant]
            before = (decode_delta(stored.value) if stored.value else None) or NO_DELTA
            try:
                await self.deltas.write(tenant, before.after(lesson).encode(), stored.seq, DELTA_TTL_S)
            except FenceLostError:
                continue
            return
        LOG.warning("a lesson is lost: others wrote the delta again and again", tenant=tenant)


@dataclass(frozen=True, slots=True)
class Learning:
    """All of it, of one process."""

    notes: Notes
    taught: Taught
    teacher: Teacher

    @classmethod
    def of(cls, js: JetStream) -> "Learning":
        """Return it for a connection."""
        judged, deltas = Shelf(js, JUDGED), Shelf(js, DELTAS)
        return cls(Notes(judged), Taught(deltas), Teacher(js, judged, deltas))

    async def run(self) -> None:
        """Keep, follow and teach for ever."""
        async with asyncio.TaskGroup() as tasks:
            for each in (self.notes, self.taught, self.teacher):
                tasks.create_task(each.run())
