"""What the README promises: install the chart, apply examples/, and mail flows."""

import pytest

from cluster.platform import ROOT, Cluster

SHOP = ("shop", "web")
DOMAIN = ("maildomains", "shop", "main")
POOL = ("sendingpools", "mail-system", "default")
SENDER = "orders@shop.example"


@pytest.fixture(scope="module", autouse=True)
def examples(cluster: Cluster) -> None:
    cluster.apply(ROOT / "examples")


def test_a_tenants_secret_opens_a_session_and_its_message_is_kept(cluster: Cluster) -> None:
    cluster.wait_condition(("smtpcredentials", *SHOP))
    assert cluster.send(SHOP, SENDER, "someone@accept.test", "first")


def test_mail_arrives_signed_by_the_keys_that_the_operator_made(cluster: Cluster) -> None:
    for place in (POOL, DOMAIN, ("smtpcredentials", *SHOP)):
        cluster.wait_condition(place)
    signing = cluster.get(*DOMAIN)["status"]["dkim"]["signing"]
    cluster.send(SHOP, SENDER, "someone@accept.test", "signed")
    received = cluster.world.wait_for("signed")
    assert received.envelope.reverse_path == SENDER
    assert received.tls
    assert any(f" s={selector};".encode() in received.content for selector in signing)
