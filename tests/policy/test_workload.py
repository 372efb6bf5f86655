"""How a pool's deliverers run in a cluster is read, and told when a pod could not be so."""

from typing import Any

import pytest

from paquebot.policy.compile import compile_policy, faults_alone


def pool(**spec: Any) -> dict[str, Any]:
    metadata = {"name": "main", "namespace": "mail-system"}
    spec = {"heloHostname": "out.example"} | spec
    return {"apiVersion": "paquebot.dev/v1alpha1", "kind": "SendingPool", "metadata": metadata, "spec": spec}


TEMPLATE = {
    "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"cpu": 2, "example.com/nic": "1"}},
    "nodeSelector": {"kubernetes.io/arch": "arm64"},
    "tolerations": [{"operator": "Exists"}, {"key": "mail", "value": "only", "effect": "NoSchedule"}],
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}
    ],
    "podLabels": {"team": "mail"},
    "podAnnotations": {"note": "any text"},
}


def test_what_is_given_is_read_and_what_is_not_has_its_default() -> None:
    plain = compile_policy([pool()]).pools["mail-system_main"]
    assert plain.grace_s == 660
    given = pool(drain={"gracePeriod": "2m"}, template=TEMPLATE)
    told = compile_policy([given]).pools["mail-system_main"]
    assert told.grace_s == 120


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"drain": {"gracePeriod": "29s"}}, "give a duration from 30s to 1h"),
        ({"template": {"resources": {"requests": {"cpu": 0.5}}}}, 'write one such as 250m, "0.5" or 256Mi'),
        (
            {"template": {"tolerations": [{"operator": "Exists", "key": "a", "value": "b"}]}},
            "value: is not for operator",
        ),
        ({"template": {"tolerations": [{"value": "b"}]}}, "tolerations[0].key: is missing"),
        ({"template": {"tolerations": [{"key": "a", "tolerationSeconds": 1}]}}, "is only for effect NoExecute"),
        ({"template": {"topologySpreadConstraints": [{}, {}]}}, "topologySpreadConstraints[1].maxSkew: is missing"),
        ({"template": {"image": "mine"}}, "spec.template.image: is not a known field"),
    ],
)
def test_what_a_pod_could_not_be_is_told(spec: dict[str, Any], told: str) -> None:
    assert any(told in str(fault) for fault in faults_alone([pool(**spec)]))
