"""What a SendingPool says about its size is read, and told when unfit."""

from typing import Any

import pytest

from paquebot.policy.compile import compile_policy
from paquebot.policy.faults import PolicyFaults
from paquebot.policy.scaling import Change, Mode, Scaling


def entry(**spec: Any) -> dict[str, Any]:
    metadata = {"name": "main", "namespace": "mail-system"}
    spec = {"heloHostname": "out.example"} | spec
    return {"apiVersion": "paquebot.dev/v1alpha1", "kind": "SendingPool", "metadata": metadata, "spec": spec}


def read(**spec: Any) -> Scaling:
    return compile_policy([entry(**spec)]).pools["mail-system_main"].scaling


def test_a_pool_scales_by_itself_and_as_it_is_told() -> None:
    assert read() == Scaling()
    told = {
        "minReplicas": 0,
        "maxReplicas": 16,
        "targetDrainTime": "1m",
        "targetUtilization": 70,
        "scaleUp": {"stabilization": "30s", "maxPercent": 50, "maxPods": 2, "period": "30s"},
        "scaleDown": {"stabilization": "0s", "maxPercent": 100, "period": "15s"},
        "tolerancePercent": 0,
        "idleAfter": "1h",
        "fallback": {"afterFailures": 3, "replicas": 5},
    }
    assert read(scaling=told) == Scaling(
        Mode.DRAIN_TIME, 0, 16, 60, 0.7, Change(30, 2, 0.5, 30), Change(0, 1, 1.0, 15), 0.0, 3600, 3, 5
    )


def test_replicas_are_for_pools_that_do_not_size_themselves() -> None:
    assert read(replicas=3, scaling={"mode": "Manual"}).mode is Mode.MANUAL
    assert read(replicas=3, scaling={"mode": "External"}).mode is Mode.EXTERNAL


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"scaling": {"maxReplicas": 17}}, "spec.scaling.maxReplicas: 17 is out of range; give a number from 1 to 16"),
        (
            {"scaling": {"minReplicas": 9}},
            "spec.scaling.minReplicas: is more than `maxReplicas`, 8; lower it, or raise",
        ),
        ({"replicas": 2, "scaling": {"mode": "DrainTime"}}, "spec.replicas: is for a pool that does not size itself"),
        ({"scaling": {"mode": "Auto"}}, "write one of DrainTime, External, Manual"),
        ({"scaling": {"targetDrainTime": "0s"}}, 'spec.scaling.targetDrainTime: "0s" is out of range'),
        ({"scaling": {"scaleUp": {"stabilisation": "1m"}}}, "did you mean stabilization?"),
        ({"scaling": {"fallback": {"replicas": 0}}}, "spec.scaling.fallback.replicas: 0 is out of range"),
        ({"scaling": {"cooldown": "1m"}}, "spec.scaling.cooldown: is not a known field"),
    ],
)
def test_what_is_unfit_is_told(spec: dict[str, Any], told: str) -> None:
    with pytest.raises(PolicyFaults) as refused:
        compile_policy([entry(**spec)])
    (fault,) = refused.value.faults
    assert told in str(fault)
