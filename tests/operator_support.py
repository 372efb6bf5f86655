"""An operator in this process: a real API server, a real nats-server, pods that report what they run."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kube_plane import Plane, Refused
from paquebot.queue.jetstream import JetStream
from paquebot.queue.members import Heartbeat, Member
from paquebot.queue.policystore import follow_policy
from paquebot.runtime.settings import Address
from paquebot_operator.assembly import Operator, assemble
from paquebot_operator.settings import Settings, TLSMode

PLATFORM = "mail-system"
API = "/apis/paquebot.dev/v1alpha1"


def settings(nats_url: str, folder: Path) -> Settings:
    return Settings(
        admin_listen=Address("127.0.0.1", 0),
        identity_dir=folder,
        namespace=PLATFORM,
        nats_url=nats_url,
        hostname="mail.example.com",
        image="paquebot:test",
        tls_mode=TLSMode.EXISTING_SECRET,
    )


def give_identities(plane: Plane, identities: Path) -> None:
    """Write the operator's own Secrets, as whoever makes certificates does."""
    for name in ("publisher", "system"):
        files = {each: (identities / name / each).read_bytes() for each in ("ca.crt", "tls.crt", "tls.key")}
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": f"paquebot-{name}-identity", "namespace": PLATFORM},
            "data": {each: base64.b64encode(content).decode() for each, content in files.items()},
        }
        plane.apply(f"/api/v1/namespaces/{PLATFORM}/secrets/paquebot-{name}-identity", secret)


@asynccontextmanager
async def running(
    monkeypatch: pytest.MonkeyPatch, plane: Plane, wanted: Settings, pod: str = "operator-1"
) -> AsyncIterator[Operator]:
    """Run an operator until the block ends."""
    monkeypatch.setenv("KUBECONFIG", str(plane.kubeconfig("admin")))
    operator = assemble(pod, wanted, lambda: datetime.now(UTC))
    working = asyncio.create_task(operator.engine.run(lambda: None))
    try:
        yield operator
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await operator.close()


@asynccontextmanager
async def following(js: JetStream, pod: str, service: str = "router") -> AsyncIterator[Heartbeat]:
    """Be a pod that takes over each revision."""
    heartbeat = Heartbeat(js, Member(pod, service))
    tasks = [
        asyncio.create_task(follow_policy(js, lambda policy: heartbeat.runs(policy.revision))),
        asyncio.create_task(heartbeat.run()),
    ]
    try:
        yield heartbeat
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class Objects:
    """Our objects of one namespace in a cluster."""

    plane: Plane
    namespace: str

    def apply(self, kind: str, plural: str, name: str, spec: dict[str, Any], namespace: str = "") -> None:
        place = namespace or self.namespace
        entry = {
            "apiVersion": "paquebot.dev/v1alpha1",
            "kind": kind,
            "metadata": {"name": name, "namespace": place},
            "spec": spec,
        }
        self.plane.apply(f"{API}/namespaces/{place}/{plural}/{name}", entry)

    def pool(self, name: str, **spec: Any) -> None:
        whole = {"heloHostname": "out.example.com", "allowedNamespaces": {"names": ["*"]}} | spec
        self.apply("SendingPool", "sendingpools", name, whole, PLATFORM)

    def domain(self, name: str, pool: str, **spec: Any) -> None:
        whole = {"domain": f"{name}.{self.namespace}.example", "poolRef": {"name": pool}} | spec
        self.apply("MailDomain", "maildomains", name, whole)

    def credential(self, name: str, domain: str, **spec: Any) -> None:
        self.apply("SMTPCredential", "smtpcredentials", name, {"domainRefs": [{"name": domain}]} | spec)

    def get(self, plural: str, name: str, namespace: str = "") -> dict[str, Any]:
        return dict(self.plane.call("GET", f"{API}/namespaces/{namespace or self.namespace}/{plural}/{name}"))

    def conditions(self, plural: str, name: str, namespace: str = "") -> dict[str, dict[str, Any]]:
        status = self.get(plural, name, namespace).get("status") or {}
        return {each["type"]: each for each in status.get("conditions") or ()}

    def accepted(self, plural: str, name: str) -> bool:
        """Say whether the operator has taken the object as it is now."""
        entry = self.get(plural, name)
        found = [each for each in (entry.get("status") or {}).get("conditions") or () if each["type"] == "Accepted"]
        current = [each for each in found if each["observedGeneration"] == entry["metadata"]["generation"]]
        return any(each["status"] == "True" for each in current)

    def secret(self, name: str, namespace: str = "") -> dict[str, str]:
        """Return what a Secret holds; nothing when it is not there."""
        try:
            found = self.plane.call("GET", f"/api/v1/namespaces/{namespace or self.namespace}/secrets/{name}")
        except Refused:
            return {}
        return {each: base64.b64decode(value).decode() for each, value in (found.get("data") or {}).items()}


async def until(condition: Callable[[], object], timeout_s: float = 60.0) -> None:
    """Return when the condition holds; it may ask the API server, so not too often."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    while not await asyncio.to_thread(condition):
        assert asyncio.get_running_loop().time() < deadline, "it did not happen in time"
        await asyncio.sleep(0.1)
