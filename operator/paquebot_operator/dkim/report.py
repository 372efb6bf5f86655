"""What a MailDomain's status says of its keys and records: KeysReady, DNSVerified, and the fields beside them. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from paquebot.policy.publication import Mode
from paquebot_operator.conditions import FALSE, TRUE, UNKNOWN, Condition
from paquebot_operator.dkim.records import Site
from paquebot_operator.dkim.rotation import Wish, rotates_s, signing
from paquebot_operator.dkim.slots import COMING, Keys, Phase, Slot
from paquebot_operator.dns.history import Belief
from paquebot_operator.dns.record import Purpose, Record, Verdict
from paquebot_operator.dns.watch import Watch
from paquebot_operator.times import written

KEYS_READY: Final = "KeysReady"
DNS_VERIFIED: Final = "DNSVerified"
PUBLISHING_MAX_S: Final = 3600  # how long the platform's own publishing may take before somebody should look

_WORDS: Final = {
    Verdict.PRESENT: "Verified",
    Verdict.MISSING: "Missing",
    Verdict.DIFFERENT: "Mismatch",
    Verdict.UNKNOWN: "Unknown",
}
_REASONS: Final = {Verdict.MISSING: "RecordMissing", Verdict.DIFFERENT: "RecordMismatch"}


@dataclass(frozen=True, slots=True)
class View:
    """All that a report is made of. `records`: those of each key that is kept."""

    site: Site
    keys: Keys
    wish: Wish
    records: Mapping[Slot, tuple[Record, ...]]
    watch: Watch
    now_s: int

    @property
    def needed(self) -> tuple[Record, ...]:
        """The records without which mail is not verified now, or will not be: aliases and keys."""
        of_keys = (record for records in self.records.values() for record in records)
        return tuple(dict.fromkeys((*self.site.aliases(), *of_keys)))

    @property
    def staged(self) -> frozenset[Record]:
        """The records that only a key to come needs, while another signs: its key, not its alias."""
        active = {slot.algorithm for slot in self.keys.slots if slot.phase is Phase.ACTIVE}
        coming = (slot for slot in self.records if slot.phase in COMING and slot.algorithm in active)
        return frozenset(record for slot in coming for record in self.records[slot] if record.type == "TXT")


def dkim_fields(view: View) -> dict[str, Any]:
    """Return `status.dkim`."""
    selectors = [
        {"name": slot.selector, "algorithm": slot.algorithm, "state": slot.phase.value, "since": written(slot.since_s)}
        | ({"keyId": slot.key_id} if slot.key_id else {})
        for slot in view.keys.slots
    ]
    rotates = rotates_s(view.keys, view.wish)
    told: dict[str, Any] = {"signing": list(signing(view.keys, view.wish, view.now_s)), "selectors": selectors}
    return told | ({"nextRotation": written(rotates)} if rotates is not None else {})


def dns_fields(watch: Watch, next_look_s: int) -> dict[str, Any]:
    """Return `status.dns`."""
    fields: dict[str, Any] = {"nextCheck": written(next_look_s)}
    if watch.looked_s:
        fields["lastChecked"] = written(watch.looked_s)
    return fields | {"records": [_record_field(belief) for belief in watch.beliefs.values()]}


def _record_field(belief: Belief) -> dict[str, Any]:
    record = belief.record
    field = {"name": record.name, "type": record.type, "value": record.value, "purpose": record.purpose.value}
    field["state"] = _WORDS[belief.believed]
    observed = belief.last.observed if belief.last and not belief.is_good else ""
    return field | ({"observed": observed} if observed else {})


def keys_ready(view: View) -> Condition:
    """Say whether there are keys, and how far each has come."""
    held = {slot.algorithm for slot in view.keys.slots if slot.is_kept}
    lacking = [algorithm for algorithm in view.wish.algorithms if algorithm not in held]
    if lacking:
        return Condition(KEYS_READY, FALSE, "Generating", f"keys are being made for {', '.join(lacking)}")
    told = [f"{slot.selector} is {slot.phase.value}" for slot in view.keys.slots if slot.is_kept]
    return Condition(KEYS_READY, TRUE, "KeysAvailable", ", ".join(told))


def dns_verified(view: View) -> Condition:
    """Say whether the DNS has what it should, with the lines that it lacks."""
    staged = view.staged
    beliefs = [view.watch.beliefs[record] for record in view.needed if record not in staged]
    wrong = [belief for belief in beliefs if belief.believed in _REASONS]
    if wrong:
        return _wrong(view, wrong, len(beliefs))
    if not view.watch.looked_s or any(belief.last is None for belief in beliefs):
        text = f"the DNS has not been asked yet; it should say:\n{_lines(view, [each.record for each in beliefs])}"
        return Condition(DNS_VERIFIED, UNKNOWN, "NotChecked", text)
    unknown = [belief for belief in beliefs if belief.last and belief.last.verdict is Verdict.UNKNOWN]
    if unknown:
        return Condition(DNS_VERIFIED, UNKNOWN, "LookupFailed", _unknown(unknown[0]))
    return _rotation(view, [view.watch.beliefs[record] for record in view.needed if record in staged])


def _wrong(view: View, wrong: list[Belief], count: int) -> Condition:
    first = wrong[0]
    where = f"{first.record.type} {first.record.name}"
    if first.believed is Verdict.DIFFERENT and first.last:
        text = f'{where} is "{first.last.observed[:120]}"; it should be:\n{first.record.zone_line(_ttl_s(view))}'
    else:
        records = [belief.record for belief in wrong]
        text = f"{len(wrong)} of {count} records missing; {_cure(view, records)}:\n{_lines(view, records)}"
    return Condition(DNS_VERIFIED, FALSE, _REASONS[first.believed], text)


def _unknown(belief: Belief) -> str:
    reason = belief.last.reason if belief.last else ""
    return f"{belief.record.type} {belief.record.name}: {reason}; mail goes on as before, it is asked again"


def _rotation(view: View, staged: list[Belief]) -> Condition:
    """Say how the next key's record comes along, else that all is well."""
    absent = [each.record for each in staged if not each.is_good]
    advice = _advice(view)
    by_hand = view.site.domain.publication.mode is Mode.MANUAL
    since_s = view.watch.unsettled_since_s
    if absent and (by_hand or (since_s is not None and view.now_s - since_s >= PUBLISHING_MAX_S)):
        text = f"the next key waits for its record, the one before signs on; {_cure(view, absent)}:\n"
        return Condition(DNS_VERIFIED, FALSE, "RotationPending", text + _lines(view, absent))
    return Condition(DNS_VERIFIED, TRUE, "Verified", advice)


def _cure(view: View, records: Iterable[Record]) -> str:
    """Say who has to do something: people, or what publishes for the platform."""
    zone = view.site.domain.publication.zone
    if view.site.domain.publication.mode is Mode.MANUAL or any(record.type == "CNAME" for record in records):
        return "add"
    if zone:
        return f"look why the platform's zone {zone} does not have"
    return "look why external-dns (it needs --managed-record-types=TXT) does not publish"


def _lines(view: View, records: Iterable[Record]) -> str:
    return "\n".join(record.zone_line(_ttl_s(view)) for record in records)


def _ttl_s(view: View) -> int:
    return view.site.domain.publication.ttl_s


def _advice(view: View) -> str:
    """Say what receivers would like beside DKIM."""
    texts = {
        Purpose.SPF: "SPF at {name} is not as it should be for the pool's addresses",
        Purpose.DMARC: "there is no DMARC record at {name}",
    }
    wanting = [
        each for each in view.watch.beliefs.values() if each.believed in _REASONS and each.record.purpose in texts
    ]
    told = [texts[each.record.purpose].format(name=each.record.name) for each in wanting]
    return f"advice: {'; '.join(told)}" if told else ""
