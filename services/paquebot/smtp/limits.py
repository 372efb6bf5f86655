"""The limits a server says it has (RFC 9422), as its client heeds them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_LIMIT = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)=([1-9]\d{0,5})")


@dataclass(frozen=True, slots=True)
class PeerLimits:
    """How much one session takes; None: nothing was said."""

    mails_max: int | None = None  # MAILMAX: MAIL commands
    recipients_max: int | None = None  # RCPTMAX: RCPT commands of one transaction
    domains_max: int | None = None  # RCPTDOMAINMAX: domains of recipients


NO_LIMITS = PeerLimits()


def peer_limits(extensions: Mapping[str, str]) -> PeerLimits:
    """Read the parameters of the keyword LIMITS; what is unknown or cannot be read is passed over (RFC 9422 §3)."""
    said = extensions.get("LIMITS")
    if not said:
        return NO_LIMITS
    given = {}
    for word in said.split():
        match = _LIMIT.fullmatch(word)
        if match is not None:
            given[match[1].upper()] = int(match[2])
    return PeerLimits(given.get("MAILMAX"), given.get("RCPTMAX"), given.get("RCPTDOMAINMAX"))
