"""A node as the API knows it: registered, ready, with its Lease renewed."""

import contextlib
import platform
from datetime import UTC, datetime

from hack.in_namespace import GATEWAY

from cluster.api import MERGE, Api
from kube_plane import Refused

LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
LEASE_S = 40
ROOM = {"cpu": "64", "memory": "256Gi", "pods": "250", "ephemeral-storage": "1Ti"}  # nothing is limited here


async def register(api: Api, name: str) -> None:
    """Make a Node, ready at once."""
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": architecture,
        "topology.kubernetes.io/zone": f"zone-{name}",
    }
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}
    with contextlib.suppress(Refused):  # it is known from before
        await api.call("POST", "/api/v1/nodes", node)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "processes may run"}
    status = {
        "capacity": ROOM,
        "allocatable": ROOM,
        "addresses": [{"type": "InternalIP", "address": GATEWAY}, {"type": "Hostname", "address": name}],
        "conditions": [ready | {"lastHeartbeatTime": now, "lastTransitionTime": now}],
    }
    await api.call("PATCH", f"/api/v1/nodes/{name}/status", {"status": status}, MERGE)


async def beat(api: Api, name: str) -> None:
    """Renew the node's Lease."""
    renewed = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec = {"holderIdentity": name, "leaseDurationSeconds": LEASE_S, "renewTime": renewed}
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name}, "spec": spec}
    path = f"{LEASES}/{name}?fieldManager=kubelet&force=true"
    with contextlib.suppress(Refused):  # its namespace is made by the server a moment later
        await api.call("PATCH", path, lease, "application/apply-patch+yaml")
