"""What a pool says of its deliverers, with the cure where there is one."""

from typing import Any

import pytest

from paquebot_operator.conditions import FALSE, TRUE, UNKNOWN, Condition
from paquebot_operator.pools.report import trouble, workload

POOL = {"metadata": {"namespace": "mail-system", "name": "default"}, "spec": {}}


def deployment(wanted: int = 2, available: int = 2, *conditions: dict[str, str], seen: int = 3) -> dict[str, Any]:
    status = {
        "observedGeneration": seen,
        "replicas": wanted,
        "availableReplicas": available,
        "readyReplicas": available,
    }
    return {
        "metadata": {"generation": 3},
        "spec": {"replicas": wanted},
        "status": {**status, "conditions": list(conditions)},
    }


def said(kind: str, status: str, reason: str = "", message: str = "") -> dict[str, str]:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"status": {"containerStatuses": [{"state": {"waiting": {"reason": reason, "message": message}}}]}}


def available(entry: dict[str, Any] | None, *pods: dict[str, Any]) -> Condition:
    return workload(POOL, entry, pods).conditions[0]


def test_the_scale_subresource_finds_what_it_reads() -> None:
    assert workload(POOL, deployment(3, 2)).fields == {
        "replicas": 3,
        "readyReplicas": 2,
        "selector": "app.kubernetes.io/component=deliverer,paquebot.dev/pool=mail-system_default",
    }


def test_all_is_well() -> None:
    assert available(deployment(2, 2, said("Available", TRUE))) == Condition("Available", TRUE, "DeliverersReady")


def test_a_pool_that_sleeps_is_available() -> None:
    assert available(deployment(0, 0)).status == TRUE
    assert available(deployment(0, 0)).reason == "ScaledToZero"


def test_what_nobody_has_looked_at_yet_is_unknown() -> None:
    assert available(None).status == UNKNOWN
    assert available(deployment(seen=2)).reason == "Updating"


def test_some_are_enough_but_it_is_said_what_the_others_lack() -> None:
    told = available(deployment(2, 1, said("Available", TRUE)), waiting("ImagePullBackOff", "no such image"))
    assert told.status == TRUE
    assert told.message.startswith("1 of 2 deliverers are ready: ImagePullBackOff: no such image (see that the nodes")


def test_one_reason_of_many_pods_is_told_once() -> None:
    told = available(deployment(2, 0), waiting("CrashLoopBackOff"), waiting("CrashLoopBackOff"))
    assert told.status == FALSE
    assert told.message == "0 of 2 deliverers are ready: CrashLoopBackOff (its log says why: kubectl logs)"


def test_without_pods_the_deployment_tells_why() -> None:
    quota = said("ReplicaFailure", TRUE, "FailedCreate", "exceeded quota")
    assert available(deployment(2, 0, quota)).message.endswith("are ready: FailedCreate: exceeded quota")


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ({}, ""),
        ({"containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}]}, ""),
        ({"containerStatuses": [{"state": {"running": {}}}]}, ""),
        (
            {"containerStatuses": [{"state": {"running": {}}, "lastState": {"terminated": {"reason": "OOMKilled"}}}]},
            "OOMKilled: a deliverer used more memory than it may (raise spec.template.resources.limits.memory)",
        ),
        ({"conditions": [said("PodScheduled", FALSE, "SchedulingGated", "gated")]}, "SchedulingGated: gated"),
    ],
)
def test_what_a_pod_lacks_is_read_from_its_status(status: dict[str, Any], text: str) -> None:
    assert trouble({"status": status}) == text
