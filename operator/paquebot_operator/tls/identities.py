"""Who needs a certificate: the Secret it lies in, the identity it proves, the hosts it is reached as. Pure.

A Secret holds ca.crt (all roots to trust now), tls.crt and tls.key. The first DNS name is the identity: gRPC looks at
it as the common name, and NATS maps it to its user.
"""

from dataclasses import dataclass
from typing import Any, Final

from paquebot_operator.names import CERTIFICATE, COMPONENT, MANAGED_BY, OPERATOR, PART_OF

COMMON_NAME_MAX_CHARS: Final = 64  # RFC 5280's ub-common-name
LEAF_S: Final = 90 * 86_400
RENEW_BEFORE_PERCENT: Final = 33
LABELS: Final = {MANAGED_BY: OPERATOR, PART_OF: "paquebot", COMPONENT: "identity"}


@dataclass(frozen=True, slots=True)
class Leaf:
    """A certificate that somebody needs."""

    secret: str
    identity: str
    hosts: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """DNS names, the identity first."""
        return tuple(dict.fromkeys((self.identity, *self.hosts)))


@dataclass(frozen=True, slots=True)
class IssuerRef:
    """Which issuer of cert-manager signs."""

    name: str
    kind: str = "Issuer"
    group: str = "cert-manager.io"


def certificate(leaf: Leaf, namespace: str, issuer: IssuerRef) -> dict[str, Any]:
    """Return the Certificate that makes cert-manager fill the leaf's Secret."""
    return {
        "apiVersion": CERTIFICATE.api_version,
        "kind": CERTIFICATE.name,
        "metadata": {"name": leaf.secret, "namespace": namespace, "labels": dict(LABELS)},
        "spec": {
            "secretName": leaf.secret,
            "secretTemplate": {"labels": dict(LABELS)},
            "commonName": leaf.identity[:COMMON_NAME_MAX_CHARS],
            "dnsNames": list(leaf.names),
            "duration": f"{LEAF_S // 3600}h0m0s",
            "renewBeforePercentage": RENEW_BEFORE_PERCENT,
            "usages": ["digital signature", "server auth", "client auth"],
            "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
            "issuerRef": {"name": issuer.name, "kind": issuer.kind, "group": issuer.group},
        },
    }
