"""Looks at a running platform: deliverers, depths, a sample of what waits, and the stream of what is accepted."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

from paquebot.cli.explain.gather import Sources
from paquebot.cli.top.frame import Look
from paquebot.mail.delivery import Delivery
from paquebot.policy.values import Policy
from paquebot.queue.depth import depth, sample
from paquebot.queue.events import follow_records
from paquebot.queue.policystore import read_policy
from paquebot.wire.deliverer import StateRequest

SAMPLE_S = 5.0  # between two samples: they read what waits, with its contents
ACCEPTED = "ev.*.accepted"


@dataclass(slots=True)
class Looking:
    """Looks again and again. `run` counts what is accepted meanwhile."""

    source: Sources
    accepted: Counter[str] = field(default_factory=Counter)
    samples: dict[str, tuple[Delivery, ...]] = field(default_factory=dict)
    sampled: float = -SAMPLE_S

    async def run(self) -> None:
        """Count what is accepted, for ever."""
        async for record in follow_records(self.source.js, ACCEPTED):
            self.accepted[record.pool] += 1

    async def look(self) -> Look:
        """Return what is to be seen now."""
        js = self.source.js
        policy, live = await asyncio.gather(read_policy(js), self.source.deliverers.ask(StateRequest()))
        pools = dict((policy or Policy()).pools)
        depths = await asyncio.gather(*(depth(js, pool) for pool in pools))
        if time.monotonic() - self.sampled >= SAMPLE_S:
            some = await asyncio.gather(*(sample(js, pool) for pool in pools))
            self.samples = {pool: tuple(each) for pool, each in zip(pools, some, strict=True)}
            self.sampled = time.monotonic()
        now_ms = time.time_ns() // 1_000_000
        return Look(now_ms, pools, live, dict(zip(pools, depths, strict=True)), self.samples, dict(self.accepted))
