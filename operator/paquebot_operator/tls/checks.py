"""Whether a certificate serves, whoever made it: it is there, it is whole, it has our names, and it lasts. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from paquebot_operator.conditions import FALSE, TRUE, Condition
from paquebot_operator.tls.identities import Leaf
from paquebot_operator.tls.rotation import DAY_S
from paquebot_operator.tls.secrets import read_issued

READY: Final = "CertificatesReady"
LASTS_S: Final = 7 * DAY_S
FAULTS_SHOWN_MAX: Final = 3


def fault(
    leaf: Leaf, secret: Mapping[str, Any] | None, now_s: int, certificate: Mapping[str, Any] | None = None
) -> str:
    """Return what is wrong with a leaf's Secret and what to do, "" for nothing.

    `certificate` is what cert-manager says of it, where cert-manager is to make it.
    """
    issued = read_issued(secret)
    if issued is None:
        return f"Secret {leaf.secret} {_lack(secret, certificate)}"
    missing = [name for name in leaf.names if name not in issued.names]
    if missing:
        return f"the certificate in Secret {leaf.secret} lacks the name {missing[0]}; issue it with that DNS name"
    if issued.names[0] != leaf.names[0]:
        return f"the first name of the certificate in Secret {leaf.secret} must be {leaf.names[0]}: it is the identity"
    left_s = issued.ends_s - now_s
    if left_s <= 0:
        return f"the certificate in Secret {leaf.secret} has expired; renew it"
    if left_s < LASTS_S:
        return f"the certificate in Secret {leaf.secret} ends in {left_s // DAY_S} days; renew it"
    return ""


def ready(faults: Sequence[str]) -> Condition:
    """Return the condition CertificatesReady."""
    if not faults:
        return Condition(READY, TRUE, "Issued")
    more = f"; and {len(faults) - FAULTS_SHOWN_MAX} more" if len(faults) > FAULTS_SHOWN_MAX else ""
    return Condition(READY, FALSE, "CertificateMissing", "; ".join(faults[:FAULTS_SHOWN_MAX]) + more)


def _lack(secret: Mapping[str, Any] | None, certificate: Mapping[str, Any] | None) -> str:
    conditions = ((certificate or {}).get("status") or {}).get("conditions") or ()
    said = next((each for each in conditions if each.get("type") == "Ready" and each.get("status") != "True"), None)
    if said is not None:
        return f"is not there yet; its Certificate says: {said.get('reason', '')}: {said.get('message', '')}"
    if secret is None:
        return "is not there; make it with ca.crt, tls.crt and tls.key, or let the operator do it (tls.mode)"
    return "is not whole; it needs ca.crt, tls.crt and tls.key, as PEM"
