"""Who holds a domain that several MailDomains claim: whose token stands in the DNS, else the oldest. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from paquebot_operator.names import Key

CHALLENGE: Final = "_mail-challenge"

_DIGITS: Final = 32
_PLACE_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class Claim:
    """A MailDomain that claims a domain. `created` is as Kubernetes writes it; `is_proven`: its token was seen."""

    key: Key
    created: str
    is_proven: bool = False


def token(namespace_uid: str, domain: str) -> str:
    """Return what the TXT record at `_mail-challenge.<domain>` must say for a namespace."""
    return sha256(f"paquebot ownership\n{namespace_uid}\n{domain}".encode()).hexdigest()[:_DIGITS]


def place(namespace_uid: str, domain: str) -> str:
    """Return the label below the platform's zone that a namespace's CNAMEs for a domain lead to.

    Another namespace has another: CNAMEs that were put for one never serve the next.
    """
    return sha256(f"paquebot delegation\n{namespace_uid}\n{domain}".encode()).hexdigest()[:_PLACE_DIGITS]


def holder(claims: Sequence[Claim]) -> Claim:
    """Return the claim that counts: the oldest of those that are proven, the oldest of all when none is."""
    proven = [claim for claim in claims if claim.is_proven]
    return min(proven or claims, key=lambda claim: (claim.created, claim.key))
