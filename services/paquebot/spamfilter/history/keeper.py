"""Keeps the histories: counts the events into the store, and brings the store into memory. Nobody waits for it.

Counting gathers a second of events, writes each key once by compare-and-set, then acknowledges: a crash between the
two counts a second of bounces twice, and no message of an account, for its last ones are known by their ids.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import structlog

from paquebot.queue.jetstream import (
    ApiError,
    FenceLostError,
    JetStream,
    QueueFullError,
    QueueUnavailableError,
    TooManyError,
)
from paquebot.queue.reputation import Events, Shelf, Stored, records_of
from paquebot.spamfilter.history.codec import decode_account, decode_counts, encode_account, encode_counts
from paquebot.spamfilter.history.histories import Histories
from paquebot.spamfilter.history.keys import ACCOUNT
from paquebot.spamfilter.history.metrics import BEHIND, IN_MEMORY, WRITTEN
from paquebot.spamfilter.history.tally import Change, Tally

GATHER_S = 1.0
AGAIN_S = 0.5
READ_MAX = 200  # keys of one question
WRITES_MAX = 64  # at once
WISHES_MAX = 1000  # a second
KEPT_MAX = 5000  # values as we wrote them
TTL_S = 90 * 86_400
ACCOUNT_TTL_S = 400 * 86_400
UNREACHABLE = (QueueUnavailableError, QueueFullError, ApiError, TooManyError)
LOG = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Counting:
    """Counts events into the store."""

    shelf: Shelf
    events: Events
    tally: Tally
    kept: "OrderedDict[str, Stored]" = field(default_factory=OrderedDict)
    unsure: dict[str, bytes] = field(default_factory=dict)  # what may have been written, though nobody said so

    async def run(self) -> None:
        """Count for ever."""
        while True:
            await asyncio.sleep(GATHER_S)
            messages = self.events.taken()
            if messages:
                changes: dict[str, list[Change]] = {}
                for records in records_of(messages):
                    for key, change in self.tally.changes(records):
                        changes.setdefault(key, []).append(change)
                await self.write(changes)
                self.events.done(messages)
            BEHIND.set(self.events.behind)

    async def write(self, changes: dict[str, list[Change]]) -> None:
        """Write what changes, each key once, however long that takes."""
        left = changes
        while left:
            try:
                await self._read(left)
            except UNREACHABLE as error:
                LOG.warning("histories cannot be read", error=str(error))
                await asyncio.sleep(AGAIN_S)
                continue
            turns = asyncio.Semaphore(WRITES_MAX)
            done = await asyncio.gather(*(self._one(key, each, turns) for key, each in left.items()))
            left = {key: each for (key, each), is_done in zip(left.items(), done, strict=True) if not is_done}

    async def _read(self, keys: Iterable[str]) -> None:
        """Read what is not kept from an earlier write."""
        unknown = [key for key in keys if key not in self.kept]
        for some in _parts(unknown):
            self.kept |= await self.shelf.read(some)

    async def _one(self, key: str, changes: Sequence[Change], turns: asyncio.Semaphore) -> bool:
        """Write one key; return False when that must be tried again."""
        stored = self.kept[key]
        value = changed(key, stored.value, changes)
        ttl_s = ACCOUNT_TTL_S if _is_account(key) else TTL_S
        try:
            async with turns:
                self._keep(key, Stored(value, await self.shelf.write(key, value, stored.seq, ttl_s)))
        except FenceLostError:
            return await self._overtaken(key)
        except UNREACHABLE as error:
            LOG.warning("a history cannot be written", error=str(error))
            self.unsure[key] = value
            await asyncio.sleep(AGAIN_S)
            return False
        self.unsure.pop(key, None)
        WRITTEN.labels("done").inc()
        return True

    async def _overtaken(self, key: str) -> bool:
        """Read the key anew; say whether it was our own first try that overtook us, its answer lost."""
        WRITTEN.labels("again").inc()
        del self.kept[key]
        try:
            found = (await self.shelf.read((key,)))[key]
        except UNREACHABLE:
            return False
        self._keep(key, found)
        return found.value is not None and found.value == self.unsure.pop(key, None)

    def _keep(self, key: str, stored: Stored) -> None:
        self.kept[key] = stored
        self.kept.move_to_end(key)
        while len(self.kept) > KEPT_MAX:
            self.kept.popitem(last=False)


@dataclass(slots=True, eq=False)
class Following:
    """Brings into memory what changes, and what was wished for."""

    shelf: Shelf
    histories: Histories
    seq: int | None = None  # up to where we know

    async def run(self) -> None:
        """Follow for ever."""
        while True:
            try:
                await self.catch_up()
            except UNREACHABLE as error:
                LOG.warning("histories cannot be followed", error=str(error))
            IN_MEMORY.labels("account").set(len(self.histories.accounts))
            IN_MEMORY.labels("other").set(len(self.histories.others))
            await asyncio.sleep(GATHER_S)

    async def catch_up(self) -> None:
        """Take what was written since the last time, then what is wished for."""
        last = await self.shelf.last()
        if self.seq is None or last < self.seq:
            self.seq = last
        while self.seq < last:
            entries, seq = await self.shelf.since(self.seq)
            self._learn(entries)
            self.seq = seq if entries else last
        for some in _parts(list(self.histories.wished(WISHES_MAX))):
            self._learn(await self.shelf.read(some))

    def _learn(self, entries: dict[str, Stored]) -> None:
        for key, stored in entries.items():
            self.histories.learn(key, stored.value, time.time())


async def keep(js: JetStream, histories: Histories) -> None:
    """Count and follow for ever."""
    shelf, events = Shelf(js), Events(js)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(events.follow())
        tasks.create_task(Counting(shelf, events, Tally(histories.hashes)).run())
        tasks.create_task(Following(shelf, histories).run())


def changed(key: str, value: bytes | None, changes: Iterable[Change]) -> bytes:
    """Return what is stored under a key after these changes."""
    if _is_account(key):
        account = decode_account(value) if value else None
        for change in changes:
            account = change.of_account(account)
        assert account is not None  # noqa: S101  (there is no key without a change)
        return encode_account(account)
    counts = decode_counts(value) if value else None
    for change in changes:
        counts = change.of_other(counts)
    assert counts is not None  # noqa: S101  (the same)
    return encode_counts(counts)


def _is_account(key: str) -> bool:
    return key.startswith(f"{ACCOUNT}.")


def _parts(keys: Sequence[str]) -> Iterable[Sequence[str]]:
    return (keys[at : at + READ_MAX] for at in range(0, len(keys), READ_MAX))
