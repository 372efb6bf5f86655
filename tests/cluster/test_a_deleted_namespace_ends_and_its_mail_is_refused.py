"""A namespace with all that a tenant has in it is deleted: it ends in time, and its credentials are refused at once."""

import smtplib

import pytest

from cluster.mailer import Mailer, found
from cluster.platform import GROUP, Cluster
from cluster.waiting import until

END_MAX_S = 60.0
REFUSED_MAX_S = 20.0


def is_refused(host: str, port: int, password: str) -> bool:
    """Say whether a login is refused for good."""
    with smtplib.SMTP(host, port, timeout=60) as client:
        client.starttls()
        try:
            client.login("leaving.app", password)
        except smtplib.SMTPAuthenticationError as refusal:
            return refusal.smtp_code == 535
        return False


def test_it_ends_and_nobody_sends_as_it_any_more(cluster: Cluster) -> None:
    leaving = Mailer(cluster, "leaving")
    leaving.declare_all()
    leaving.declare("SendingPool", "own", {"heloHostname": "own.leaving.example"}, leaving.name)
    leaving.declare(
        "MailDomain",
        "second",
        {"domain": "second.leaving.example", "poolRef": {"name": "own", "namespace": leaving.name}},
    )
    leaving.declare("SuppressionList", "bounces", {"appliesTo": {"domainRefs": [{"name": "second"}]}})
    cluster.wait_condition(("maildomains", leaving.name, "second"), "Programmed")
    cluster.wait_condition(("sendingpools", leaving.name, "own"))
    leaving.wait_for_all(leaving.send("someone@accept.test", 1))
    secret = cluster.secret(leaving.name, "app-smtp")
    host, port, password = secret["host"], int(secret["port"]), secret["password"]
    assert not is_refused(host, port, password)

    session = cluster.login(leaving.name, "app")
    cluster.plane.call("DELETE", f"/api/v1/namespaces/{leaving.name}")
    until("its credential is refused", lambda: is_refused(host, port, password), timeout_s=REFUSED_MAX_S)
    with session, pytest.raises(smtplib.SMTPException):
        session.sendmail("app@leaving.example", ["someone@accept.test"], "Subject: late\r\n\r\nHello.\r\n")
    until("it is gone", lambda: found(cluster, f"/api/v1/namespaces/{leaving.name}") is None, timeout_s=END_MAX_S)
    assert found(cluster, f"{GROUP}/namespaces/{leaving.name}/sendingpools/own") is None
    leaving.remove()
