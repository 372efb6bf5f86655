"""A pool's workload, as committed manifests, and as a real API server takes it."""

import itertools
from pathlib import Path
from typing import Any

import pytest
import yaml

from kube_fixtures import PLATFORM, make_namespace
from kube_plane import Plane
from paquebot_operator.names import (
    DEPLOYMENT,
    DISRUPTION_BUDGET,
    NETWORK_POLICY,
    POD_MONITOR,
    SERVICE_ACCOUNT,
)
from paquebot_operator.pools.children import children
from paquebot_operator.pools.settings import PoolSettings

GOLDEN = Path(__file__).parent / "children"
SETTINGS = PoolSettings(
    namespace=PLATFORM,
    image="ghcr.io/paquebot/paquebot:0.1.0",
    nats_url="tls://paquebot-nats:4222",
    submission_target="paquebot-submission:4000",
    hostname="smtp.example.net",
)
EVERYTHING = PoolSettings(
    namespace=PLATFORM,
    image="ghcr.io/paquebot/paquebot:0.1.0",
    nats_url="tls://nats.example.net:4333",
    submission_target="paquebot-submission:4000",
    hostname="smtp.example.net",
    pull_policy="Always",
    pull_secrets=("registry",),
    world={"SANDBOX": "1", "RESOLVER": "10.0.0.10:53", "MX_PORT": "2525"},
    smtp_ports=(25, 465, 587, 2525),
    pod_monitors=True,
)
KINDS = (SERVICE_ACCOUNT, DEPLOYMENT, DISRUPTION_BUDGET, NETWORK_POLICY, POD_MONITOR)
_numbers = itertools.count(1)


def pool(name: str = "default", namespace: str = PLATFORM, **spec: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "uid": "4e0c2f5c-5d8b-4a0a-9d52-0a35a5a0b9c1"}
    return {"metadata": metadata, "spec": {"heloHostname": "out.example.net", **spec}}


FULL = pool(
    "bulk",
    "shop",
    drain={"gracePeriod": "15m"},
    template={
        "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "2Gi", "cpu": "2"}},
        "nodeSelector": {"egress": "bulk"},
        "tolerations": [{"key": "egress", "operator": "Exists", "effect": "NoSchedule"}],
        "topologySpreadConstraints": [
            {"maxSkew": 2, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule"}
        ],
        "podLabels": {"team": "mail", "app.kubernetes.io/component": "something else"},
        "podAnnotations": {"cni.example.net/egress": "bulk"},
    },
)


def by_kind(manifests: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return next(each for each in manifests if each["kind"] == kind)


def template(manifests: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = by_kind(manifests, "Deployment")["spec"]["template"]
    return found


@pytest.mark.parametrize(("name", "entry", "settings"), [("plain", pool(), SETTINGS), ("everything", FULL, EVERYTHING)])
def test_the_manifests_are_those_that_are_committed(name: str, entry: dict[str, Any], settings: PoolSettings) -> None:
    golden = GOLDEN / f"{name}.yaml"
    made = children(entry, settings)
    assert made == list(yaml.safe_load_all(golden.read_text())), f"write what is meant into {golden}"


def test_no_manifest_says_how_many_pods_there_are() -> None:
    assert "replicas" not in by_kind(children(pool(replicas=4), SETTINGS), "Deployment")["spec"]


def test_nothing_is_owned_so_that_a_pools_deliverers_outlive_the_order_to_delete_it() -> None:
    assert all("ownerReferences" not in each["metadata"] for each in children(pool(), SETTINGS))


def test_a_process_has_let_go_of_its_mail_before_the_kubelet_kills_it() -> None:
    spec = template(children(pool(drain={"gracePeriod": "2m"}), SETTINGS))["spec"]
    drain = next(each["value"] for each in spec["containers"][0]["env"] if each["name"] == "PAQUEBOT_DRAIN_S")
    assert spec["terminationGracePeriodSeconds"] == 120
    assert int(drain) == 100


def test_a_template_changes_what_it_names_and_nothing_else() -> None:
    spec = template(children(FULL, SETTINGS))["spec"]
    assert spec["containers"][0]["resources"] == {
        "requests": {"cpu": "1", "memory": "256Mi"},
        "limits": {"memory": "2Gi", "cpu": "2"},
    }
    assert spec["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"]["paquebot.dev/pool"] == "shop_bulk"


def test_a_pool_that_is_made_again_under_its_old_name_rolls_no_pod() -> None:
    again = pool()
    again["metadata"]["uid"] = "another"
    assert template(children(again, SETTINGS)) == template(children(pool(), SETTINGS))


def test_a_template_cannot_take_pods_out_of_their_pool() -> None:
    assert template(children(FULL, SETTINGS))["metadata"]["labels"]["app.kubernetes.io/component"] == "deliverer"


@pytest.mark.parametrize(("entry", "settings"), [(pool(), SETTINGS), (FULL, EVERYTHING)], ids=["plain", "everything"])
def test_a_restricted_namespace_takes_the_pod_and_the_api_server_all_of_it(
    bare_plane: Plane, entry: dict[str, Any], settings: PoolSettings
) -> None:
    where = make_namespace(
        bare_plane, f"restricted-{next(_numbers)}", {"pod-security.kubernetes.io/enforce": "restricted"}
    )
    manifests = children(entry, settings)
    for each in manifests:
        kind = next(kind for kind in KINDS if kind.name == each["kind"])
        if kind is POD_MONITOR:
            continue  # no such resource here
        name = each["metadata"]["name"]
        moved = {**each, "metadata": {**each["metadata"], "namespace": where}}
        bare_plane.apply(kind.path(where, name), moved)
    account = by_kind(manifests, "ServiceAccount")["metadata"]["name"]
    pod = template(manifests)
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {**pod["metadata"], "name": account}, "spec": pod["spec"]}
    made = bare_plane.apply(f"/api/v1/namespaces/{where}/pods/{account}", body, dry_run=True)
    assert made["spec"]["serviceAccountName"] == account
