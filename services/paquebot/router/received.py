"""The Received field we add, one for each message we take (RFC 5321 §4.4). Pure.

It tells the client's name and address, never its user name. `for` stands there only when the envelope has a
single recipient: with more it would tell recipients about each other (RFC 5321 §7.2).
"""

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

from paquebot.wire.router import PlanRequest

COLUMNS_MAX = 78  # RFC 5322 §2.1.1; only a single token that is longer stands out

# What a client calls itself is its own word: only a domain or an address literal is repeated.
_CLIENT_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9])?|\[[A-Za-z0-9:.]{1,80}\]")
_PROTOCOL = re.compile(r"[A-Za-z0-9-]{1,20}")
# A quoted local part may hold what would have to be folded or read twice; `for` is left out then.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9._:\[\]-]+")


def received(request: PlanRequest, hostname: str) -> bytes:
    """Return the whole folded field, ended by CRLF."""
    words = ["Received:", *_from(request.client_name, request.client_address), f"by {hostname}"]
    if _PROTOCOL.fullmatch(request.protocol):
        words.append(f"with {request.protocol}")
    words.append(f"id {request.id}")
    recipients = request.envelope.recipients
    if len(recipients) == 1 and _PLAIN_PATH.fullmatch(recipients[0]):
        words.append(f"for <{recipients[0]}>")
    words[-1] += ";"
    words.append(_date(request.accepted_ms // 1000))
    return _folded(words)


def address_literal(address: str) -> str:
    """Return an IP address as SMTP writes it (RFC 5321 §4.1.3); one that came mapped into IPv6 as IPv4."""
    bare = address.partition("%")[0]
    mapped = bare.lower().removeprefix("::ffff:")
    if "." in mapped and ":" not in mapped:
        return f"[{mapped}]"
    return f"[IPv6:{bare}]" if ":" in bare else f"[{bare}]"


def _from(name: str, address: str) -> list[str]:
    """Return the from-domain; nothing for what did not come over a network."""
    if not address:
        return []
    literal = address_literal(address)
    if _CLIENT_NAME.fullmatch(name):
        return [f"from {name}", f"({literal})"]
    return [f"from {literal}"]


@lru_cache(maxsize=64)
def _date(at_s: int) -> str:
    return format_datetime(datetime.fromtimestamp(at_s, UTC))


def _folded(words: list[str]) -> bytes:
    line, *rest = words
    lines: list[str] = []
    for word in rest:
        if len(line) + 1 + len(word) <= COLUMNS_MAX:
            line += " " + word
        else:
            lines.append(line)
            line = " " + word
    lines.append(line)
    return ("\r\n".join(lines) + "\r\n").encode("ascii", "replace")
