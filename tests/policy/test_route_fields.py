"""TransportRoutes compile to what they say, and every fault has its path and cure."""

from typing import Any

import pytest

from paquebot.mail.reply import Reply
from paquebot.policy.compile import compile_policy
from paquebot.policy.faults import PolicyFaults
from paquebot.policy.route import Hold, Match, Reject, Smarthost, SmarthostTLS, ToPool

API = "paquebot.dev/v1alpha1"
REJECT = {"reject": {"reply": "550 5.7.1 Not allowed"}}


def entry(kind: str, name: str, namespace: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def pool(name: str = "default", **spec: Any) -> dict[str, Any]:
    return entry("SendingPool", name, "mail-system", heloHostname="out.mail.example", **spec)


def route(namespace: str = "mail-system", **spec: Any) -> dict[str, Any]:
    return entry("TransportRoute", "one", namespace, **{"action": REJECT} | spec)


def only(*objects: Any) -> Any:
    (read,) = compile_policy([pool(), *objects]).routes.ordered
    return read


def faults_of(*objects: Any) -> list[str]:
    with pytest.raises(PolicyFaults) as refused:
        compile_policy([pool(), *objects])
    return [str(fault).partition(": ")[2] for fault in refused.value.faults]


def test_a_route_of_the_platform_is_for_whom_it_names() -> None:
    match = {"recipientDomains": ["p.example", "*.p.example"], "namespaces": ["shop"], "tags": {"class": "x"}}
    read = only(route(priority=2000, match=match))
    assert read.match == Match(("p.example", "*.p.example"), (), (), ("shop",), (("class", "x"),))
    assert (read.priority, read.trusted, read.action) == (2000, True, Reject(Reply(550, "5.7.1", "Not allowed")))


def test_a_route_of_a_tenant_is_for_its_own_mail_alone() -> None:
    read = only(route("shop"))
    assert (read.match.namespaces, read.trusted) == (("shop",), False)
    assert faults_of(route("shop", match={"namespaces": ["news"]}, priority=1001)) == [
        "spec.match.namespaces: names others than shop; leave it out: a route is for its own mail",
        "spec.priority: is above 1000, which is for namespace mail-system; lower it",
    ]


def test_a_pool_must_exist_and_allow_the_routes_namespace() -> None:
    action = {"pool": {"name": "bulk"}}
    assert only(pool("bulk"), route(action=action)).action == ToPool("mail-system_bulk")
    assert "there is no SendingPool mail-system/bulk" in faults_of(route(action=action))[0]
    (fault,) = faults_of(pool("bulk"), route("shop", action=action))
    assert fault.startswith("spec.action.pool: SendingPool mail-system/bulk does not allow namespace shop")


def test_a_hold_has_a_reason_and_an_end() -> None:
    assert only(route(action={"hold": {"reason": "incident 42", "for": "2h"}})).action == Hold("incident 42", 7200)
    assert only(route(action={"hold": {"reason": "x"}})).action == Hold("x", 3 * 86_400)
    assert faults_of(route(action={"hold": {"for": "15d"}})) == [
        "spec.action.hold.reason: is missing; give it",
        "spec.action.hold.for: is longer than mail is kept; give at most 14d",
    ]


def smarthost(**fields: Any) -> dict[str, Any]:
    return route(action={"smarthost": {"host": "relay.example"} | fields})


def test_a_smarthost_is_verified_unless_it_says_otherwise() -> None:
    assert only(smarthost()).action == Smarthost("relay.example", 587, SmarthostTLS.REQUIRE)
    read = only(smarthost(host="10.0.0.5", port=25, tls="Opportunistic")).action
    assert read == Smarthost("10.0.0.5", 25, SmarthostTLS.OPPORTUNISTIC)
    assert only(smarthost(credentialsSecretRef={"name": "partner"})).action.secret == "mail-system.partner"


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"host": "relay"}, 'spec.action.smarthost.host: "relay" has only one label'),
        ({"port": 0}, "spec.action.smarthost.port: 0 is out of range"),
        ({"tls": "Always"}, 'spec.action.smarthost.tls: "Always" is not known; write one of Opportunistic'),
        ({"tls": "Opportunistic", "credentialsSecretRef": {"name": "a"}}, "spec.action.smarthost.tls: would send the"),
        ({"tls": "Opportunistic", "port": 465}, "spec.action.smarthost.tls: cannot be Opportunistic on port 465"),
        ({"credentialsSecretRef": {}}, "spec.action.smarthost.credentialsSecretRef.name: is missing"),
        ({"credentialsSecretRef": {"name": "../x"}}, "spec.action.smarthost.credentialsSecretRef.name: "),
    ],
)
def test_faults_of_smarthosts_name_the_field(fields: dict[str, Any], fault: str) -> None:
    assert faults_of(smarthost(**fields))[0].startswith(fault)


@pytest.mark.parametrize(
    ("action", "fault"),
    [
        ({}, "spec.action: names nothing to do; give exactly one of smarthost, pool, hold, reject"),
        (REJECT | {"hold": {"reason": "x"}}, "spec.action: names hold and reject; give exactly one of"),
        ({"rejct": {}} | REJECT, "spec.action.rejct: is not a known field; did you mean reject?"),
        ({"reject": {"reply": "450 4.7.1 Later"}}, "spec.action.reject.reply: "),
        ({"reject": {"reply": "550 4.7.1 Later"}}, "spec.action.reject.reply: "),
        ({"reject": {"reply": "550"}}, "spec.action.reject.reply: "),
        ({"reject": {"reply": "550 5.7.1 Nö"}}, "spec.action.reject.reply: "),
        ({"reject": {"reply": "550 5.7.1 a\r\nb"}}, "spec.action.reject.reply: "),
        ({"reject": {}}, "spec.action.reject.reply: is missing"),
        ({"pool": {}}, "spec.action.pool.name: is missing"),
    ],
)
def test_faults_of_actions_name_the_field_and_the_cure(action: dict[str, Any], fault: str) -> None:
    assert faults_of(route(action=action))[0].startswith(fault)


@pytest.mark.parametrize(
    ("match", "path"),
    [
        ({"recipientDomains": []}, "spec.match.recipientDomains: is empty"),
        ({"recipientDomains": ["*"]}, "spec.match.recipientDomains[0]"),
        ({"recipientDomains": ["*.Example"]}, "spec.match.recipientDomains[0]"),
        ({"mxSuffixes": ["*.example"]}, "spec.match.mxSuffixes[0]"),
        ({"tags": {"n": 1}}, "spec.match.tags.n: 1 is not text"),
        ({"tags": {}}, "spec.match.tags"),
        ({"domains": ["a.example"]}, "spec.match.domains: is not a known field"),
    ],
)
def test_faults_of_matches_name_the_field(match: dict[str, Any], path: str) -> None:
    (fault,) = faults_of(route(match=match))
    assert fault.startswith(path)
