"""A tenant of its own for a story: namespace, domain, pool and credential, and who keeps the domain's DNS by hand."""

import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from cluster.mailer import Mailer
from cluster.platform import GROUP, PLATFORM, Cluster
from cluster.waiting import condition, until

Place = tuple[str, str, str]  # plural, namespace, name
PERMANENT = 500  # codes from here on
REVOKED = "v=DKIM1; p="  # RFC 6376 §3.6.1: a key without a value is one that was revoked


@dataclass(frozen=True, slots=True)
class Tenant:
    """All is called by one name; its domain is `<name>.example`, its pool stands in the platform's namespace."""

    cluster: Cluster
    name: str

    @property
    def mailer(self) -> Mailer:
        """The same tenant, as it declares its objects."""
        return Mailer(self.cluster, self.name)

    @property
    def domain(self) -> str:
        return self.mailer.domain

    @property
    def places(self) -> tuple[Place, Place, Place]:
        """Pool, domain and credential."""
        own = ("maildomains", self.name, "main"), ("smtpcredentials", self.name, "app")
        return self.mailer.pool_place, *own

    def declare_all(self) -> None:
        """Apply namespace, pool, domain and credential."""
        mailer = self.mailer
        mailer.declare_namespace()
        mailer.declare_pool(retry={"quick": ["1s"]})
        self.cluster.world.receive_for([self.domain])  # so that the domain itself exists in the DNS
        mailer.declare("MailDomain", "main", {"domain": self.domain, "poolRef": {"name": self.name}})
        mailer.declare("SMTPCredential", "app", {"domainRefs": [{"name": "main"}]})

    def merge(self, place: Place, spec: dict[str, Any]) -> None:
        """Merge something into an object's spec."""
        plural, namespace, name = place
        path = f"{GROUP}/namespaces/{namespace}/{plural}/{name}"
        self.cluster.plane.call("PATCH", path, {"spec": spec}, content_type="application/merge-patch+json")

    def leave(self) -> None:
        """Delete everything; what has to be drained ends by itself."""
        for words in (("namespace", self.name), ("sendingpool", self.name, f"--namespace={PLATFORM}")):
            self.cluster.plane.kubectl("delete", *words, "--wait=false", "--ignore-not-found")

    def status(self) -> dict[str, Any]:
        """Return the MailDomain's status."""
        return dict(self.cluster.get(*self.places[1]).get("status") or {})

    def signing(self) -> list[str]:
        """Return the selectors that may sign, the newest first."""
        return list((self.status().get("dkim") or {}).get("signing") or ())

    def phases(self) -> dict[str, str]:
        """Return how far each key has come, by selector."""
        found = (self.status().get("dkim") or {}).get("selectors") or ()
        return {each["name"]: each["state"] for each in found}

    def key_records(self) -> dict[str, str]:
        """Return the TXT records of keys that the status asks for, by name."""
        found = (self.status().get("dns") or {}).get("records") or ()
        return {each["name"]: each["value"] for each in found if each["purpose"] == "DKIM"}

    def publish(self) -> None:
        """Publish what the status asks for, and revoke what it asks for no more."""
        records = self.key_records()
        for name, value in records.items():
            self.cluster.world.publish(name, value)
        for selector in self.phases():
            name = f"{selector}._domainkey.{self.domain}"
            if name not in records:
                self.cluster.world.publish(name, REVOKED)

    def login(self) -> Callable[[], smtplib.SMTP]:
        """Return how to open a session: it is known then, whatever becomes of the API."""
        return self.cluster.opener(self.name, "app")

    def send(self, subject: str) -> None:
        """Send a letter, again while the answer is to try again later, as any client does."""
        opened = self.login()
        refusals: list[smtplib.SMTPException] = []

        def taken() -> bool:
            try:
                with opened() as client:
                    client.sendmail(*self.letter(subject))
            except smtplib.SMTPResponseException as refusal:
                if refusal.smtp_code >= PERMANENT:
                    raise
                refusals.append(refusal)
                return False
            return True

        until("a letter is taken", taken, lambda: refusals)

    def letter(self, subject: str) -> tuple[str, list[str], bytes]:
        """Return sender, recipients and content of a message, as smtplib's sendmail takes them."""
        sender, recipient = f"desk@{self.domain}", "someone@accept.test"
        lines = [f"From: {sender}", f"To: {recipient}", f"Subject: {subject}", "", "Hello.", ""]
        return sender, [recipient], "\r\n".join(lines).encode()


@contextmanager
def tenant(cluster: Cluster, name: str) -> Iterator[Tenant]:
    """Have a tenant for a while, whose pool and credential are ready; its domain waits for its DNS."""
    found = Tenant(cluster, name)
    found.declare_all()
    try:
        pool, _domain, credential = found.places
        for place in (pool, credential):
            until(f"{place} is ready", partial(is_true, cluster, place), partial(cluster.get, *place))
        yield found
    finally:
        found.leave()


def is_true(cluster: Cluster, place: Place, kind: str = "Ready") -> bool:
    """Say whether a condition of the object as it stands now is True."""
    return condition(cluster.get(*place), kind).get("status") == "True"
