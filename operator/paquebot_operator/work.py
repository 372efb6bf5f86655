"""The queue of work: keys that want a look. A key waits once, is in one hand at a time, and comes back after a failure.

What changed is not kept, only that something did: whoever looks sees how it is now (level-triggered).
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog

from paquebot_operator import metrics
from paquebot_operator.names import Key

BACKOFF_MIN_S: Final = 1.0
BACKOFF_MAX_S: Final = 300.0
WORKERS: Final = 10
LOG = structlog.get_logger()

Reconcile = Callable[[Key], Awaitable[float | None]]  # returns in how many seconds to look again; None: when it changes


@dataclass(slots=True, eq=False)
class Work:
    """Keys and the functions that look after them, by kind. `run` goes on until it is cancelled."""

    reconcilers: Mapping[str, Reconcile]
    standing: tuple[Key, ...] = ()  # pieces of work that are no objects: looked at from the start
    rng: random.Random = field(default_factory=random.Random)
    due: dict[Key, float] = field(default_factory=dict)  # loop time
    busy: set[Key] = field(default_factory=set)
    again: set[Key] = field(default_factory=set)  # changed while in hand
    failures: dict[Key, int] = field(default_factory=dict)
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    paused: bool = True  # a standby knows everything and does nothing
    moved: float = 0.0  # loop time of the last look that ended, or of having nothing to do

    def add(self, key: Key, after_s: float = 0.0) -> None:
        """Have a look at a key, at once or later; the earlier of two times counts."""
        if key.kind not in self.reconcilers:
            return
        at = asyncio.get_running_loop().time() + after_s
        if key in self.busy and after_s == 0:
            self.again.add(key)
        elif at < self.due.get(key, float("inf")):
            self.due[key] = at
            self.woken.set()

    def resume(self) -> None:
        """Begin to work."""
        self.paused = False
        self.woken.set()

    async def run(self) -> None:
        """Look after keys as they fall due, several at a time."""
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            while True:
                self.woken.clear()
                now = loop.time()
                for key in self._ready(now):
                    del self.due[key]
                    self.busy.add(key)
                    tasks.create_task(self._look(key))
                if not self.busy and not self._ready(now):
                    self.moved = now
                metrics.QUEUE_DEPTH.set(len(self.due) + len(self.busy))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._pause(now)):
                        await self.woken.wait()

    def _ready(self, now: float) -> list[Key]:
        if self.paused:
            return []
        ready = [key for key, at in self.due.items() if at <= now and key not in self.busy]
        return sorted(ready, key=lambda key: self.due[key])[: max(0, WORKERS - len(self.busy))]

    def _pause(self, now: float) -> float:
        waiting = [at for key, at in self.due.items() if key not in self.busy]
        full = self.paused or len(self.busy) >= WORKERS
        return 1.0 if full or not waiting else min(1.0, max(0.005, min(waiting) - now))

    async def _look(self, key: Key) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            after_s = await self.reconcilers[key.kind](key)
        except Exception as error:  # noqa: BLE001  (one object's trouble is not another's; it is tried for ever)
            after_s = self._failed(key, error)
        else:
            self.failures.pop(key, None)
            metrics.RECONCILED.labels(key.kind, "done").inc()
        metrics.RECONCILE_SECONDS.labels(key.kind).observe(loop.time() - began)
        self.busy.discard(key)
        self.moved = loop.time()
        if key in self.again:
            self.again.discard(key)
            after_s = 0.0 if key not in self.failures else after_s
        if after_s is not None:
            self.add(key, after_s)
        self.woken.set()

    def _failed(self, key: Key, error: Exception) -> float:
        count = self.failures[key] = self.failures.get(key, 0) + 1
        after_s: float = min(BACKOFF_MAX_S, BACKOFF_MIN_S * 2 ** min(count - 1, 10)) * self.rng.uniform(0.5, 1.0)
        metrics.RECONCILED.labels(key.kind, "failed").inc()
        LOG.warning("tried again later", key=str(key), error=f"{type(error).__name__}: {error}", after_s=round(after_s))
        return after_s
