"""Who needs a certificate: the Secret it lies in, the identity it proves, the hosts it is reached as. Pure.

A Secret holds ca.crt (all roots to trust now), tls.crt and tls.key. The first DNS name is the identity: gRPC looks at
it as the common name, and NATS maps it to its user.
"""

from dataclasses import dataclass
from typing import Final

SERVICES: Final = ("submission", "auth", "spamfilter", "router", "deliverer", "publisher", "system", "admin")
QUEUE: Final = "nats"
SMTP_SECRET: Final = "paquebot-smtp-tls"  # noqa: S105  (a Secret's name)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A certificate that somebody needs. The first name is the identity."""

    secret: str
    names: tuple[str, ...]


def identity_secret(identity: str) -> str:
    """Return the name of an identity's Secret."""
    return f"paquebot-{identity}-identity"


def leaves(namespace: str) -> tuple[Leaf, ...]:
    """Return the certificates by which a platform's own processes know each other."""
    services = (Leaf(identity_secret(each), (each,)) for each in SERVICES)
    # One label may stand for `*`: a server of a cluster is called paquebot-nats-0.paquebot-nats-headless.….
    servers = (QUEUE, "paquebot-nats", f"paquebot-nats.{namespace}.svc", f"*.paquebot-nats-headless.{namespace}.svc")
    return (*services, Leaf(identity_secret(QUEUE), servers))


def smtp_leaf(namespace: str, hostname: str) -> Leaf:
    """Return the certificate of the SMTP listeners, which clients of all kinds look at."""
    names = (hostname, "paquebot-submission", f"paquebot-submission.{namespace}.svc")
    return Leaf(SMTP_SECRET, tuple(dict.fromkeys(names)))
