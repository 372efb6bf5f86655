"""The whole operator against a real API server and a real nats-server: objects become policy, and learn of it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kube_plane import Plane
from operator_support import Objects, following, give_identities, running, settings, until
from paquebot.auth.password import verify
from paquebot.queue.buckets import Bucket
from paquebot.queue.jetstream import JetStream
from paquebot.queue.policystore import read_policy
from paquebot.queue.server import NatsServer
from paquebot_operator.assembly import Operator

pytestmark = pytest.mark.usefixtures("operator", "pool")


@pytest.fixture
async def operator(
    monkeypatch: pytest.MonkeyPatch, bare_plane: Plane, nats: NatsServer, identities: Path, tmp_path: Path
) -> AsyncIterator[Operator]:
    give_identities(bare_plane, identities)
    async with running(monkeypatch, bare_plane, settings(nats.url, tmp_path / "own")) as made:
        yield made


@pytest.fixture
def pool(objects: Objects) -> str:
    objects.pool("default")
    return "default"


async def test_a_domain_becomes_part_of_the_policy_and_is_programmed_once_every_pod_has_it(
    objects: Objects, connect, pool: str
) -> None:
    objects.domain("shop", pool)
    await until(lambda: objects.accepted("maildomains", "shop"))
    conditions = objects.conditions("maildomains", "shop")
    assert conditions["Accepted"]["status"] == "True"
    assert conditions["Programmed"]["message"] == "no pod of the platform runs yet"
    router: JetStream = await connect("router")
    async with following(router, "router-1"):
        await until(lambda: objects.conditions("maildomains", "shop")["Programmed"]["status"] == "True")
    policy = await read_policy(router)
    assert policy is not None
    assert f"shop.{objects.namespace}.example" in policy.domains


async def test_a_wrong_change_is_told_and_the_version_before_stays_in_force(
    objects: Objects, connect, pool: str
) -> None:
    objects.domain("shop", pool, expiry="1d")
    await until(lambda: objects.accepted("maildomains", "shop"))
    objects.domain("shop", pool, expiry="30d")
    await until(lambda: objects.conditions("maildomains", "shop")["Accepted"]["status"] == "False")
    entry = objects.get("maildomains", "shop")
    accepted = next(each for each in entry["status"]["conditions"] if each["type"] == "Accepted")
    assert accepted["message"].startswith("spec.expiry: is longer than SendingPool mail-system/default tries")
    assert accepted["message"].endswith("until then the version before stays in force")
    assert accepted["observedGeneration"] == entry["metadata"]["generation"] == entry["status"]["observedGeneration"]
    policy = await read_policy(await connect("publisher"))
    assert policy is not None
    assert policy.domains[f"shop.{objects.namespace}.example"].expiry_s == 86_400


async def test_a_missing_pool_is_named_and_the_domain_recovers_when_it_comes(
    objects: Objects,
) -> None:
    objects.domain("shop", "later")
    await until(lambda: objects.conditions("maildomains", "shop").get("ResolvedRefs", {}).get("status") == "False")
    told = objects.conditions("maildomains", "shop")
    assert told["ResolvedRefs"]["reason"] == told["Ready"]["reason"] == "PoolNotFound"
    assert "there is no SendingPool mail-system/later" in told["Ready"]["message"]
    objects.pool("later")
    await until(lambda: objects.conditions("maildomains", "shop")["ResolvedRefs"]["status"] == "True")
    objects.plane.call("DELETE", "/apis/paquebot.dev/v1alpha1/namespaces/mail-system/sendingpools/later")


async def test_a_credential_gets_a_secret_with_a_password_whose_hash_auth_can_read(
    objects: Objects, connect, pool: str
) -> None:
    objects.domain("shop", pool)
    objects.credential("app", "shop")
    await until(lambda: objects.conditions("smtpcredentials", "app").get("SecretReady", {}).get("status") == "True")
    said = objects.secret("app-smtp")
    user = f"{objects.namespace}.app"
    assert (said["type"], said["provider"], said["host"], said["port"]) == (
        "smtp",
        "paquebot",
        "mail.example.com",
        "587",
    )
    assert said["username"] == user
    assert said["uri"] == f"smtp://{user}:{said['password']}@mail.example.com:587"
    stored = await Bucket(await connect("publisher"), "credentials").get(user)
    assert stored is not None
    assert verify(stored.decode(), said["password"].encode())
    status = objects.get("smtpcredentials", "app")["status"]
    assert status["username"] == user
    assert status["binding"] == {"name": "app-smtp"}


async def test_a_secret_that_is_deleted_comes_back_with_another_password(
    operator: Operator, objects: Objects, pool: str
) -> None:
    objects.domain("shop", pool)
    objects.credential("app", "shop")
    await until(lambda: objects.conditions("smtpcredentials", "app").get("SecretReady", {}).get("status") == "True")
    before = objects.secret("app-smtp")["password"]
    objects.plane.call("DELETE", f"/api/v1/namespaces/{objects.namespace}/secrets/app-smtp")
    operator.engine._look_at_all()  # as every ten minutes
    names = f"/api/v1/namespaces/{objects.namespace}/secrets"
    await until(
        lambda: any(each["metadata"]["name"] == "app-smtp" for each in objects.plane.call("GET", names)["items"])
    )
    await until(lambda: objects.secret("app-smtp").get("password", before) != before)


async def test_a_ca_that_comes_later_reaches_the_secrets_that_are_there(objects: Objects, pool: str) -> None:
    objects.domain("shop", pool)
    objects.credential("app", "shop")
    await until(lambda: objects.conditions("smtpcredentials", "app").get("SecretReady", {}).get("status") == "True")
    assert "ca.crt" not in objects.secret("app-smtp")
    path = "/api/v1/namespaces/mail-system/secrets/paquebot-smtp-tls"
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "paquebot-smtp-tls"}}
    objects.plane.apply(path, secret | {"stringData": {"ca.crt": "a certificate"}})
    await until(lambda: objects.secret("app-smtp").get("ca.crt") == "a certificate")
    objects.plane.call("DELETE", path)


async def test_a_credential_that_goes_takes_its_hash_along(objects: Objects, connect, pool: str) -> None:
    objects.domain("shop", pool)
    objects.credential("app", "shop")
    await until(lambda: objects.conditions("smtpcredentials", "app").get("SecretReady", {}).get("status") == "True")
    objects.plane.call("DELETE", f"/apis/paquebot.dev/v1alpha1/namespaces/{objects.namespace}/smtpcredentials/app")
    bucket = Bucket(await connect("publisher"), "credentials")
    async with asyncio.timeout(60):
        while await bucket.get(f"{objects.namespace}.app") is not None:
            await asyncio.sleep(0.1)


async def test_the_clusters_signing_keys_become_part_of_the_policy(objects: Objects, connect, pool: str) -> None:
    objects.domain("shop", pool)
    publisher = await connect("publisher")
    await until(lambda: objects.accepted("maildomains", "shop"))
    async with asyncio.timeout(60):
        while (policy := await read_policy(publisher)) is None or policy.cluster is None:
            await asyncio.sleep(0.1)
    assert policy.cluster.issuer == "https://kubernetes.default.svc"
    assert policy.cluster.audience == "paquebot"
    assert policy.cluster.keys
