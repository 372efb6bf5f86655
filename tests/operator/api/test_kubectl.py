"""What kubectl makes of the custom resources: applying the examples, columns, explanations, selectors, the scale."""

from pathlib import Path

import pytest

from crd_support import API, CRDS, LEAST, manifest
from kube_plane import Plane, Refused

EXAMPLES = Path(__file__).parents[3] / "examples"
POOLS = f"/apis/{API}/namespaces/mail-system/sendingpools"


@pytest.fixture(scope="module")
def kube(bare_plane: Plane) -> Plane:
    """Return the API server with the examples' namespaces."""
    for name in ("shop", "news"):
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        bare_plane.apply(f"/api/v1/namespaces/{name}", manifest)
    return bare_plane


def test_all_examples_apply(kube: Plane) -> None:
    applied = kube.kubectl("apply", "--dry-run=server", "-f", str(EXAMPLES))
    assert applied.count("created (server dry run)") == 12


def test_every_kind_is_listed_by_its_short_name_and_by_mail(kube: Plane, namespace: str) -> None:
    for kind, crd in CRDS.items():
        names = crd["spec"]["names"]
        made = manifest(kind, LEAST[kind], f"one-{names['singular']}", namespace)
        place = f"/namespaces/{namespace}" if kind != "DestinationPolicy" else ""
        kube.apply(f"/apis/{API}{place}/{names['plural']}/{made['metadata']['name']}", made)
        (short,) = names["shortNames"]
        assert made["metadata"]["name"] in kube.kubectl("get", short, "-n", namespace)
    together = kube.kubectl("get", "mail", "-n", namespace)
    assert all(f"one-{crd['spec']['names']['singular']}" in together for crd in CRDS.values())


def test_a_column_tells_what_is_wrong(kube: Plane, namespace: str) -> None:
    path = f"/apis/{API}/namespaces/{namespace}/maildomains/main"
    kube.apply(path, manifest("MailDomain", {"domain": "columns.example"}, "main", namespace))
    said = {"type": "Ready", "status": "False", "reason": "RecordMissing", "message": "add TXT s1._domainkey"}
    conditions = [said | {"lastTransitionTime": "2026-11-26T10:00:00Z", "observedGeneration": 1}]
    status = {"observedGeneration": 1, "conditions": conditions}
    kube.apply(f"{path}/status", manifest("MailDomain", {}, "main", namespace) | {"status": status, "spec": None})
    heads, row = kube.kubectl("get", "md", "main", "-n", namespace).splitlines()
    assert heads.split() == ["NAME", "DOMAIN", "READY", "REASON", "DNS", "POOL", "AGE"]
    assert row.split()[:4] == ["main", "columns.example", "False", "RecordMissing"]
    assert "add TXT s1._domainkey" in kube.kubectl("get", "md", "main", "-n", namespace, "-o", "wide")


def test_an_object_is_born_as_not_seen_yet(kube: Plane, namespace: str) -> None:
    for kind, crd in CRDS.items():
        names = crd["spec"]["names"]
        made = manifest(kind, LEAST[kind], "born", namespace)
        place = f"/namespaces/{namespace}" if kind != "DestinationPolicy" else ""
        born = kube.call("POST", f"/apis/{API}{place}/{names['plural']}?dryRun=All", made)
        assert born["status"] == {"observedGeneration": -1}


def test_a_domain_is_found_by_its_name(kube: Plane, namespace: str) -> None:
    for name in ("one", "two"):
        path = f"/apis/{API}/namespaces/{namespace}/maildomains/{name}"
        kube.apply(path, manifest("MailDomain", {"domain": f"{name}.example"}, name, namespace))
    found = kube.kubectl("get", "md", "-A", "--field-selector", "spec.domain=two.example", "-o", "name")
    assert found.split() == ["maildomain.paquebot.dev/two"]


def test_fields_are_explained_as_documentation_is(kube: Plane) -> None:
    told = kube.kubectl("explain", "spool.spec.scaling.targetDrainTime")
    assert "In what time mail that can be sent now should be gone. Default 5m." in " ".join(told.split())
    assert "Default 25Mi." in " ".join(kube.kubectl("explain", "maildomain.spec.limits.maxMessageSize").split())


def test_only_a_pool_that_does_not_size_itself_is_scaled(kube: Plane) -> None:
    kube.apply(f"{POOLS}/by-itself", manifest("SendingPool", LEAST["SendingPool"], "by-itself"))
    with pytest.raises(RuntimeError, match="is for a pool that does not size itself"):
        kube.kubectl("scale", "spool", "by-itself", "-n", "mail-system", "--replicas=3")
    by_hand = LEAST["SendingPool"] | {"scaling": {"mode": "Manual"}, "replicas": 1}
    kube.apply(f"{POOLS}/by-hand", manifest("SendingPool", by_hand, "by-hand"))
    kube.kubectl("scale", "spool", "by-hand", "-n", "mail-system", "--replicas=3")
    assert kube.call("GET", f"{POOLS}/by-hand/scale")["spec"] == {"replicas": 3}


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("MailDomain", ({"domain": "a.example"}, {"domain": "b.example"})),
        ("SMTPCredential", ({"secretName": "a"}, {"secretName": "b"})),
        ("SMTPCredential", ({}, {"secretName": "b"})),
        ("SMTPCredential", ({"secretName": "a"}, {})),
    ],
)
def test_what_others_depend_on_does_not_change(
    kube: Plane, namespace: str, kind: str, changes: tuple[dict[str, str], dict[str, str]]
) -> None:
    path = f"/apis/{API}/namespaces/{namespace}/{CRDS[kind]['spec']['names']['plural']}/it"
    before, after = (manifest(kind, LEAST[kind] | each, namespace=namespace) for each in changes)
    kube.apply(path, before)
    with pytest.raises(Refused, match=f"Invalid value: .*is immutable; declare another {kind}"):
        kube.apply(path, after)
