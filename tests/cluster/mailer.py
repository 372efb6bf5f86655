"""A tenant that sends counted mail: a namespace with a domain and a credential, and a pool that is its own."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cluster.platform import GROUP, PLATFORM, Cluster
from cluster.waiting import WAIT_MAX_S, until
from kube_plane import Refused

KINDS = {
    "MailDomain": "maildomains",
    "SendingPool": "sendingpools",
    "SMTPCredential": "smtpcredentials",
    "TransportRoute": "transportroutes",
    "DestinationPolicy": "destinationpolicies",
    "SuppressionList": "suppressionlists",
}
SOON = {"quick": ["1s", "5s", "10s", "20s"]}  # on a busy machine a session may run into a timeout
Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Mailer:
    """Namespace `name`, whose domain is `<name>.example`; its pool, of the same name, lies with the platform."""

    cluster: Cluster
    name: str

    @property
    def domain(self) -> str:
        return f"{self.name}.example"

    @property
    def pool_place(self) -> tuple[str, str, str]:
        return "sendingpools", PLATFORM, self.name

    def declare(self, kind: str, name: str, spec: Manifest, namespace: str | None = None, **how: Any) -> None:
        """Apply one of our objects; those of DestinationPolicy have no namespace. Raises Refused."""
        metadata = {"name": name}
        where = "" if kind == "DestinationPolicy" else f"/namespaces/{namespace or self.name}"
        manifest = {"apiVersion": "paquebot.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}
        self.cluster.plane.apply(f"{GROUP}{where}/{KINDS[kind]}/{name}", manifest, **how)

    def declare_all(self, **pool: Any) -> None:
        """Apply namespace, pool, domain and credential; return when mail is taken."""
        self.declare_namespace()
        self.declare_pool(**pool)
        self.declare("MailDomain", "main", {"domain": self.domain, "poolRef": {"name": self.name}})
        self.declare("SMTPCredential", "app", {"domainRefs": [{"name": "main"}]})
        self.cluster.wait_condition(self.pool_place, "Programmed")
        self.cluster.wait_condition(("maildomains", self.name, "main"), "Programmed")
        self.cluster.wait_condition(("smtpcredentials", self.name, "app"))

    def declare_namespace(self) -> None:
        metadata = {"name": self.name}
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        self.cluster.plane.apply(f"/api/v1/namespaces/{self.name}", manifest)

    def declare_pool(self, **spec: Any) -> None:
        """Apply the pool, which is the whole of what it was asked for last."""
        own = {"heloHostname": f"out.{self.domain}", "allowedNamespaces": {"names": [self.name]}, "retry": SOON}
        self.declare("SendingPool", self.name, own | spec, PLATFORM)

    def send(self, recipient: str, count: int) -> list[str]:
        """Send messages over one session; return their subjects, each its own. Raises SMTPException."""
        subjects = [f"{self.name} {time.monotonic_ns()} {number}" for number in range(count)]
        sender = f"app@{self.domain}"
        with self.cluster.login(self.name, "app") as client:
            for subject in subjects:
                content = f"From: {sender}\r\nTo: {recipient}\r\nSubject: {subject}\r\n\r\nHello.\r\n"
                client.sendmail(sender, [recipient], content)
        return subjects

    def arrived(self) -> Counter[str]:
        """Return how often each subject of this tenant's has come to the world's hosts."""
        return Counter(subjects(self.cluster, self.name))

    def wait_for_all(self, sent: Sequence[str], timeout_s: float = WAIT_MAX_S) -> None:
        """Wait until all of these have come; none of them twice."""

        def missing() -> set[str]:
            return set(sent) - set(self.arrived())

        until(f"all {len(sent)} arrive", lambda: not missing(), missing, timeout_s)
        assert [each for each in sent if self.arrived()[each] != 1] == []

    def pool(self) -> Manifest:
        """Return the pool as it is now. Raises Refused."""
        return self.cluster.get(*self.pool_place)

    def deployment(self) -> Manifest | None:
        """Return the pool's Deployment, if it is there."""
        place = f"/apis/apps/v1/namespaces/{PLATFORM}/deployments/deliverer-{PLATFORM}-{self.name}"
        return found(self.cluster, place)

    def replicas(self) -> tuple[int, int]:
        """Return how many deliverers the pool shall have, and how many are ready."""
        deployment = self.deployment() or {"spec": {"replicas": 0}}
        return deployment["spec"]["replicas"], deployment.get("status", {}).get("readyReplicas", 0)

    def remove(self) -> None:
        """Delete namespace and pool; return when both are gone."""
        namespace = f"/api/v1/namespaces/{self.name}"
        pool = f"{GROUP}/namespaces/{PLATFORM}/sendingpools/{self.name}"
        for place in (namespace, pool):
            if found(self.cluster, place):
                self.cluster.plane.call("DELETE", place)
        for place in (namespace, pool):
            until(f"{place} is gone", lambda place=place: found(self.cluster, place) is None)


@contextmanager
def mailer(cluster: Cluster, name: str, **pool: Any) -> Iterator[Mailer]:
    """Have such a tenant for a while, with this in its pool's spec."""
    made = Mailer(cluster, name)
    made.declare_all(**pool)
    yield made
    made.remove()


def found(cluster: Cluster, place: str) -> Manifest | None:
    """Return an object, None when it is not there."""
    try:
        return dict(cluster.plane.call("GET", place))
    except Refused as refusal:
        if refusal.code != 404:
            raise
        return None


def subjects(cluster: Cluster, start: str) -> Iterator[str]:
    """Return the subjects that begin so, of all that came to the world's hosts."""
    line = f"\r\nSubject: {start} ".encode()
    for received in cluster.world.received():
        _, mark, rest = received.content.partition(line)
        if mark:
            end, _, _ = rest.partition(b"\r\n")
            yield f"{start} {end.decode()}"
