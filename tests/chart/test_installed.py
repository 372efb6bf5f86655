"""The chart on a real API server: installed, upgraded, and what its rules let the operator do. Nothing runs there."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kube_fixtures import PERSONAS, PLATFORM, assets_or_skip, make_namespace
from kube_plane import Plane, Refused

CHART = Path(__file__).parents[2] / "charts" / "paquebot"
# Kinds of others, as far as a test needs them: any object of such a kind is taken.
FOREIGN = {
    "cert-manager.io/v1": {"certificates": "Certificate"},
    "monitoring.coreos.com/v1": {"podmonitors": "PodMonitor", "prometheusrules": "PrometheusRule"},
}
GUARDED_MAX_S = 60.0
MINE = {"app.kubernetes.io/managed-by": "paquebot-operator"}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory, run_helm: Callable[..., str]) -> Iterator[Plane]:
    """Start an API server on which helm installs the chart with its defaults."""
    plane = Plane(assets_or_skip(), tmp_path_factory.mktemp("kube"), dict(PERSONAS))
    try:
        plane.start()
        _teach(plane)
        _with_account(plane, make_namespace(plane, PLATFORM, {"pod-security.kubernetes.io/enforce": "restricted"}))
        run_helm("install", "paquebot", str(CHART), *_where(plane))
        _wait_guarded(plane)
        yield plane
    finally:
        plane.stop()


def _teach(plane: Plane) -> None:
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    for group_version, kinds in FOREIGN.items():
        group, version = group_version.split("/")
        for plural, kind in kinds.items():
            served = {"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": anything}}
            names = {"plural": plural, "singular": kind.lower(), "kind": kind}
            spec = {"group": group, "scope": "Namespaced", "names": names, "versions": [served]}
            crd = {
                "apiVersion": "apiextensions.k8s.io/v1",
                "kind": "CustomResourceDefinition",
                "metadata": {"name": f"{plural}.{group}"},
                "spec": spec,
            }
            plane.apply(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.{group}", crd)
    plane.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")


def _wait_guarded(plane: Plane) -> None:
    """Return when the API server has taken up the admission policies: it does so a moment after it stored them."""
    deadline = time.monotonic() + GUARDED_MAX_S
    while True:
        try:
            plane.apply(*_secret("probe", PLATFORM, {}), persona="operator", dry_run=True)
        except Refused:
            return
        assert time.monotonic() < deadline, "the admission policies are not in force"
        time.sleep(0.1)


def _with_account(plane: Plane, namespace: str) -> str:
    """Give a namespace the ServiceAccount that a controller would give it; return its name."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
    plane.apply(f"/api/v1/namespaces/{namespace}/serviceaccounts/default", account)
    return namespace


def _where(plane: Plane) -> tuple[str, ...]:
    return "--namespace", PLATFORM, f"--kubeconfig={plane.kubeconfig('admin')}"


def _secret(name: str, namespace: str, labels: dict[str, str]) -> tuple[str, dict[str, Any]]:
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    path = f"/api/v1/namespaces/{namespace}/secrets/{name}"
    return path, {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"password": "x"}}


@pytest.mark.parametrize(
    "values",
    [
        ("nats.nodes=3", "submission.service.type=LoadBalancer", "submission.autoscaling.enabled=true"),
        ("nats.external.url=tls://nats.example:4222", "tls.mode=certManager", "tls.issuerRef.name=ca"),
    ],
)
def test_the_api_server_takes_every_object_without_a_warning(
    values: tuple[str, ...], plane: Plane, render: Callable[..., list[dict[str, Any]]], tmp_path: Path
) -> None:
    if "nats.nodes=3" in values:  # which this release would be refused
        more: tuple[str, ...] = ("--namespace", _with_account(plane, make_namespace(plane, "another")))
    else:
        more = ("--dry-run=server", f"--kubeconfig={plane.kubeconfig('admin')}")  # keys that are there stay
    objects = render(*values, more=more)
    for number, each in enumerate(objects):
        (tmp_path / f"{number:03}.json").write_text(json.dumps(each))
    told = plane.kubectl(
        "apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", str(tmp_path)
    )
    assert told.count("serverside-applied") == len(objects)


def test_every_pod_is_admitted_where_pod_security_is_restricted(
    plane: Plane, render: Callable[..., list[dict[str, Any]]]
) -> None:
    objects = render()
    pods = [each for each in objects if each["kind"] == "Pod"]
    for each in (each for each in objects if each["kind"] in {"Deployment", "StatefulSet"}):
        template = each["spec"]["template"]
        metadata = {"name": each["metadata"]["name"], "labels": template["metadata"]["labels"]}
        volumes = [*template["spec"]["volumes"], {"name": "data", "emptyDir": {}}]
        spec = template["spec"] | {"volumes": volumes}
        pods.append({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    assert len(pods) == 7
    for pod in pods:
        plane.call("POST", f"/api/v1/namespaces/{PLATFORM}/pods?dryRun=All&fieldValidation=Strict", pod)


def test_an_upgrade_keeps_the_keys_that_were_made_and_what_others_scale(
    plane: Plane, run_helm: Callable[..., str]
) -> None:
    names = ("paquebot-nats-encryption", "paquebot-suppression")
    before = [plane.call("GET", _secret(name, PLATFORM, {})[0])["data"] for name in names]
    run_helm("upgrade", "paquebot", str(CHART), *_where(plane), "--set", "router.autoscaling.enabled=true")
    scale = f"/apis/apps/v1/namespaces/{PLATFORM}/deployments/paquebot-router/scale"
    plane.call("PATCH", scale, {"spec": {"replicas": 7}}, content_type="application/merge-patch+json")
    run_helm("upgrade", "paquebot", str(CHART), *_where(plane), "--reuse-values", "--set", "logLevel=debug")
    assert plane.call("GET", scale)["spec"]["replicas"] == 7
    assert [plane.call("GET", _secret(name, PLATFORM, {})[0])["data"] for name in names] == before


def test_an_upgrade_upgrades_the_custom_resources_too(
    plane: Plane, run_helm: Callable[..., str], tmp_path: Path
) -> None:
    later = shutil.copytree(CHART, tmp_path / "paquebot")
    path = later / "files" / "crds" / "maildomains.yaml"
    text = path.read_text()
    assert "shortNames: [md]" in text
    path.write_text(text.replace("shortNames: [md]", "shortNames: [md, later]"))
    run_helm("upgrade", "paquebot", str(later), *_where(plane), "--reuse-values")
    crd = plane.call("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/maildomains.paquebot.dev")
    assert crd["spec"]["names"]["shortNames"] == ["md", "later"]


def test_the_number_of_nats_servers_cannot_be_changed_by_helm_nor_by_others(
    plane: Plane, run_helm: Callable[..., str], render: Callable[..., list[dict[str, Any]]], refused: type[Exception]
) -> None:
    with pytest.raises(refused, match=r"nats\.nodes: the queue was begun with 1 and 3 would not find its mail"):
        run_helm("upgrade", "paquebot", str(CHART), *_where(plane), "--set", "nats.nodes=3")
    [three] = [each for each in render("nats.nodes=3") if each["kind"] == "StatefulSet"]
    with pytest.raises(Refused, match=r"spec\.volumeClaimTemplates.*field is immutable"):
        plane.apply(f"/apis/apps/v1/namespaces/{PLATFORM}/statefulsets/paquebot-nats", three)


def test_a_key_that_was_made_once_cannot_be_replaced(plane: Plane) -> None:
    path, secret = _secret("paquebot-nats-encryption", PLATFORM, {})
    with pytest.raises(Refused, match="field is immutable when `immutable` is set"):
        plane.apply(path, secret | {"stringData": {"key": "another"}, "immutable": True})


def test_the_operator_makes_and_removes_its_own_secrets_in_a_tenants_namespace(plane: Plane) -> None:
    tenant = make_namespace(plane, "tenant-own")
    path, secret = _secret("login", tenant, MINE)
    plane.apply(path, secret, persona="operator")
    plane.apply(path, secret | {"stringData": {"password": "y"}}, persona="operator")
    plane.call("DELETE", path, persona="operator")


def test_the_operator_reads_no_secret_of_a_tenant_not_even_its_own(plane: Plane) -> None:
    tenant = make_namespace(plane, "tenant-read")
    path, secret = _secret("login", tenant, MINE)
    plane.apply(path, secret, persona="operator")
    for method, where in ("GET", path), ("GET", path.rpartition("/")[0]), ("GET", "/api/v1/secrets"):
        with pytest.raises(Refused, match="forbidden") as refusal:
            plane.call(method, where, persona="operator")
        assert refusal.value.code == 403


def test_the_operator_touches_no_foreign_secret_even_by_force(plane: Plane) -> None:
    tenant = make_namespace(plane, "tenant-foreign")
    path, secret = _secret("bank", tenant, {"app": "bank"})
    plane.apply(path, secret)
    _, labelled = _secret("bank", tenant, MINE)
    rule = "may touch only Secrets that are labelled"
    with pytest.raises(Refused, match=rule):
        plane.apply(path, labelled, persona="operator")
    with pytest.raises(Refused, match=rule):
        plane.call("DELETE", path, persona="operator")
    with pytest.raises(Refused, match=rule):
        plane.apply(*_secret("unlabelled", tenant, {}), persona="operator")
    assert plane.call("GET", path)["metadata"]["labels"] == {"app": "bank"}


def test_the_operator_changes_of_our_kinds_the_status_and_the_finalizer_and_nothing_else(plane: Plane) -> None:
    tenant = make_namespace(plane, "tenant-spec")
    path = f"/apis/paquebot.dev/v1alpha1/namespaces/{tenant}/maildomains/shop"
    domain: dict[str, Any] = {"apiVersion": "paquebot.dev/v1alpha1", "kind": "MailDomain", "metadata": {"name": "shop"}}
    plane.apply(path, domain | {"spec": {"domain": "shop.example"}})
    merge = {"persona": "operator", "content_type": "application/merge-patch+json"}
    plane.call("PATCH", path, {"metadata": {"finalizers": ["paquebot.dev/cleanup"]}}, **merge)
    plane.apply(f"{path}/status", domain | {"status": {"observedGeneration": 1}}, persona="operator")
    with pytest.raises(Refused, match="the operator may change no specification"):
        plane.call("PATCH", path, {"spec": {"expiry": "1d"}}, **merge)
    with pytest.raises(Refused, match="forbidden"):
        plane.call("DELETE", path, persona="operator")


def test_the_operator_has_its_workloads_at_home_and_nowhere_else(plane: Plane) -> None:
    tenant = make_namespace(plane, "tenant-work")
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "deliverer"}}
    plane.apply(f"/api/v1/namespaces/{PLATFORM}/serviceaccounts/deliverer", account, persona="operator")
    with pytest.raises(Refused, match="forbidden"):
        plane.apply(f"/api/v1/namespaces/{tenant}/serviceaccounts/deliverer", account, persona="operator")
    with pytest.raises(Refused, match="forbidden"):
        plane.call("GET", "/api/v1/nodes", persona="operator")


def test_uninstalling_keeps_custom_resources_and_the_keys(plane: Plane, run_helm: Callable[..., str]) -> None:
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    before = [each["metadata"]["name"] for each in plane.call("GET", crds)["items"]]
    run_helm("uninstall", "paquebot", *_where(plane))
    assert [each["metadata"]["name"] for each in plane.call("GET", crds)["items"]] == before
    plane.call("GET", _secret("paquebot-nats-encryption", PLATFORM, {})[0])
    with pytest.raises(Refused, match="not found"):
        plane.call("GET", f"/apis/apps/v1/namespaces/{PLATFORM}/deployments/paquebot-router")
