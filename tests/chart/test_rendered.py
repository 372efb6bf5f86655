"""What the chart renders, looked at without a cluster."""

import dataclasses
import importlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from hack import chart

from paquebot.queue.users import DENIED, PERMISSIONS, UNLIMITED
from paquebot.runtime.settings import from_environment
from paquebot_operator.pools.pod import pod_template
from paquebot_operator.pools.settings import PoolSettings
from paquebot_operator.tls.identities import leaves, smtp_leaf

Render = Callable[..., list[dict[str, Any]]]

SETTINGS = {
    "submission": "paquebot.submission.__main__",
    "auth": "paquebot.auth.__main__",
    "spamfilter": "paquebot.spamfilter.__main__",
    "router": "paquebot.router.__main__",
    "operator": "paquebot_operator.settings",
}
# Said to all, read by those that need it.
EVERYWHERE = {"hostname", "sandbox", "resolver", "mx_port", "patience"}
VARIANTS = {
    "default": (),
    "three nodes": ("nats.nodes=3", "submission.service.type=LoadBalancer", "hostname=mail.example.org"),
    "external NATS": ("nats.external.url=tls://nats.example:4222",),
    "cert-manager": ("tls.mode=certManager", "tls.issuerRef.name=mail-ca"),
    "existing Secrets": ("tls.mode=existingSecret", "tls.smtp.existingSecret=bought"),
    "scaled": ("submission.autoscaling.enabled=true", "router.autoscaling.enabled=true"),
    "DNS of the platform": (
        "dns.delegatedZones={dkim.example.net,more.example.net}",
        "dns.spfInclude=_spf.example.net",
    ),
    "sandbox": ("sandbox.enabled=true", "sandbox.resolver=10.0.0.10:53", "sandbox.mxPort=2525"),
}


@pytest.fixture(params=VARIANTS, scope="module")
def objects(request: pytest.FixtureRequest, render: Render) -> list[dict[str, Any]]:
    return render(*VARIANTS[request.param])


def named(objects: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    return next(each for each in objects if each["kind"] == kind and each["metadata"]["name"] == name)


def pods(objects: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for each in objects:
        if each["kind"] in {"Deployment", "StatefulSet"}:
            yield each["metadata"]["name"], each["spec"]["template"]


def environment(container: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each.get("value", "from-the-pod") for each in container["env"]}


def test_every_service_is_given_the_settings_that_it_reads_and_no_others(objects: list[dict[str, Any]]) -> None:
    for name, module in SETTINGS.items():
        kind = importlib.import_module(module).Settings
        given = environment(
            named(objects, "Deployment", f"paquebot-{name}")["spec"]["template"]["spec"]["containers"][0]
        )
        from_environment(kind, given)
        known = {field.name for field in dataclasses.fields(kind)} | EVERYWHERE
        assert {key.removeprefix("PAQUEBOT_").lower() for key in given} <= known


def test_every_path_in_the_environment_is_mounted(objects: list[dict[str, Any]]) -> None:
    for name, template in pods(objects):
        for container in template["spec"]["containers"]:
            mounts = [each["mountPath"] for each in container.get("volumeMounts", ())]
            paths = (
                [value for value in environment(container).values() if value.startswith("/")]
                if "env" in container
                else []
            )
            assert all(any(path.startswith(mount) for mount in mounts) for path in paths), name
            assert {each["name"] for each in container["volumeMounts"]} <= {
                each["name"] for each in template["spec"]["volumes"]
            } | {"data"}


def test_every_service_selects_pods_and_names_ports_that_they_have(objects: list[dict[str, Any]]) -> None:
    templates = dict(pods(objects)).values()
    for service in (each for each in objects if each["kind"] == "Service"):
        wanted = service["spec"]["selector"].items()
        chosen = [each for each in templates if wanted <= each["metadata"]["labels"].items()]
        assert len(chosen) == 1, service["metadata"]["name"]
        ports = {port["name"] for each in chosen[0]["spec"]["containers"] for port in each.get("ports", ())}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports


def test_every_workload_has_a_disruption_budget_and_a_network_policy(objects: list[dict[str, Any]]) -> None:
    for name, template in pods(objects):
        labels = template["metadata"]["labels"].items()
        budget = named(objects, "PodDisruptionBudget", name)["spec"]["selector"]["matchLabels"]
        policy = named(objects, "NetworkPolicy", name)["spec"]["podSelector"]["matchLabels"]
        assert budget.items() <= labels
        assert policy.items() <= labels


def test_who_answers_grpc_lets_in_exactly_who_asks(render: Render) -> None:
    objects = render()
    callers = {"submission": "deliverer", "auth": "submission", "spamfilter": "submission", "router": "submission"}
    for name, caller in callers.items():
        rules = named(objects, "NetworkPolicy", f"paquebot-{name}")["spec"]["ingress"]
        sources = [rule["from"] for rule in rules if {"port": 4000} in rule["ports"]]
        assert [each["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for each in sources[0]] == [caller]
        assert len(sources) == 1


def test_replicas_are_not_said_where_something_else_scales(render: Render) -> None:
    objects = render(*VARIANTS["scaled"])
    scaled = [each["spec"]["scaleTargetRef"]["name"] for each in objects if each["kind"] == "HorizontalPodAutoscaler"]
    assert scaled == ["paquebot-router", "paquebot-submission"]
    for each in (each for each in objects if each["kind"] == "Deployment"):
        assert ("replicas" in each["spec"]) is (each["metadata"]["name"] not in scaled)


def test_only_the_operator_is_given_a_token_of_the_cluster(objects: list[dict[str, Any]]) -> None:
    with_token = [name for name, template in pods(objects) if template["spec"]["automountServiceAccountToken"]]
    assert with_token == ["paquebot-operator"]


def test_custom_resources_are_kept_when_the_release_goes_unless_told_otherwise(render: Render) -> None:
    paths = sorted((chart.FILES / "crds").glob("*.yaml"))
    for values, policy in ((), "keep"), (("crds.keep=false",), None):
        crds = [each for each in render(*values) if each["kind"] == "CustomResourceDefinition"]
        assert len(crds) == len(paths)
        for each in crds:
            annotations = each["metadata"].get("annotations", {})
            assert annotations.pop("helm.sh/resource-policy", None) == policy
    assert not [each for each in render("crds.enabled=false") if each["kind"] == "CustomResourceDefinition"]


def test_custom_resources_come_out_as_they_were_written(render: Render) -> None:
    rendered = {
        each["metadata"]["name"]: each["spec"] for each in render() if each["kind"] == "CustomResourceDefinition"
    }
    for path in sorted((chart.FILES / "crds").glob("*.yaml")):
        written = yaml.safe_load(path.read_text())
        assert rendered[written["metadata"]["name"]] == written["spec"]


def test_what_is_generated_from_the_code_is_current() -> None:
    assert {path.name for path, text in chart.pages().items() if path.read_text() != text} == set()


def test_values_for_the_official_nats_chart_give_its_users_the_same_rights() -> None:
    values = yaml.safe_load(chart.EXTERNAL.read_text())["config"]["merge"]["accounts"]
    users = {each["user"]: each.get("permissions") for each in values["MAIL"]["users"]}
    assert set(users) == {*PERMISSIONS, *UNLIMITED}
    for name, subjects in PERMISSIONS.items():
        assert users[name]["publish"]["allow"] == list(subjects)
        assert users[name]["publish"].get("deny", []) == list(DENIED.get(name, ()))


def test_cert_manager_is_asked_for_the_certificates_that_the_operator_would_make_itself(render: Render) -> None:
    objects = render(*VARIANTS["cert-manager"], "hostname=mail.example.org")
    asked = {
        each["spec"]["secretName"]: tuple(each["spec"]["dnsNames"]) for each in objects if each["kind"] == "Certificate"
    }
    wanted = (*leaves("mail-system"), smtp_leaf("mail-system", "mail.example.org"))
    assert asked == {leaf.secret: leaf.names for leaf in wanted}


def test_an_identity_stands_in_the_common_name_too_where_grpc_looks(render: Render) -> None:
    for each in render(*VARIANTS["cert-manager"]):
        if each["kind"] == "Certificate" and each["metadata"]["name"] != "paquebot-smtp-tls":
            assert each["spec"]["commonName"] == each["spec"]["dnsNames"][0]


def test_every_secret_that_a_pod_mounts_is_made_by_somebody(objects: list[dict[str, Any]]) -> None:
    made = {each["metadata"]["name"] for each in objects if each["kind"] == "Secret"}
    made |= {leaf.secret for leaf in (*leaves("mail-system"), smtp_leaf("mail-system", "host"))} | {"bought"}
    for name, template in pods(objects):
        mounted = {each["secret"]["secretName"] for each in template["spec"]["volumes"] if "secret" in each}
        assert mounted <= made, name


def test_deliverers_mount_the_suppression_key_that_the_chart_makes(render: Render) -> None:
    settings = PoolSettings("mail-system", "image", "tls://nats:4222", "submission:4000", "host")
    pool = {"metadata": {"namespace": "mail-system", "name": "default"}, "spec": {}}
    spec = pod_template(pool, settings)["spec"]
    secret = named(render(), "Secret", settings.suppression_secret)
    path = environment(spec["containers"][0])["PAQUEBOT_SUPPRESSION_KEY"]
    assert path.rpartition("/")[2] in secret["data"]


def test_a_mode_without_its_issuer_is_refused_with_the_cure(render: Render, refused: type[Exception]) -> None:
    with pytest.raises(refused, match=r"tls\.issuerRef\.name: name the issuer"):
        render("tls.mode=certManager")
