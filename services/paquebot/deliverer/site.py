"""A site in memory: its throttle, its line, and the workers that serve it."""

import asyncio
from dataclasses import dataclass, field

from paquebot.deliverer.line import Line
from paquebot.deliverer.throttle import Throttle
from paquebot.wire.deliverer import SiteState


@dataclass(slots=True, eq=False)
class Site:
    """One throttled destination of one pool."""

    name: str
    group: str
    throttle: Throttle
    line: Line = field(default_factory=Line)
    workers: "set[asyncio.Task[None]]" = field(default_factory=set)
    busy: int = 0  # workers with an attempt under way
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def is_forgettable(self, now: float) -> bool:
        """Say whether nothing would be lost by forgetting it: its pace and its rests are remembered."""
        return not self.line and not self.workers and self.throttle.is_forgettable(now)

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
        )
