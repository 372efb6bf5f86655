"""A MailDomain whose domain another one holds: its ownership token is looked for, and nothing is made for it. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from paquebot_operator.conditions import FALSE, Condition, Report
from paquebot_operator.dkim.advance import Advance, Given, question
from paquebot_operator.dkim.ownership import Claim
from paquebot_operator.dkim.records import Site
from paquebot_operator.dkim.report import DNS_VERIFIED, dns_fields
from paquebot_operator.dns.history import Belief, believed
from paquebot_operator.dns.record import Purpose, Record, Verdict
from paquebot_operator.dns.verify import judged
from paquebot_operator.dns.watch import Watch
from paquebot_operator.names import MAIL_DOMAIN, Key

LOOK_S: Final = 300  # between looks for a token


def claim_of(entry: Mapping[str, Any]) -> Claim:
    """Return the claim of a MailDomain, proven if its status says that its token was seen."""
    metadata = entry["metadata"]
    return Claim(
        Key(MAIL_DOMAIN.name, metadata["namespace"], metadata["name"]),
        metadata.get("creationTimestamp", ""),
        _ownership_state(entry.get("status") or {}) == "Verified",
    )


def contend(given: Given, now_s: int) -> Advance:
    """Return what a MailDomain comes to that does not hold its domain: it may prove that it should."""
    site = Site(given.domain, given.namespace_uid)
    asked = question(site, site.ownership)
    belief = _before(given.status, site.ownership)
    looked_s = min(_time_s((given.status.get("dns") or {}).get("lastChecked")), now_s)
    if asked in given.looks:
        belief, looked_s = believed(belief, judged(site.ownership, given.looks[asked])), now_s
    watch = Watch({site.ownership: belief}, looked_s)
    due_s = looked_s + LOOK_S
    line = site.ownership.zone_line(given.domain.publication.ttl_s)
    text = f"another MailDomain holds {given.domain.domain}; to prove that it belongs here, add:\n{line}"
    fields = {
        "ownershipToken": site.ownership.value,
        "dkim": {"signing": [], "selectors": []},
        "dns": dns_fields(watch, max(due_s, now_s)),
    }
    asks = now_s >= due_s
    return Advance(
        Report((Condition(DNS_VERIFIED, FALSE, "OwnershipUnproven", text),), fields),
        questions=(asked,) if asks else (),
        next_s=0 if asks else due_s - now_s,
    )


def _before(status: Mapping[str, Any], record: Record) -> Belief:
    return Belief(record, Verdict.PRESENT if _ownership_state(status) == "Verified" else Verdict.UNKNOWN)


def _ownership_state(status: Mapping[str, Any]) -> str:
    records = (status.get("dns") or {}).get("records") or ()
    return next((str(each.get("state")) for each in records if each.get("purpose") == Purpose.OWNERSHIP.value), "")


def _time_s(written: object) -> int:
    return int(datetime.fromisoformat(written).timestamp()) if isinstance(written, str) else 0
