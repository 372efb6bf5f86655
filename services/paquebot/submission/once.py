"""Storing a message once, however often its client sends it: claims its key, stores it, marks the claim.

What a crash leaves between these is found out by whoever meets the claim next.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field

import structlog

from paquebot.mail.delivery import Plan
from paquebot.queue.background import Background
from paquebot.queue.claims import Claim, Claims
from paquebot.queue.jetstream import ApiError, FenceLostError, QueueFullError, QueueUnavailableError
from paquebot.submission.counts import UNCLAIMED
from paquebot.submission.repeat import Repeatable

WAIT_S = 5.0  # for a message that somebody is storing now
STORING_MS = 30_000  # longer than claiming a key and storing a message may take together
PUBLISH_MAX_S = 22.0
FIRST_PAUSE_S = 0.05
PAUSE_MAX_S = 1.0
LOOK_S = 10.0
_BROKEN = (QueueUnavailableError, QueueFullError, ApiError)
LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Free:
    """The message is not stored. `seq` is of the claim to be written over, `id` what it was to be stored under."""

    seq: int = 0
    id: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """A message is stored under this key since `at_ms`: the same one, or another."""

    id: str
    at_ms: int
    same: bool


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody is storing it now, or it cannot be known whether it is stored."""


@dataclass(slots=True)
class Once:
    """Knows by its claims what was stored."""

    claims: Claims
    _writing: Background = field(default_factory=Background)

    async def look(self, wanted: Repeatable) -> Free | Taken | Busy | None:
        """Find out what became of a message before; None: nobody can say, and it may be taken without the promise."""
        try:
            return await self._look(wanted)
        except _BROKEN as error:
            LOG.warning("no claims", why=str(error))
            if wanted.insisted:
                return Busy()
            UNCLAIMED.inc()
            return None

    async def store(
        self, wanted: Repeatable, free: Free, plan: Plan, publish: Callable[[], Awaitable[None]]
    ) -> Taken | Busy | None:
        """Store a message under its key; return None when it is stored, else what another has made of the key.

        Raises what `publish` raises.
        """
        now_ms = _now_ms()
        claim = Claim.of(plan, wanted.digest, now_ms, now_ms + STORING_MS)
        try:
            known = await self.claims.take(wanted.key, claim, free.seq, wanted.window_s)
        except FenceLostError:
            standing = await self.look(wanted)
            return standing if isinstance(standing, Taken) else Busy()
        except _BROKEN as error:
            if wanted.insisted:
                raise
            LOG.warning("not claimed", message_id=claim.id, why=str(error))
            UNCLAIMED.inc()
            await publish()
            return None
        try:
            async with asyncio.timeout(PUBLISH_MAX_S):
                await publish()
        except BaseException as error:
            self._write(self.claims.let_go(wanted.key, known, wanted.window_s))
            if isinstance(error, TimeoutError):
                raise QueueUnavailableError("it could not be stored in time") from None
            raise
        self._write(self.claims.mark(wanted.key, known, wanted.window_s))
        return None

    async def follow(self) -> None:
        """Measure how full the room for claims is, for ever."""
        while True:
            try:
                await self.claims.look()
            except _BROKEN as error:
                LOG.warning("the room for claims is unknown", why=str(error))
            await asyncio.sleep(LOOK_S)

    async def drain(self, timeout_s: float) -> None:
        """Write what is still to be written of claims; give up after `timeout_s`."""
        await self._writing.drain(timeout_s)
        for task in self._writing.tasks:
            task.cancel()

    async def _look(self, wanted: Repeatable) -> Free | Taken | Busy:
        loop = asyncio.get_running_loop()
        end, pause_s = loop.time() + WAIT_S, FIRST_PAUSE_S
        while True:
            standing = await self._standing(wanted)
            if not isinstance(standing, Busy) or loop.time() + pause_s > end:
                return standing
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, PAUSE_MAX_S)

    async def _standing(self, wanted: Repeatable) -> Free | Taken | Busy:
        known = await self.claims.read(wanted.key)
        if known is None:
            return Free()
        claim, same = known.claim, known.claim.digest == wanted.digest
        if not claim.stored:
            try:
                stored = await self.claims.is_stored(claim)
            except _BROKEN as error:  # it may be stored: then it must not be taken again
                LOG.warning("it cannot be known whether a message is stored", message_id=claim.id, why=str(error))
                return Busy()
            if not stored:
                # Another content gets another id: parts of the first may lie in the queue.
                return Free(known.seq, claim.id if same else "") if claim.until_ms < _now_ms() else Busy()
            self._write(self.claims.mark(wanted.key, known, wanted.window_s))
        return Taken(claim.id, claim.at_ms, same)

    def _write(self, writing: Coroutine[None, None, None]) -> None:
        self._writing.spawn(_written(writing))


async def _written(writing: Coroutine[None, None, None]) -> None:
    """Write to a claim; what fails is found out later, by whoever meets the claim."""
    try:
        await writing
    except FenceLostError:
        pass  # somebody met the claim before, and knows as much
    except _BROKEN as error:
        LOG.warning("a claim could not be marked", why=str(error))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
