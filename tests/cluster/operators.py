"""The operator's pods: which of them leads, and how each ends that is not asked to."""

import os
import signal

from cluster.platform import PLATFORM, Cluster
from cluster.waiting import until

LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{PLATFORM}/leases/paquebot-operator"
DEPLOYMENT = "paquebot-operator"


def leader(cluster: Cluster) -> str:
    """Return the pod that holds the lease, "" for none."""
    return str(cluster.plane.call("GET", LEASE)["spec"].get("holderIdentity") or "")


def pods(cluster: Cluster) -> dict[str, bool]:
    """Return the operator's pods, and whether each is ready."""
    return {name: ready for name, ready in cluster.pods().items() if name.startswith(DEPLOYMENT)}


def kill(cluster: Cluster, pod: str) -> None:
    """Kill a pod's processes with SIGKILL, once they run."""
    until(f"{pod} runs", lambda: cluster.kubelet.processes(PLATFORM, pod), lambda: cluster.why(PLATFORM, pod))
    for process in cluster.kubelet.processes(PLATFORM, pod).values():
        os.killpg(process, signal.SIGKILL)


def scale(cluster: Cluster, replicas: int) -> None:
    """Have so many, all of them ready."""
    words = (f"deployment/{DEPLOYMENT}", f"--namespace={PLATFORM}", f"--replicas={replicas}")
    cluster.plane.kubectl("scale", *words)
    until(f"{replicas} are ready", lambda: list(pods(cluster).values()) == [True] * replicas, lambda: pods(cluster))
