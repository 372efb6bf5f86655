"""What a pool's status says of its workload, from what the cluster says of Deployment and pods. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from paquebot_operator.conditions import FALSE, TRUE, UNKNOWN, Condition, Report
from paquebot_operator.pools.naming import selector

AVAILABLE: Final = "Available"
REASONS_SHOWN_MAX: Final = 3

Entry = Mapping[str, Any]

_CURES: Final = {
    "Unschedulable": "give the cluster room, or change spec.template (resources, nodeSelector, tolerations)",
    "ErrImagePull": "see that the nodes can fetch the image (image, imagePullSecrets of the chart)",
    "ImagePullBackOff": "see that the nodes can fetch the image (image, imagePullSecrets of the chart)",
    "CreateContainerConfigError": "make what the message names",
    "CrashLoopBackOff": "its log says why: kubectl logs",
    "OOMKilled": "raise spec.template.resources.limits.memory",
}


def workload(pool: Entry, deployment: Entry | None, pods: Sequence[Entry] = ()) -> Report:
    """Return Available, and the fields that the scale subresource reads. `pods` say why something is not ready."""
    own = selector(pool["metadata"]["namespace"], pool["metadata"]["name"])
    status = (deployment or {}).get("status") or {}
    fields = {
        "replicas": int(status.get("replicas") or 0),
        "readyReplicas": int(status.get("readyReplicas") or 0),
        "selector": ",".join(f"{name}={value}" for name, value in sorted(own.items())),
    }
    return Report((_available(deployment, pods),), fields)


def _available(deployment: Entry | None, pods: Sequence[Entry]) -> Condition:
    if deployment is None:
        return Condition(AVAILABLE, UNKNOWN, "NotMade", "its Deployment is not made yet")
    status, wanted = deployment.get("status") or {}, deployment["spec"].get("replicas", 1)
    if status.get("observedGeneration", 0) < deployment["metadata"].get("generation", 0):
        return Condition(AVAILABLE, UNKNOWN, "Updating", "the cluster has not looked at its Deployment yet")
    if wanted == 0:
        return Condition(AVAILABLE, TRUE, "ScaledToZero", "no deliverer runs; mail waits until there is one")
    ready = int(status.get("availableReplicas") or 0)
    said = {each["type"]: each for each in status.get("conditions") or ()}
    if said.get("Available", {}).get("status") == TRUE and ready > 0:
        text = "" if ready >= wanted else f"{ready} of {wanted} deliverers are ready{_because(said, pods)}"
        return Condition(AVAILABLE, TRUE, "DeliverersReady", text)
    text = f"{ready} of {wanted} deliverers are ready{_because(said, pods)}"
    return Condition(AVAILABLE, FALSE, "DeliverersNotReady", text)


def _because(said: Mapping[str, Entry], pods: Sequence[Entry]) -> str:
    """Return why, with what to do, from the pods, else from the Deployment."""
    reasons = list(dict.fromkeys(reason for pod in pods if (reason := trouble(pod))))
    for name, bad in (("ReplicaFailure", TRUE), ("Progressing", FALSE)):
        if not reasons and said.get(name, {}).get("status") == bad:
            reasons.append(f"{said[name].get('reason', '')}: {said[name].get('message', '')}")
    return f": {'; '.join(reasons[:REASONS_SHOWN_MAX])}" if reasons else ""


def trouble(pod: Entry) -> str:
    """Return what keeps a pod from being ready, and the cure where there is one; "" for nothing that it tells."""
    status = pod.get("status") or {}
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == FALSE:
            return _told(str(condition.get("reason", "")), str(condition.get("message", "")))
    for container in status.get("containerStatuses") or ():
        waiting = (container.get("state") or {}).get("waiting") or {}
        ended = (container.get("lastState") or {}).get("terminated") or {}
        if ended.get("reason") == "OOMKilled":
            return _told("OOMKilled", "a deliverer used more memory than it may")
        if waiting.get("reason") not in {None, "ContainerCreating", "PodInitializing"}:
            return _told(str(waiting["reason"]), str(waiting.get("message", "")))
    return ""


def _told(reason: str, message: str) -> str:
    sentence = f"{reason}: {message}" if message else reason
    return f"{sentence} ({_CURES[reason]})" if reason in _CURES else sentence
