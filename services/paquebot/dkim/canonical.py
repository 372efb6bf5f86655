"""The header section in DKIM's relaxed form, with the fields a signature covers already picked.

One `Picked` serves every signature of a message. The body's canonical form is in `paquebot.mail.bodyhash`.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

# Signed with one instance more than there are, so that nobody can add another (RFC 6376 §5.4.2, §8.15).
OVERSIGNED: Final = (
    "From",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
)
# Signed where they are; a mailing list may add its own. RFC 8058 §4 wants the unsubscribe fields covered.
SIGNED_IF_PRESENT: Final = (
    "Sender",
    "In-Reply-To",
    "References",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
)
COLUMNS_MAX: Final = 78  # RFC 5322 §2.1.1

_NAMES: Final = tuple(name.lower().encode() for name in OVERSIGNED + SIGNED_IF_PRESENT)
_WANTED: Final = frozenset(_NAMES)
_RUN = re.compile(rb"[ \t]+")


@dataclass(frozen=True, slots=True)
class Picked:
    """The covered fields in canonical form, in the order of `h_tag`, which is folded and ends with `;`."""

    canonical: bytes
    h_tag: bytes


def relaxed_header(name: bytes, value: bytes) -> bytes:
    """Return one field in relaxed form, ended by CRLF (RFC 6376 §3.4.2). `value` may be folded."""
    unfolded = value.replace(b"\r\n", b"")
    return name.strip(b" \t").lower() + b":" + _RUN.sub(b" ", unfolded).strip(b" ") + b"\r\n"


def pick(header_section: bytes) -> Picked:
    """Return the covered fields; of several with one name the last comes first (RFC 6376 §5.4.2).

    Lines without a colon are passed over.
    """
    found: dict[bytes, list[bytes]] = {}
    # The whole section is unfolded at once: this is the hot path of every message.
    for line in header_section.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ").split(b"\r\n"):
        name, colon, value = line.partition(b":")
        key = name.rstrip(b" \t").lower()
        if colon and key in _WANTED:
            if b"  " in value or b"\t" in value:
                value = _RUN.sub(b" ", value)
            found.setdefault(key, []).append(b"%s:%s\r\n" % (key, value.strip(b" ")))
    counts = tuple(len(found.get(name, ())) for name in _NAMES)
    canonical = b"".join(field for name in _NAMES if name in found for field in reversed(found[name]))
    return Picked(canonical, _h_tag(counts))


@lru_cache(maxsize=256)
def _h_tag(counts: tuple[int, ...]) -> bytes:
    """Return `h=…;` for so many instances of each name, folded before a colon (RFC 6376 §3.5)."""
    names: list[str] = []
    for position, name in enumerate(OVERSIGNED + SIGNED_IF_PRESENT):
        names += [name] * (counts[position] + (position < len(OVERSIGNED)))
    lines = [" h=" + names[0]]
    for name in names[1:]:
        if len(lines[-1]) + len(name) + len(":;") > COLUMNS_MAX:
            lines.append(" ")
        lines[-1] += ":" + name
    return ("\r\n".join(lines) + ";").encode()
