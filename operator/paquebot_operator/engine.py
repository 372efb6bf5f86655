"""The engine: what is in the cluster comes into the store, what changed is looked at, by one process of several.

A standby does everything but look. In doubt (a watch that missed something, work that stands still, a lease lost) the
process ends: what it knows can be read again, and starting takes seconds.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog

from paquebot_operator import metrics
from paquebot_operator.kube.client import Kube
from paquebot_operator.kube.errors import GoneError, KubeError
from paquebot_operator.kube.lease import Leadership
from paquebot_operator.kube.store import Store, key_of, trimmed
from paquebot_operator.kube.watch import Watch
from paquebot_operator.names import Key, Kind
from paquebot_operator.work import Work

RESYNC_S: Final = 600.0
SETTLE_S: Final = 30.0  # a watch may be so late before we stop believing it
STANDSTILL_S: Final = 300.0
RETRY_S: Final = 2.0
LOG = structlog.get_logger()


class DoubtError(Exception):
    """This process may not know what it should: it must start anew."""


@dataclass(slots=True, eq=False)
class Engine:
    """Store, work and the watch that feeds both. `matters` says which keys a change concerns."""

    kube: Kube
    kinds: tuple[Kind, ...]
    store: Store
    work: Work
    watch: Watch
    leadership: Leadership
    concerned: Callable[[Mapping[str, Any] | None, Mapping[str, Any]], list[tuple[Key, float]]]

    async def run(self, on_known: Callable[[], None]) -> None:
        """Work for ever. Calls `on_known` when all objects were read. Raises DoubtError."""
        await self._read_all()
        on_known()
        self.watch.start(self.heard)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.work.run())
            tasks.create_task(self._resync())
            tasks.create_task(self._end_with_the_watch())
            tasks.create_task(self._see_progress())
            tasks.create_task(self._lead())

    def heard(self, entry: Mapping[str, Any], gone: bool) -> None:  # noqa: FBT001  (the watch's signature)
        """Take what the watch says."""
        key = key_of(entry)
        before = self.store.get(key)
        if gone:
            self.store.drop(key)
        elif before is None or before["metadata"].get("resourceVersion") != entry["metadata"].get("resourceVersion"):
            self.store.put(entry)
        else:
            return  # known from the first reading
        for concerned, after_s in self.concerned(None if gone else before, trimmed(entry)):
            self.work.add(concerned, after_s)

    async def _read_all(self) -> None:
        for kind in self.kinds:
            while True:
                try:
                    for entry in await self.kube.items(kind):
                        self.store.put(entry)
                    break
                except GoneError:
                    LOG.error("the cluster does not know a kind of ours: install the chart's CRDs", kind=kind.name)  # noqa: TRY400
                except KubeError as error:
                    LOG.warning("the objects cannot be read yet", kind=kind.name, error=str(error))
                await asyncio.sleep(RETRY_S)

    async def _lead(self) -> None:
        await self.leadership.acquire()
        metrics.LEADER.set(1)
        self._look_at_all()
        self.work.resume()
        await self.leadership.keep()
        raise DoubtError("the lease is lost")

    def _look_at_all(self) -> None:
        for entry in list(self.store):
            for key, after_s in self.concerned(None, entry):
                self.work.add(key, after_s)
        for kind in self.work.standing:
            self.work.add(kind)

    async def _resync(self) -> None:
        """Compare with the cluster now and then, and look at everything again."""
        while True:
            await asyncio.sleep(RESYNC_S)
            for kind in self.kinds:
                try:
                    await self._compare(kind)
                except KubeError as error:
                    LOG.warning("the objects cannot be compared", kind=kind.name, error=str(error))
            self._look_at_all()

    async def _compare(self, kind: Kind) -> None:
        """Raise DoubtError when the watch still does not know what we can read, a while after we read it."""
        known = {key: self._version(key) for key in self.store.keys(kind.name)}
        there = {key_of(entry): entry async for entry in self.kube.each(kind)}
        missed = [key for key, entry in there.items() if known.get(key) != entry["metadata"].get("resourceVersion")]
        missed += [key for key in known if key not in there]
        if not missed:
            return
        await asyncio.sleep(SETTLE_S)
        if any(self._version(key) == known.get(key) for key in missed):
            raise DoubtError(f"the watch of {kind.plural} has missed a change")

    def _version(self, key: Key) -> str | None:
        entry = self.store.get(key)
        return None if entry is None else entry["metadata"].get("resourceVersion")

    async def _end_with_the_watch(self) -> None:
        await self.watch.ended.wait()
        raise DoubtError("the watch has ended")

    async def _see_progress(self) -> None:
        loop = asyncio.get_running_loop()
        self.work.moved = loop.time()
        while True:
            await asyncio.sleep(RETRY_S)
            for kind, at in self.watch.heard.items():
                metrics.WATCH_AGE.labels(kind).set(loop.time() - at)
            if not self.work.paused and loop.time() - self.work.moved > STANDSTILL_S:
                raise DoubtError("no work was done for minutes though there is some")
