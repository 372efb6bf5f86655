"""In mode External a HorizontalPodAutoscaler sizes a pool by the operator's metric, and the operator keeps off."""

from pathlib import Path
from typing import Any

from cluster.adapter import external_metrics
from cluster.mailer import Mailer, found, mailer
from cluster.platform import PLATFORM, ROOT, Cluster
from cluster.waiting import condition, until
from docs.test_manifests_in_docs import manifests

MESSAGES = 120
SLOW = "someone@tarpit.test"  # waits before each reply
POOL = {
    "concurrency": {"sessionsPerReplica": 4},
    "replicas": 0,
    "scaling": {"mode": "External", "maxReplicas": 4, "targetDrainTime": "5s"},
}
WIDE = {"match": {"domains": ["tarpit.test"]}, "limits": {"maxConnections": 200}, "slots": 8}
AT_ONCE = {"scaleDown": {"stabilizationWindowSeconds": 0}}
AUTOSCALER = f"/apis/autoscaling/v2/namespaces/{PLATFORM}/horizontalpodautoscalers/guided"


def autoscaler(pool: str) -> dict[str, Any]:
    """Return the HorizontalPodAutoscaler of docs/scaling.md for another pool, and less patient."""
    (made,) = [each for each in manifests(ROOT / "docs/scaling.md") if each["kind"] == "HorizontalPodAutoscaler"]
    assert made["metadata"]["namespace"] == PLATFORM
    made["metadata"]["name"] = made["spec"]["scaleTargetRef"]["name"] = pool
    made["spec"]["metrics"][0]["external"]["metric"]["selector"]["matchLabels"]["pool"] = f"{PLATFORM}_{pool}"
    made["spec"]["behavior"] = AT_ONCE
    return made


def writers(pool: dict[str, Any]) -> set[str]:
    """Return who has written spec.replicas as it stands."""
    fields = pool["metadata"]["managedFields"]
    return {each["manager"] for each in fields if "f:replicas" in each["fieldsV1"].get("f:spec", {})}


def told(guided: Mailer) -> dict[str, Any]:
    """Return what the pool says of its scaling, once it has seen that mail waits."""
    said = condition(guided.pool(), "ScalingActive")
    return said if guided.pool()["status"].get("queue", {}).get("eligible") else {}


def test_it_grows_and_shrinks_with_the_autoscaler_alone(cluster: Cluster, tmp_path: Path) -> None:
    with mailer(cluster, "guided", **POOL) as guided, external_metrics(cluster, tmp_path):
        guided.declare("DestinationPolicy", "tarpit", WIDE)
        sent = guided.send(SLOW, MESSAGES)
        said = until("what waits is seen", lambda: told(guided))
        assert (said["status"], said["reason"]) == ("True", "External")
        assert guided.replicas() == (0, 0)  # the operator would have one at once

        cluster.plane.apply(AUTOSCALER, autoscaler("guided"))
        until("none is the end of scaling", lambda: reason(cluster) == "ScalingDisabled")
        cluster.plane.kubectl("scale", "sendingpool/guided", "--replicas=1", f"--namespace={PLATFORM}")
        until("several deliverers are ready", lambda: guided.replicas()[1] >= 3)
        assert reason(cluster) == "ValidMetricFound"
        assert writers(guided.pool()) == {"kube-controller-manager"}

        guided.wait_for_all(sent)
        until("one deliverer is left", lambda: guided.replicas() == (1, 1))
        assert guided.pool()["spec"]["replicas"] == 1
        guided.wait_for_all(guided.send(SLOW, 1))
        assert set(guided.arrived().values()) == {1}
        cluster.plane.call("DELETE", AUTOSCALER)
        cluster.plane.kubectl("delete", "destinationpolicy", "tarpit")


def reason(cluster: Cluster) -> str:
    """Return whether the autoscaler can do anything, in its own word."""
    return str(condition(found(cluster, AUTOSCALER) or {}, "ScalingActive").get("reason", ""))
