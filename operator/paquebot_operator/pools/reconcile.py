"""Looks after SendingPools: makes their workloads, sizes them, says in their status how they are, and ends them.

What is in force counts, not what was written last: a pool with a fault runs on as it last was right. And a pool that is
in force without its object, because its mail outlived it, goes on until that mail has gone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog

from paquebot.policy.draining import MARK
from paquebot.policy.route import Smarthost
from paquebot.policy.values import Policy, SendingPool
from paquebot.queue.jetstream import ApiError, QueueFullError, QueueUnavailableError
from paquebot.queue.removal import count_waiting, remove_streams
from paquebot_operator import times
from paquebot_operator.conditions import TRUE, Condition, Report
from paquebot_operator.kube.store import key_of
from paquebot_operator.names import FINALIZER, POOL_MANAGER, SENDING_POOL, Key
from paquebot_operator.policy.publish import Publishing
from paquebot_operator.pools.ending import HELD_MAX_S, Ending, Mail, drained, ending
from paquebot_operator.pools.report import workload
from paquebot_operator.pools.workloads import Workloads
from paquebot_operator.queue_link import QueueLink
from paquebot_operator.scaling.scaler import Scaler
from paquebot_operator.status import StatusWriter

POOLS: Final = Key("Pools", "", "all")
LOOK_S: Final = 15.0
CHANGING_S: Final = 3.0  # while a workload is not as it should be, or a pool drains
SMTP_PORTS: Final = (25, 465, 587)
PORTS_MAX: Final = 50
UNREACHABLE: Final = (QueueUnavailableError, QueueFullError, ApiError)
LOG = structlog.get_logger()

Entry = Mapping[str, Any]


@dataclass(slots=True, eq=False)
class Pools:
    """One for all pools. `certificates` returns the condition of the deliverers' identity."""

    workloads: Workloads
    publishing: Publishing
    scaler: Scaler
    queue: QueueLink
    writer: StatusWriter
    certificates: Callable[[], Condition]
    now: Callable[[], datetime]

    async def reconcile(self, key: Key) -> float | None:
        """Look after one pool's object; return when to look again."""
        entry = self.writer.store.get(key)
        if entry is None:
            return None
        value, in_force = self._in_force(key)
        if value is None or in_force is None:
            return await self._without_force(key, entry)
        if entry["metadata"].get(MARK):
            return await self._end(key, entry, in_force)
        await self._hold(entry)
        reports, settled = await self._run(value, in_force, entry.get("status") or {})
        identity = Report((self.certificates(),))
        await self.writer.write(key, [self.publishing.report(entry), identity, *reports])
        return LOOK_S if settled else CHANGING_S

    async def _without_force(self, key: Key, entry: Entry) -> float | None:
        """Look after an object that is not in force, or of which that is not known: the queue cannot be reached."""
        await self.writer.write(key, [self.publishing.report(entry)])
        if not entry["metadata"].get(MARK):
            return None
        # It never was in force, or is no more, so there is no mail; or nobody could tell for long enough.
        if self.publishing.accepted is not None or self._held_s(entry) >= HELD_MAX_S:
            await self._let_go(entry)
        return CHANGING_S

    async def reconcile_all(self, _key: Key) -> float:
        """Look after what has no object: pools whose mail outlived them, and workloads whose pool is gone."""
        await self.workloads.look_around()
        accepted = self.publishing.accepted
        if accepted is None:
            return CHANGING_S
        mine = set()
        for in_force in accepted.objects:
            key = key_of(in_force)
            if key.kind != SENDING_POOL.name:
                continue
            mine.add(self.workloads.name_of(in_force))
            if self.writer.store.get(key) is None:
                await self._end(key, None, in_force)
        self.scaler.forget(accepted.policy.pools)
        declared = {self.workloads.name_of(entry) for entry in self.writer.store.of(SENDING_POOL.name)}
        for deployment in await self.workloads.all():
            name = deployment["metadata"]["name"]
            if name not in mine | declared:
                LOG.info("a workload is removed: no pool has it any more", workload=name)
                await self.workloads.remove(name)
        return LOOK_S

    async def _run(self, value: SendingPool, in_force: Entry, status: Entry) -> tuple[list[Report], bool]:
        """Make the workload what it should be; return what is to be said of it, and whether it is."""
        accepted = self.publishing.accepted
        policy = accepted.policy if accepted else Policy()
        await self.workloads.apply(in_force, smtp_ports(policy))
        deployment = await self.workloads.deployment(in_force)
        sized = []
        if deployment is not None:
            current = deployment["spec"].get("replicas", 1)
            sizing = await self.scaler.size(policy, value, current, status, self.now().timestamp())
            await self.workloads.scale(deployment, sizing.writes)
            sized = [sizing.report]
        report = workload(in_force, deployment)
        if all(condition.status == TRUE and not condition.message for condition in report.conditions):
            return [report, *sized], True
        return [workload(in_force, deployment, await self.workloads.pods(in_force)), *sized], False

    async def _end(self, key: Key, entry: Entry | None, in_force: Entry) -> float:
        """Go on with a pool that is being deleted, or is without its object already."""
        value, _ = self._in_force(key)
        if value is None or not value.draining:
            return CHANGING_S  # the policy will know in a moment
        reports, _ = await self._run(value, in_force, (entry or {}).get("status") or {})
        mail = await self._count(value)
        match ending(mail, self._held_s(in_force), is_held=entry is not None and _holds(entry)):
            case Ending.REMOVE:
                await self._remove(value, in_force, entry)
            case Ending.LET_GO if entry is not None:
                text = f"{mail} after {HELD_MAX_S // 60} minutes; its deliverers stay until all mail has gone"
                await self.writer.recorder.record(entry, False, "DrainTimeout", text)
                await self._let_go(entry)
            case _ if entry is not None:
                await self.writer.write(key, [Report((drained(mail),)), self.publishing.report(entry), *reports])
        return CHANGING_S

    async def _count(self, value: SendingPool) -> Mail:
        try:
            return Mail(await count_waiting(await self.queue.connected(), value.token))
        except UNREACHABLE as error:
            return Mail(None, str(error))

    async def _remove(self, value: SendingPool, in_force: Entry, entry: Entry | None) -> None:
        """Take an empty pool's streams away, then all else; what came at the last moment keeps them."""
        if await remove_streams(await self.queue.connected(), value.token):
            return
        LOG.info("a pool is empty and removed", pool=value.place)
        self.publishing.forget(value.token)
        await self.workloads.remove(self.workloads.name_of(in_force))
        if entry is not None:
            await self._let_go(entry)

    async def _hold(self, entry: Entry) -> None:
        """Have the object stay, when it is deleted, until we know what becomes of its mail."""
        if not _holds(entry):
            await self._finalizers(entry, [*(entry["metadata"].get("finalizers") or ()), FINALIZER])

    async def _let_go(self, entry: Entry) -> None:
        if _holds(entry):
            await self._finalizers(entry, [each for each in entry["metadata"]["finalizers"] if each != FINALIZER])

    async def _finalizers(self, entry: Entry, finalizers: list[str]) -> None:
        """Write the list as a whole, if the object is still the one that we know: others have finalizers too."""
        version = entry["metadata"]["resourceVersion"]
        patch = {"metadata": {"finalizers": finalizers, "resourceVersion": version}}
        await self.workloads.kube.merge(SENDING_POOL, entry, patch, POOL_MANAGER)

    def _in_force(self, key: Key) -> tuple[SendingPool | None, Entry | None]:
        """Return a pool as it is in force, as a value and as an object; None when it is not."""
        accepted = self.publishing.accepted
        if accepted is None:
            return None, None
        token = SendingPool(key.namespace, key.name, "").token
        entry = next((each for each in accepted.objects if key_of(each) == key), None)
        return accepted.policy.pools.get(token), entry

    def _held_s(self, marked: Entry) -> float:
        since = times.read(marked["metadata"][MARK])
        return (self.now() - since).total_seconds()


def smtp_ports(policy: Policy) -> tuple[int, ...]:
    """Return the ports on which deliverers reach other hosts: those of mail, and those that routes name."""
    named = {way.port for route in policy.routes.ordered if isinstance(way := route.action, Smarthost)}
    return (*SMTP_PORTS, *sorted(named - set(SMTP_PORTS))[:PORTS_MAX])


def _holds(entry: Entry) -> bool:
    return FINALIZER in (entry["metadata"].get("finalizers") or ())
