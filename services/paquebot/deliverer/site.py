"""A site in memory: its throttle, its line, and the workers that serve it."""

import asyncio
import contextlib
import math
from collections import Counter
from dataclasses import dataclass, field

from paquebot.deliverer.bell import Bell
from paquebot.deliverer.courier import Courier
from paquebot.deliverer.line import Line
from paquebot.deliverer.tally import Tally
from paquebot.deliverer.throttle import Throttle
from paquebot.queue.lesson import Lesson
from paquebot.queue.taken import Taken
from paquebot.wire.deliverer import Pace, Share, SiteState

COMMITTED_MAX_S = 6.0  # for the answer to a final dot, when its partition is let go
CUT_LOOK_S = 0.1


@dataclass(slots=True, eq=False)
class Site:
    """One throttled destination of one pool, or one slot of it: a share of its limits with a line of its own."""

    name: str
    group: str
    throttle: Throttle
    line: Line = field(default_factory=Line)
    slot: int = 0
    partition: int = -1
    domain: str = ""  # the first whose mail went there
    known: bool = True  # what was learned about it before has been read
    noted: Lesson | None = None  # as it was last written down
    noted_at: float = -math.inf
    workers: "set[asyncio.Task[None]]" = field(default_factory=set)
    trying: dict[Taken, float] = field(default_factory=dict)  # attempts under way, and when each began
    news: Bell = field(default_factory=Bell)  # rung for each item
    tally: Tally = field(default_factory=Tally)
    couriers: set[Courier] = field(default_factory=set)
    leaving: asyncio.Event = field(default_factory=asyncio.Event)  # its partition is let go: end, and begin nothing

    @property
    def busy(self) -> int:
        """Workers with an attempt under way."""
        return len(self.trying)

    def leave(self) -> None:
        """Let the workers that wait end, and those with an attempt after it."""
        self.leaving.set()
        self.news.ring_all()

    async def pause(self, seconds: float) -> None:
        """Wait, unless the partition is let go before."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.leaving.wait()

    async def cut(self) -> None:
        """Break off what is under way, and return when no connection is open any more.

        Where a host may have a message already, its answer is waited for: else it would come to it again.
        """
        end = asyncio.get_running_loop().time() + COMMITTED_MAX_S
        while self.workers:
            late = asyncio.get_running_loop().time() >= end
            for courier in self.couriers:
                if late or not courier.is_committed:
                    courier.cut()
            await asyncio.wait(self.workers, timeout=CUT_LOOK_S)

    @property
    def is_quiet(self) -> bool:
        """Say whether nothing waits here, and nobody serves it."""
        return not self.line and not self.workers

    def is_forgettable(self, now: float) -> bool:
        """Say whether nothing would be lost by forgetting it: its pace and its rests are remembered."""
        return self.is_quiet and self.throttle.is_forgettable(now)

    def wants_workers(self) -> int:
        """Return how many more workers the line is worth."""
        idle = len(self.workers) - self.busy
        return min(len(self.line) - idle, self.throttle.allowed - len(self.workers))

    def state(self, now: float, now_ms: int) -> SiteState:
        """Return what people are told."""
        wait = self.throttle.wait(now)
        return SiteState(
            site=self.name,
            group=self.group,
            state=self.throttle.state,
            reason=self.throttle.reason,
            until_ms=now_ms + int(wait * 1000) if 0 < wait < float("inf") else 0,
            connections=len(self.workers),
            in_flight=self.busy,
            waiting=len(self.line),
            pace=self._pace(now),
            shares=self._shares(),
            said=self.tally.said(now, now_ms),
            counts=self.tally.totals(),
            domain=self.domain,
            slot=self.slot,
            slots=self.throttle.policy.slots,
        )

    def _pace(self, now: float) -> Pace:
        throttle = self.throttle
        slowed_by = throttle.slowed_by if throttle.pace.allowed else ""
        return Pace(throttle.pace.per_s, self.tally.pace(now), throttle.allowed, throttle.level, slowed_by)

    def _shares(self) -> tuple[Share, ...]:
        waiting = Counter((taken.delivery.lane, taken.delivery.tenant) for taken in self.line)
        return tuple(Share(lane, tenant, count) for (lane, tenant), count in sorted(waiting.items()))
