"""What the answers of one look say of a record. Pure.

All servers of the record's zone and the resolvers were asked. A record is there when all say so; it is missing when a
server of the zone says that, whatever resolvers remember; and where one does not answer, nobody knows.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from paquebot_operator.dns.record import Purpose, Record, Sighting, Verdict

OBSERVED_MAX_CHARS = 500
_TAG = re.compile(r"\s*([a-z]+)\s*=\s*([^;]*?)\s*(?:;|$)")


@dataclass(frozen=True, slots=True)
class Answer:
    """What one server says of a name and type: values, none when there is no such record, or why it said nothing."""

    server: str
    authoritative: bool  # a server of the zone, not a resolver
    values: tuple[str, ...] = ()
    failure: str = ""
    ttl_s: int = 0  # of the record, or of its absence
    alias: str = ""  # where a CNAME leads, when the server does not say what stands there
    zone: str = ""  # which other zone the name is in, when the server says that it is not its own


@dataclass(frozen=True, slots=True)
class Look:
    """The answers about one name and type. `failure`: why nobody could be asked."""

    at_s: int
    answers: tuple[Answer, ...] = field(default=())
    failure: str = ""


def judged(record: Record, look: Look) -> Sighting:
    """Return what a look says of a record."""
    own = [answer for answer in look.answers if answer.authoritative]
    ttl_s = max((answer.ttl_s for answer in look.answers), default=0)
    for answer in own:
        if not answer.failure and not _is_there(record, answer.values):
            return _absent(record, answer, look.at_s, ttl_s)
    failed = [f"{answer.server}: {answer.failure}" for answer in look.answers if answer.failure]
    if look.failure or failed or not own:
        reason = look.failure or "; ".join(failed) or "its zone has no server that could be asked"
        return Sighting(Verdict.UNKNOWN, look.at_s, reason=reason[:OBSERVED_MAX_CHARS], ttl_s=ttl_s)
    for answer in look.answers:
        if not _is_there(record, answer.values):
            reason = f"the zone's servers have it, the resolver {answer.server} does not see it yet"
            return Sighting(Verdict.UNKNOWN, look.at_s, _shown(record, answer.values), reason, ttl_s)
    return Sighting(Verdict.PRESENT, look.at_s, ttl_s=ttl_s)


def _absent(record: Record, answer: Answer, at_s: int, ttl_s: int) -> Sighting:
    observed = _shown(record, answer.values)
    verdict = Verdict.DIFFERENT if observed else Verdict.MISSING
    return Sighting(verdict, at_s, observed, f"says {answer.server}", ttl_s)


def _is_there(record: Record, values: Sequence[str]) -> bool:
    if record.type == "CNAME":
        return [value.lower().rstrip(".") for value in values] == [record.value]
    match record.purpose:
        case Purpose.DKIM:
            # Several records under a selector leave it open which one counts (RFC 6376 §3.6.2.2).
            return len(values) == 1 and _key(values[0]) == _key(record.value)
        case Purpose.SPF:
            return sum(_is_spf(value) for value in values) == 1 and _includes(record.value, values)
        case Purpose.DMARC:
            return sum(value.lower().startswith("v=dmarc1") for value in values) == 1
    return record.value in values


def _key(value: str) -> tuple[str, str]:
    """Return what counts of a key record: its kind, and the key without the blanks it may be folded by."""
    tags = dict(_TAG.findall(value))
    return tags.get("k", "rsa"), re.sub(r"\s+", "", tags.get("p", ""))


def _is_spf(value: str) -> bool:
    return value.lower() == "v=spf1" or value.lower().startswith("v=spf1 ")


def _includes(wanted: str, values: Sequence[str]) -> bool:
    """Say whether the SPF record has the `include:` that is wanted, if any is."""
    terms = {term.lower() for value in values if _is_spf(value) for term in value.split()}
    return all(term in terms for term in wanted.lower().split() if term.startswith("include:"))


def _shown(record: Record, values: Sequence[str]) -> str:
    """Return what stands there instead, as far as it is about the same: a domain's other TXT records are not."""
    begins = {Purpose.SPF: "v=spf1", Purpose.DMARC: "v=dmarc1"}.get(record.purpose, "")
    related = [value for value in values if value.lower().startswith(begins)]
    return " | ".join(related)[:OBSERVED_MAX_CHARS]
