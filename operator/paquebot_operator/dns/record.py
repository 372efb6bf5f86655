"""A record that should stand in the DNS, and what one look found of it. Values only."""

from dataclasses import dataclass
from enum import StrEnum

from paquebot.dkim.keys import record_strings


class Purpose(StrEnum):
    """What a record is for. Ownership is needed only where two claim a domain; SPF and DMARC are advice."""

    DKIM = "DKIM"
    OWNERSHIP = "Ownership"
    SPF = "SPF"
    DMARC = "DMARC"


class Verdict(StrEnum):
    """What one look says of a record."""

    PRESENT = "Present"  # at every server of its zone, and at the resolvers
    MISSING = "Missing"  # a server of its zone says that it is not there
    DIFFERENT = "Different"  # a server of its zone says something else
    UNKNOWN = "Unknown"  # a server did not answer, or a resolver does not see it yet


@dataclass(frozen=True, slots=True)
class Record:
    """One record: an A-label name without a dot at its end, TXT or CNAME, and its value, a TXT's in one piece."""

    name: str
    type: str
    value: str
    purpose: Purpose

    def zone_line(self, ttl_s: int) -> str:
        """Return the record as a line of a zone file, to be pasted."""
        return f"{self.name}. {ttl_s} IN {self.type} {self.presented}"

    @property
    def presented(self) -> str:
        """The value as a zone file has it: a TXT's in quoted strings of at most 255 octets."""
        if self.type != "TXT":
            return f"{self.value}."
        escaped = [piece.replace("\\", "\\\\").replace('"', '\\"') for piece in record_strings(self.value)]
        return " ".join(f'"{piece}"' for piece in escaped)


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a look found of a record, when, and for how long others may still believe something older."""

    verdict: Verdict
    at_s: int
    observed: str = ""  # what stands there instead
    reason: str = ""  # why nobody knows, or who says so
    ttl_s: int = 0  # the longest time to live seen, of the record and of its absence (SOA, RFC 2308 §5)
