"""Who may edit one namespace neither sees what another has, nor sends as it, nor takes its domain or its pool."""

import smtplib
from collections.abc import Iterator
from typing import Any

import pytest

from cluster.mailer import Mailer, mailer
from cluster.platform import GROUP, PLATFORM, Cluster
from cluster.waiting import condition, until
from kube_plane import Refused

RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces"
FORBIDDEN = 403
PLURALS = ("maildomains", "smtpcredentials", "suppressionlists", "transportroutes", "sendingpools")


@pytest.fixture(scope="module")
def tenants(cluster: Cluster) -> Iterator[tuple[Mailer, Mailer]]:
    with mailer(cluster, "victim") as victim, mailer(cluster, "nosy") as nosy:
        yield victim, nosy


@pytest.fixture(scope="module")
def persona(tenants: tuple[Mailer, Mailer]) -> str:
    """Return the token of a ServiceAccount that may edit the one namespace."""
    _, nosy = tenants
    return editor(nosy)


def editor(nosy: Mailer) -> str:
    plane, core = nosy.cluster.plane, f"/api/v1/namespaces/{nosy.name}"
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "dev"}}
    plane.apply(f"{core}/serviceaccounts/dev", account)
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "dev"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
        "subjects": [{"kind": "ServiceAccount", "name": "dev", "namespace": nosy.name}],
    }
    plane.apply(f"{RBAC}/{nosy.name}/rolebindings/dev", binding)
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    return str(plane.call("POST", f"{core}/serviceaccounts/dev/token", asked)["status"]["token"])


def refusal(cluster: Cluster, persona: str, method: str, path: str, body: Any = None) -> int:
    """Return the code by which the API server refuses; 0 when it does not."""
    try:
        cluster.plane.call(method, path, body, persona=persona)
    except Refused as refused:
        return refused.code
    return 0


def test_it_sees_its_own_objects_and_no_others(cluster: Cluster, tenants: tuple[Mailer, Mailer], persona: str) -> None:
    victim, nosy = tenants
    own = [f"{GROUP}/namespaces/{nosy.name}/{plural}" for plural in PLURALS]
    until("its own are seen", lambda: all(refusal(cluster, persona, "GET", each) == 0 for each in own))
    assert refusal(cluster, persona, "GET", f"/api/v1/namespaces/{nosy.name}/secrets/app-smtp") == 0

    others = [f"{GROUP}/namespaces/{name}/{plural}" for name in (victim.name, PLATFORM) for plural in PLURALS]
    others += [f"{GROUP}/{plural}" for plural in PLURALS]
    others += [f"/api/v1/namespaces/{name}/secrets" for name in (victim.name, PLATFORM)]
    others += [f"/api/v1/namespaces/{victim.name}/secrets/app-smtp", "/api/v1/secrets"]
    assert {each: refusal(cluster, persona, "GET", each) for each in others} == dict.fromkeys(others, FORBIDDEN)
    theirs = f"{GROUP}/namespaces/{victim.name}/smtpcredentials/app"
    assert refusal(cluster, persona, "DELETE", theirs) == FORBIDDEN


def test_it_makes_no_pool_no_route_and_no_destination_policy(tenants: tuple[Mailer, Mailer], persona: str) -> None:
    _, nosy = tenants
    pool, wide = {"heloHostname": "out.nosy.example"}, {"match": {"domains": ["accept.test"]}}
    away = {"match": {"recipientDomains": ["*"]}, "action": {"reject": {"reply": "550 5.7.1 No"}}}
    for kind, spec in (("SendingPool", pool), ("TransportRoute", away), ("DestinationPolicy", wide)):
        with pytest.raises(Refused) as refused:
            nosy.declare(kind, "mine", spec, persona=persona)
        assert refused.value.code == FORBIDDEN


def test_its_credential_does_not_send_as_anothers_domain(tenants: tuple[Mailer, Mailer], persona: str) -> None:
    victim, nosy = tenants
    spec = {"domainRefs": [{"name": "main", "senders": [f"boss@{victim.domain}"]}]}
    nosy.declare("SMTPCredential", "forged", spec, persona=persona)
    until("it is refused", lambda: said(nosy, "smtpcredentials", "forged", "Accepted").get("status") == "False")

    with nosy.cluster.login(nosy.name, "app") as client:
        code, text = client.mail(f"boss@{victim.domain}")
        assert (code, b"is not allowed for nosy.app" in text) == (550, True)
    with pytest.raises(smtplib.SMTPDataError) as refused:
        forge(nosy, f"boss@{victim.domain}")
    assert refused.value.smtp_code == 550


def said(nosy: Mailer, plural: str, name: str, kind: str) -> dict[str, str]:
    return condition(nosy.cluster.get(plural, nosy.name, name), kind)


def forge(nosy: Mailer, author: str) -> None:
    """Send with an envelope of one's own and a From field of somebody else's."""
    own, recipient = f"app@{nosy.domain}", "someone@accept.test"
    content = f"From: {author}\r\nTo: {recipient}\r\nSubject: forged\r\n\r\nHello.\r\n"
    with nosy.cluster.login(nosy.name, "app") as client:
        client.sendmail(own, [recipient], content)


def test_it_does_not_take_anothers_domain(tenants: tuple[Mailer, Mailer], persona: str) -> None:
    victim, nosy = tenants
    spec = {"domain": victim.domain, "poolRef": {"name": nosy.name}}
    nosy.declare("MailDomain", "theirs", spec, persona=persona)
    accepted = until("it is judged", lambda: said(nosy, "maildomains", "theirs", "Accepted"))
    assert (accepted["status"], accepted["reason"]) == ("False", "DomainConflict")
    victim.wait_for_all(victim.send("someone@accept.test", 1))


def test_it_uses_no_pool_that_is_not_for_it(tenants: tuple[Mailer, Mailer], persona: str) -> None:
    victim, nosy = tenants
    spec = {"domain": "second.nosy.example", "poolRef": {"name": victim.name}}
    nosy.declare("MailDomain", "second", spec, persona=persona)
    resolved = until("it is judged", lambda: said(nosy, "maildomains", "second", "ResolvedRefs"))
    assert (resolved["status"], resolved["reason"]) == ("False", "PoolNotPermitted")
