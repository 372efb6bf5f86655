"""What the README promises: install the chart, apply examples/, and mail flows."""

from cluster.platform import ROOT, Cluster

SHOP = ("shop", "web")
SENDER = "orders@shop.example"


def test_a_tenants_secret_opens_a_session_and_its_message_is_kept(cluster: Cluster) -> None:
    cluster.apply(ROOT / "examples")
    cluster.wait_condition(("smtpcredentials", *SHOP))
    assert cluster.send(SHOP, SENDER, "someone@accept.test", "first")
