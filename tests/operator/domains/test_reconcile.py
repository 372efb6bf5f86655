"""A MailDomain's keys move on only as far as the DNS was seen to follow, on a real API server."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kube_plane import Plane
from operator_support import PLATFORM, Objects, following, give_identities, running, settings, until
from paquebot.queue.policystore import read_policy
from paquebot.queue.server import NatsServer
from paquebot.runtime.settings import Address
from paquebot.sandbox.dnsserver import DnsServer
from paquebot.sandbox.zone import Record, Zone
from paquebot_operator.assembly import Operator
from paquebot_operator.dkim.keystore import shard_of
from paquebot_operator.dns import history

NAMESERVER = "127.0.0.41"
pytestmark = pytest.mark.usefixtures("operator")


class Texts:
    """The TXT records of a name server that is everybody's."""

    def __init__(self, domain: str) -> None:
        self.texts: dict[str, str] = {}
        names = (Record(domain, "NS", "ns.host.example."), Record("ns.host.example", "A", NAMESERVER))
        self.zone = Zone(names, lambda: self.texts)

    def publish(self, status: dict[str, object]) -> None:
        """Put every record there that a status asks for."""
        for record in status["dns"]["records"]:  # type: ignore[index]
            if record["purpose"] == "DKIM":
                self.texts[record["name"]] = record["value"]


@pytest.fixture
async def names(namespace: str) -> AsyncIterator[tuple[Texts, int]]:
    texts = Texts(f"shop.{namespace}.example")
    server = DnsServer(texts.zone, NAMESERVER, 0)
    await server.start()
    yield texts, server.port
    await server.stop()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "STEPS_S", (1, 1, 1, 1, 1, 1))


@pytest.fixture
async def operator(
    monkeypatch: pytest.MonkeyPatch, bare_plane: Plane, nats: NatsServer, tmp_path: Path, names: tuple[Texts, int]
) -> AsyncIterator[Operator]:
    give_identities(bare_plane, nats.place.identity.parent)
    wanted = replace(settings(nats.url, tmp_path / "own"), resolver=Address(NAMESERVER, names[1]))
    async with running(monkeypatch, bare_plane, wanted) as made:
        yield made


def signing(objects: Objects) -> list[str]:
    status = objects.get("maildomains", "shop").get("status") or {}
    return list((status.get("dkim") or {}).get("signing") or ())


async def test_a_domain_signs_once_its_records_are_seen_and_not_before(
    objects: Objects, names: tuple[Texts, int], connect
) -> None:
    objects.pool("default")
    objects.domain("shop", "default", dkim={"algorithms": ["Ed25519"]})
    await until(lambda: objects.conditions("maildomains", "shop").get("DNSVerified", {}).get("status") == "False")
    told = objects.conditions("maildomains", "shop")
    assert told["KeysReady"]["status"] in {"True", "False"}
    assert told["DNSVerified"]["reason"] == "RecordMissing"
    assert "pq1-ed._domainkey" in told["DNSVerified"]["message"]
    assert signing(objects) == []
    domain = f"shop.{objects.namespace}.example"
    mounted = objects.plane.call("GET", f"/api/v1/namespaces/{PLATFORM}/secrets/dkim-keys-{shard_of(domain)}")
    assert f"{domain}.pq1-ed.Ed25519.pem" in mounted["data"]
    assert base64.b64decode(mounted["data"][f"{domain}.pq1-ed.Ed25519.pem"]).startswith(b"-----BEGIN PRIVATE KEY")
    names[0].publish(objects.get("maildomains", "shop")["status"])
    await until(lambda: signing(objects) == ["pq1-ed"])
    await until(lambda: objects.conditions("maildomains", "shop")["DNSVerified"]["status"] == "True")
    publisher = await connect("publisher")
    policy = await read_policy(publisher)
    while policy is None or policy.domains[domain].signing != ("pq1-ed",):
        policy = await read_policy(publisher)


async def test_keys_survive_that_the_domain_is_declared_anew(objects: Objects, names: tuple[Texts, int]) -> None:
    objects.pool("default")
    objects.domain("shop", "default", dkim={"algorithms": ["Ed25519"]})
    await until(lambda: objects.conditions("maildomains", "shop").get("DNSVerified"))
    names[0].publish(objects.get("maildomains", "shop")["status"])
    await until(lambda: signing(objects) == ["pq1-ed"])
    objects.plane.call("DELETE", f"/apis/paquebot.dev/v1alpha1/namespaces/{objects.namespace}/maildomains/shop")
    objects.domain("shop", "default", dkim={"algorithms": ["Ed25519"]})
    await until(lambda: signing(objects) == ["pq1-ed"])


async def test_where_there_is_no_external_dns_it_is_told(objects: Objects) -> None:
    objects.pool("default")
    objects.domain("shop", "default", dns={"mode": "ExternalDNS"}, dkim={"algorithms": ["Ed25519"]})
    await until(
        lambda: objects.conditions("maildomains", "shop").get("DNSVerified", {}).get("reason") == "ExternalDNSMissing"
    )
    assert "install external-dns" in objects.conditions("maildomains", "shop")["Ready"]["message"]


async def test_it_is_ready_once_and_not_before_the_pods_know_who_signs(
    objects: Objects, names: tuple[Texts, int], connect
) -> None:
    objects.pool("default")
    objects.domain("shop", "default", dkim={"algorithms": ["Ed25519"]})
    router = await connect("router")
    async with following(router, "router-1"):
        await until(lambda: is_true(objects.get("maildomains", "shop"), "Programmed"))
        known = objects.get("maildomains", "shop")
        names[0].publish(known["status"])
        await until(lambda: signing(objects) == ["pq1-ed"])
        domain = known["spec"]["domain"]
        while (policy := await read_policy(router)) is None or policy.domains[domain].signing != ("pq1-ed",):
            await asyncio.sleep(0.1)
        await until(lambda: is_true(objects.get("maildomains", "shop"), "Ready"))
    ready = [is_true(each, "Ready") for each in versions_since(objects, known)]
    assert ready[-1]
    assert ready == sorted(ready), "once it was ready it stayed so"


def is_true(entry: dict[str, Any], kind: str) -> bool:
    conditions = (entry.get("status") or {}).get("conditions") or ()
    return any(each["type"] == kind and each["status"] == "True" for each in conditions)


def versions_since(objects: Objects, known: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a MailDomain as it has been at each change since."""
    path = f"/apis/paquebot.dev/v1alpha1/namespaces/{objects.namespace}/maildomains"
    query = f"?watch=1&timeoutSeconds=1&resourceVersion={known['metadata']['resourceVersion']}"
    lines = objects.plane.call("GET", path + query, raw=True).splitlines()
    return [json.loads(line)["object"] for line in lines]
