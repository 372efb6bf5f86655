"""A pod sends with the token that the kubelet gives it: nobody made, copied or mounted a password."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.platform import Cluster

EXAMPLES = Path(__file__).parents[2] / "examples"
SHOP = "/api/v1/namespaces/shop"
WAIT_MAX_S = 120.0
SENDING = """
import pathlib, smtplib, ssl, sys
mail = pathlib.Path("/var/run/mail")
trust = ssl.create_default_context(cafile=mail / "ca.crt")
with smtplib.SMTP_SSL((mail / "host").read_text(), 465, context=trust, timeout=30) as client:
    try:
        client.login("shop.web", (mail / "token").read_text())
    except smtplib.SMTPAuthenticationError as refusal:
        sys.exit(f"{refusal.smtp_code} {refusal.smtp_error.decode()}")
    client.set_debuglevel(1)
    client.sendmail("orders@shop.example", ["someone@accept.test"], sys.argv[1])
"""


def pod(name: str, account: str, audience: str = "paquebot") -> dict[str, Any]:
    message = f"From: orders@shop.example\r\nTo: someone@accept.test\r\nSubject: {name}\r\n\r\nHello.\r\n"
    sources = [
        {"serviceAccountToken": {"audience": audience, "path": "token"}},
        {"secret": {"name": "web-smtp", "items": [{"key": key, "path": key} for key in ("host", "ca.crt")]}},
    ]
    container = {
        "name": "main",
        "image": "example/python:1",
        "args": ["-c", SENDING, message],
        "volumeMounts": [{"name": "mail", "mountPath": "/var/run/mail"}],
    }
    spec = {
        "serviceAccountName": account,
        "restartPolicy": "Never",
        "containers": [container],
        "volumes": [{"name": "mail", "projected": {"sources": sources}}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop"}, "spec": spec}


@pytest.fixture(scope="module")
def shop(cluster: Cluster) -> Iterator[Cluster]:
    """Let one ServiceAccount of the tenant use the credential, and another not."""
    cluster.apply(EXAMPLES)
    for name in ("web", "other"):
        metadata = {"name": name}
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
        cluster.plane.apply(f"{SHOP}/serviceaccounts/{name}", account)
    patch = '{"spec": {"serviceAccounts": [{"name": "web"}]}}'
    cluster.plane.kubectl("patch", "smtpcredential", "web", "--namespace=shop", "--type=merge", f"--patch={patch}")
    cluster.wait_condition(("sendingpools", "mail-system", "default"))
    cluster.wait_condition(("smtpcredentials", "shop", "web"))
    yield cluster
    for name in ("good", "unnamed", "for-others"):
        cluster.plane.kubectl("delete", "pod", name, "--namespace=shop", "--ignore-not-found", "--wait=false")


def ended(cluster: Cluster, manifest: dict[str, Any]) -> tuple[str, str]:
    """Run a pod; return its phase and its last words."""
    name = manifest["metadata"]["name"]
    cluster.plane.apply(f"{SHOP}/pods/{name}", manifest)
    deadline = time.monotonic() + WAIT_MAX_S
    while (phase := cluster.plane.call("GET", f"{SHOP}/pods/{name}")["status"].get("phase")) not in {
        "Succeeded",
        "Failed",
    }:
        assert time.monotonic() < deadline, cluster.why("shop", name)
        time.sleep(0.2)
    return phase, " ".join(log.read_text() for log in (cluster.kubelet.logs / "shop" / name).glob("*.log"))


def test_the_mail_of_a_pod_whose_account_is_named_is_taken(shop: Cluster) -> None:
    phase, words = ended(shop, pod("good", "web"))
    assert phase == "Succeeded", words
    assert "250 2.0.0 Ok: queued as" in words


@pytest.mark.parametrize(
    ("name", "account", "audience"), [("unnamed", "other", "paquebot"), ("for-others", "web", "somebody-else")]
)
def test_a_pod_with_another_account_or_a_token_for_others_does_not(
    shop: Cluster, name: str, account: str, audience: str
) -> None:
    phase, words = ended(shop, pod(name, account, audience))
    assert phase == "Failed"
    assert "535 5.7.8 Token not accepted" in words
