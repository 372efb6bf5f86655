"""A hundred manifests, accepted or refused by the API server and by `paquebot check` alike, with these very words."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from crd_support import manifest, policy_faults, server_faults
from kube_plane import Plane

TABLE = yaml.safe_load((Path(__file__).parent / "verdicts.yaml").read_text())


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case["it"])
def test_the_cluster_and_the_check_say_the_same(bare_plane: Plane, case: dict[str, Any]) -> None:
    given = manifest(case["kind"], case["spec"], case.get("name", "it"))
    by_server = server_faults(bare_plane, given)
    by_policy = [(each.path, f"{each.text}; {each.cure}") for each in policy_faults(given)]
    if "field" not in case:
        assert (by_server, by_policy) == ([], [])
        return
    assert (case["field"], case["cluster"]) in by_server
    assert (case["field"], case["check"]) in by_policy


# What only somebody who sees all objects, the object's namespace or a table of time zones can tell: the API server
# takes it, and the operator says so in the condition Accepted.
BEYOND_THE_SERVER = [
    ("SMTPCredential", {"anySender": True}, "spec.anySender"),
    ("SMTPCredential", {"domainRefs": [{"name": "main"}], "lane": "Urgent"}, "spec.lane"),
    ("TransportRoute", {"priority": 1001, "action": {"hold": {"reason": "x"}}}, "spec.priority"),
    ("TransportRoute", {"match": {"namespaces": ["b"]}, "action": {"hold": {"reason": "x"}}}, "spec.match.namespaces"),
    (
        "MailDomain",
        {"domain": "shop.example", "deliveryWindows": [{"from": "08:00", "to": "18:00", "timeZone": "Europe/Bonn"}]},
        "spec.deliveryWindows[0].timeZone",
    ),
]


@pytest.mark.parametrize(("kind", "spec", "field"), BEYOND_THE_SERVER, ids=lambda each: str(each)[:40])
def test_what_the_server_cannot_know_is_told_by_the_policy(
    bare_plane: Plane, namespace: str, kind: str, spec: dict[str, Any], field: str
) -> None:
    given = manifest(kind, spec, namespace=namespace)
    assert server_faults(bare_plane, given) == []
    assert [each.path for each in policy_faults(given)] == [field]
