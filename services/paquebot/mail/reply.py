"""An SMTP reply as a value (RFC 5321 §4.2, RFC 3463)."""

import re
from dataclasses import dataclass

# The first digit of a code, RFC 5321 §4.2.1.
_POSITIVE = frozenset({2, 3})
_TRANSIENT = 4
_PERMANENT = 5
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?: |$)")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered: a code, perhaps an enhanced status x.y.z, and text.

    `enhanced` is empty when there is none. `text` holds the lines joined by line feeds, without
    the enhanced status.
    """

    code: int
    enhanced: str
    text: str

    def __str__(self) -> str:
        """Return the reply on one line, as people quote it: `550 5.1.1 No such user`."""
        return " ".join(part for part in (str(self.code), self.enhanced, self.text.replace("\n", " ")) if part)

    @property
    def is_positive(self) -> bool:
        """True for 2yz and 3yz: only the first digit decides (RFC 5321 §4.2.1)."""
        return self.code // 100 in _POSITIVE

    @property
    def is_transient(self) -> bool:
        """True for 4yz."""
        return self.code // 100 == _TRANSIENT

    @property
    def is_permanent(self) -> bool:
        """True for 5yz."""
        return self.code // 100 == _PERMANENT

    @classmethod
    def from_lines(cls, code: int, lines: list[str]) -> "Reply":
        """Build a reply from its lines' text; an enhanced status may be repeated on each (RFC 2034 §4)."""
        first = _ENHANCED.match(lines[0]) if lines else None
        if first is None or int(first[1][0]) != code // 100:
            return cls(code, "", "\n".join(lines))
        enhanced = first[1]
        return cls(code, enhanced, "\n".join(line.removeprefix(enhanced).lstrip(" ") for line in lines))
