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


def leaves(namespace: str, hostname: str) -> tuple[Leaf, ...]:
    """Return all certificates of a platform: of its services, of the queue, and of its SMTP listeners."""
    services = (Leaf(identity_secret(each), (each,)) for each in SERVICES)
    nats, smtp = "paquebot-nats", "paquebot-submission"
    # One label may stand for `*`: a server of a cluster is called paquebot-nats-0.paquebot-nats-headless.….
    queue_names = (QUEUE, nats, f"{nats}.{namespace}.svc", f"*.{nats}-headless.{namespace}.svc")
    smtp_names = tuple(dict.fromkeys((hostname, smtp, f"{smtp}.{namespace}.svc")))
    return (*services, Leaf(identity_secret(QUEUE), queue_names), Leaf(SMTP_SECRET, smtp_names))
