"""Sizes pools: looks at their queues, asks the model, and says what to write and what to tell."""

import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from paquebot.policy.values import Policy, SendingPool
from paquebot.queue.jetstream import ApiError, JetStream, QueueUnavailableError
from paquebot.queue.members import members
from paquebot_operator.conditions import Report
from paquebot_operator.scaling import metrics
from paquebot_operator.scaling.actuate import Writes, wanted, writes
from paquebot_operator.scaling.model import begin, decide
from paquebot_operator.scaling.readings import Memory, Reading, signals
from paquebot_operator.scaling.report import report, worth_telling
from paquebot_operator.scaling.signals import look
from paquebot_operator.scaling.values import Decision, Signals, Spec, State


@dataclass(slots=True)
class Known:
    """What is remembered of one pool."""

    state: State
    memory: Memory = field(default_factory=Memory)
    told: Report | None = None
    told_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Sizing:
    """What to write for a pool, and what to tell of it."""

    writes: Writes
    report: Report
    decision: Decision


@dataclass(slots=True, eq=False)
class Scaler:
    """One for all pools. `connected` gives the queue, or raises QueueUnavailableError."""

    connected: Callable[[], Awaitable[JetStream]]
    known: dict[str, Known] = field(default_factory=dict)  # by the pool's token

    async def size(
        self, policy: Policy, pool: SendingPool, current: int, status: Mapping[str, Any], now_s: float
    ) -> Sizing:
        """Look at a pool with so many replicas now, and its status as it was written last."""
        known = self.known.setdefault(pool.token, Known(begin(current, now_s, _changed_s(status))))
        found = await self._look(policy, pool.token, now_s)
        seen: Signals | None = None
        if isinstance(found, Reading):
            seen, known.memory = signals(known.memory, found, policy, pool.token)
        spec = Spec(pool.scaling, current, pool.sessions_per_replica, pool.paused)
        decision, known.state = decide(known.state, seen, spec, now_s)
        size = wanted(pool, decision, current)
        _measure(pool.token, decision, seen, size, now_s)
        fault = found if isinstance(found, str) else ""
        return Sizing(
            writes(size, current, seen), _news(known, report(decision, seen, spec, now_s, fault), now_s), decision
        )

    def forget(self, pools: Iterable[str]) -> None:
        """Keep only what belongs to these pools."""
        for gone in set(self.known) - set(pools):
            del self.known[gone]
            for gauge in metrics.EVERY:
                with contextlib.suppress(KeyError):  # never measured
                    gauge.remove(gone)

    async def _look(self, policy: Policy, pool: str, now_s: float) -> Reading | str:
        try:
            js = await self.connected()
            alive = await members(js)
        except (QueueUnavailableError, ApiError) as error:
            return str(error)
        return await look(js, policy, pool, alive, now_s)


def _changed_s(status: Mapping[str, Any]) -> float:
    """Return when a pool's size changed last, by its status; 0: it does not say."""
    try:
        return datetime.fromisoformat(status["scaling"]["lastScaleTime"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return 0.0


def _news(known: Known, made: Report, now_s: float) -> Report:
    """Return what is told: what was told before, where nothing worth a write has changed."""
    if known.told is None or worth_telling(known.told, made, known.told_s, now_s):
        known.told, known.told_s = made, now_s
    return known.told


def _measure(pool: str, decision: Decision, seen: Signals | None, size: int, now_s: float) -> None:
    metrics.RECOMMENDED.labels(pool).set(decision.wish)
    metrics.REPLICAS.labels(pool).set(size)
    if seen is None:
        return
    asked = decision.demand
    held_up = 1 - asked.served_per_s / asked.wanted_per_s if asked.wanted_per_s else 0.0
    metrics.ELIGIBLE.labels(pool).set(sum(each.backlog for each in seen.destinations))
    metrics.HELD_UP.labels(pool).set(held_up)
    metrics.MEASURED.labels(pool).set(now_s)
