"""Pools' workloads in the cluster: applied, looked at, sized, and taken away."""

import contextlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from paquebot_operator.kube.client import Kube
from paquebot_operator.kube.errors import GoneError
from paquebot_operator.names import (
    COMPONENT,
    DEPLOYMENT,
    DISRUPTION_BUDGET,
    MANAGED_BY,
    NETWORK_POLICY,
    OPERATOR,
    POD,
    POD_MONITOR,
    POOL_MANAGER,
    SCALER_MANAGER,
    SERVICE_ACCOUNT,
    Kind,
)
from paquebot_operator.pools.children import children
from paquebot_operator.pools.naming import DELIVERER, selector, workload_name_of
from paquebot_operator.pools.settings import PoolSettings
from paquebot_operator.scaling.actuate import Writes, cost_patch

KINDS: Final = (DEPLOYMENT, SERVICE_ACCOUNT, DISRUPTION_BUDGET, NETWORK_POLICY, POD_MONITOR)
AGAIN_S: Final = 600.0  # then what somebody changed meanwhile is as it should be again

Entry = Mapping[str, Any]
_KINDS_BY_NAME: Final[Mapping[str, Kind]] = {kind.name: kind for kind in KINDS}


@dataclass(slots=True, eq=False)
class Workloads:
    """The children of all pools. What was applied and has not changed is not applied again for a while."""

    kube: Kube
    settings: PoolSettings
    clock: Callable[[], float] = time.monotonic
    applied: dict[str, tuple[str, float]] = field(default_factory=dict)  # name → what, and when

    async def apply(self, pool: Entry, smtp_ports: tuple[int, ...]) -> None:
        """Make a pool's children what they should be."""
        manifests = children(pool, replace(self.settings, smtp_ports=smtp_ports))
        name, content = self.name_of(pool), json.dumps(manifests, sort_keys=True)
        before, at = self.applied.get(name, ("", 0.0))
        if content == before and self.clock() - at < AGAIN_S:
            return
        for manifest in manifests:
            await self.kube.apply(_KINDS_BY_NAME[manifest["kind"]], manifest, POOL_MANAGER)
        self.applied[name] = (content, self.clock())

    async def deployment(self, pool: Entry) -> Entry | None:
        """Return a pool's Deployment."""
        return await self.kube.get(DEPLOYMENT, self.settings.namespace, self.name_of(pool))

    async def pods(self, pool: Entry) -> Sequence[Entry]:
        """Return a pool's pods."""
        own = selector(pool["metadata"]["namespace"], pool["metadata"]["name"])
        labels = ",".join(f"{name}={value}" for name, value in own.items())
        return await self.kube.items(POD, self.settings.namespace, labels)

    async def scale(self, deployment: Entry, wanted: Writes) -> None:
        """Give a pool so many deliverers, by the scale subresource, so that no apply takes it back.

        Before it shrinks its pods are told what it costs to end each.
        """
        namespace, name = self.settings.namespace, deployment["metadata"]["name"]
        for pod, cost in wanted.costs.items():
            metadata = {"namespace": namespace, "name": pod}
            with contextlib.suppress(GoneError):
                await self.kube.merge(POD, {"metadata": metadata}, cost_patch(cost), SCALER_MANAGER)
        if wanted.replicas is not None:
            await self.kube.scale(DEPLOYMENT, namespace, name, wanted.replicas, SCALER_MANAGER)

    async def all(self) -> Sequence[Entry]:
        """Return the Deployments of all pools, those that no pool has any more among them."""
        return await self.kube.items(
            DEPLOYMENT, self.settings.namespace, f"{MANAGED_BY}={OPERATOR},{COMPONENT}={DELIVERER}"
        )

    async def remove(self, name: str) -> None:
        """Delete a workload, the Deployment first: its deliverers drain."""
        for kind in KINDS:
            try:
                await self.kube.delete(kind, self.settings.namespace, name)
            except GoneError:
                continue  # a kind that this cluster does not know
        self.applied.pop(name, None)

    async def look_around(self) -> None:
        """See whether the cluster knows PodMonitors."""
        self.settings = replace(self.settings, pod_monitors=await self.kube.serves(POD_MONITOR))

    def name_of(self, pool: Entry) -> str:
        """Return what a pool's workload is called."""
        return workload_name_of(pool, self.settings.namespace)
