"""What looks after pools, between a real API server and a real nats-server; what the engine does is done by hand."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from kube_plane import Plane, Refused
from paquebot.queue.subjects import SLICES, stream_name
from paquebot_operator.kube.store import Store
from paquebot_operator.names import DEPLOYMENT, OURS, SENDING_POOL, Key
from paquebot_operator.policy.publish import POLICY, Publishing
from paquebot_operator.pools.reconcile import POOLS, Pools


@dataclass
class Desk:
    """Everything that looks after pools of one namespace."""

    plane: Plane
    namespace: str
    store: Store
    publishing: Publishing
    pools: Pools
    seen: list[Key] = field(default_factory=list)
    later: timedelta = timedelta()

    def path(self, name: str) -> str:
        return SENDING_POOL.path(self.namespace, name)

    def workload_path(self, name: str, subresource: str = "") -> str:
        return DEPLOYMENT.path(self.namespace, f"deliverer-{self.namespace}-{name}", subresource)

    def apply(self, name: str = "default", **spec: Any) -> None:
        metadata = {"name": name, "namespace": self.namespace}
        body = {"apiVersion": "paquebot.dev/v1alpha1", "kind": "SendingPool", "metadata": metadata}
        self.plane.apply(self.path(name), {**body, "spec": {"heloHostname": "out.example.net", **spec}})

    def get(self, name: str = "default") -> Any:
        return self._get(self.path(name))

    def deployment(self, name: str = "default") -> Any:
        return self._get(self.workload_path(name))

    def delete(self, name: str = "default") -> None:
        self.plane.call("DELETE", self.path(name))

    def status_of_deployment(self, status: dict[str, Any], name: str = "default") -> None:
        """Say what the Deployment's controller would."""
        body = {"status": {"observedGeneration": self.deployment(name)["metadata"]["generation"], **status}}
        self.plane.call("PATCH", self.workload_path(name, "status"), body, content_type="application/merge-patch+json")

    async def look(self, name: str = "default") -> None:
        """Hear what changed, and look at the policy, at one pool, and at what has no object."""
        for _ in range(2):  # the second time the first one's changes were heard
            await self.hear()
            await self.publishing.reconcile(POLICY)
            await self.pools.reconcile(Key("SendingPool", self.namespace, name))
            await self.pools.reconcile_all(POOLS)

    async def hear(self) -> None:
        self.store.entries.clear()
        for kind in OURS:
            for entry in await self.pools.workloads.kube.items(kind):
                if entry["metadata"].get("namespace") == self.namespace:
                    self.store.put(entry)

    def condition(self, kind: str, name: str = "default") -> Any:
        return next((each for each in self.get(name)["status"]["conditions"] if each["type"] == kind), None)

    def _get(self, path: str) -> Any:
        try:
            return self.plane.call("GET", path)
        except Refused as refused:
            if refused.code != 404:
                raise
            return None

    async def put_mail(self, name: str = "default") -> None:
        """Have a delivery wait in a pool."""
        js = await self.pools.queue.connected()
        await js.publish(f"mq.{self.namespace}_{name}.0.r.0.1.other.x", b"")

    async def take_mail(self, name: str = "default") -> None:
        """Have nothing wait in a pool."""
        js = await self.pools.queue.connected()
        for number in range(SLICES):
            await js.request(f"STREAM.PURGE.{stream_name(f'{self.namespace}_{name}', number)}")
