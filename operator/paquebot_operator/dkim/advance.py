"""What a domain's keys and records come to now: the one call that the domain's reconciler makes. Pure, but for `make`.

`advance` tells what to do. In this order, and nothing of it before what stands above has been done:

1. apply `secret`, if there is one (field manager `names.KEYS_MANAGER`); where that fails, leave the rest;
2. have the shard's projection hold what `stored` does (`keystore.projection`, of all Secrets of the shard);
3. apply `endpoint`, if there is one; one that is left from another mode may go once DNSVerified is True;
4. write the status with `report`, and publish the policy from it (`with_signing`);
5. if there are `questions`: ask them (`dns.lookup.Lookup.looks`) and call again at once, with the looks;
6. else call again when anything of the object changes, at the latest after `next_s`.

RSA keys take a while to make: call it in a thread.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Final

from paquebot.dkim.keys import generate
from paquebot.dkim.keys import record as record_of
from paquebot.policy.publication import Mode
from paquebot.policy.values import MailDomain
from paquebot_operator.conditions import FALSE, UNKNOWN, Condition, Report
from paquebot_operator.dkim import keystore
from paquebot_operator.dkim.keystore import Stored
from paquebot_operator.dkim.records import DOMAIN_MAX_CHARS, Site, endpoint, of_slots
from paquebot_operator.dkim.recovery import matched, rebuilt
from paquebot_operator.dkim.report import (
    DNS_VERIFIED,
    KEYS_READY,
    View,
    dkim_fields,
    dns_fields,
    dns_verified,
    keys_ready,
)
from paquebot_operator.dkim.rotation import Decision, Known, Wish, look_due_s, made, step
from paquebot_operator.dkim.slots import ALGORITHM_OF, Keys, Phase, Slot
from paquebot_operator.dns import watch as watching
from paquebot_operator.dns.history import after_look
from paquebot_operator.dns.lookup import Question
from paquebot_operator.dns.record import Record, Sighting, Verdict
from paquebot_operator.dns.verify import Look, judged
from paquebot_operator.dns.watch import Watch

NEXT_MAX_S: Final = 86_400
REFUSED_S: Final = 60
SPREAD: Final = 0.1  # of the interval, by which domains rotate earlier, each by its own share

_WORSE_FIRST: Final = (Verdict.MISSING, Verdict.DIFFERENT, Verdict.UNKNOWN, Verdict.PRESENT)


@dataclass(frozen=True, slots=True)
class Platform:
    """What holds for all domains. `zones`: those that CNAMEs may lead to; `spf_include`: what SPF should include."""

    namespace: str
    zones: tuple[str, ...] = ()
    spf_include: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """A MailDomain that holds its domain, and what is known of it.

    `status` is the object's own, `secret` the domain's as the API has it, `expiry_s` what its pool tries mail for;
    `is_contested`: another MailDomain claims the domain, so its ownership is looked at too.
    """

    domain: MailDomain
    uid: str
    namespace_uid: str
    expiry_s: int
    status: Mapping[str, Any]
    secret: Mapping[str, Any] | None
    looks: Mapping[Question, Look] = field(default_factory=dict)
    is_contested: bool = False


@dataclass(frozen=True, slots=True)
class Advance:
    """What is to be done: see the module's docstring."""

    report: Report
    secret: Mapping[str, Any] | None = None
    stored: Stored = field(default_factory=Stored)
    endpoint: Mapping[str, Any] | None = None
    questions: tuple[Question, ...] = ()
    next_s: int = NEXT_MAX_S
    changes: tuple[str, ...] = ()  # for events


def advance(given: Given, platform: Platform, now_s: int, make: Callable[[str], bytes] = generate) -> Advance:
    """Return what a domain's keys and records come to at this time."""
    refusal = _refusal(given, platform)
    if refusal is not None:
        told = {"dkim": {"signing": list(_told(given.status))}}  # what signed goes on
        return Advance(Report((refusal,), told), stored=keystore.read(given.secret), next_s=REFUSED_S)
    site, wish = Site(given.domain, given.namespace_uid), _wish(given)
    before = keystore.read(given.secret)
    known = _known(before, given, now_s)
    watch = _looked(site, known, given, platform, now_s)
    sightings = _sightings(site, known, watch, now_s)
    keys, decision = step(known.keys or Keys(), wish, Known(sightings, _told(given.status)), now_s)
    stored = _with_new_keys(replace(known, keys=keys), decision, make, now_s)
    watch = replace(watch, beliefs=after_look(watch.beliefs, _wanted(site, stored, given, platform), {}))
    keys = stored.keys or Keys()
    view = View(site, keys, wish, of_slots(site, keys, stored.values), watch, now_s)
    view = replace(view, watch=watch.settled(view.needed, now_s))
    stored = replace(stored, watch=watching.encode(view.watch))
    answer = _answer(given, platform, view, (before, stored), look_due_s(keys, wish, sightings))
    return replace(answer, next_s=min(answer.next_s, decision.due_in_s))


def with_signing(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a MailDomain as it is to be published: where its status does not say who may sign, nobody may."""
    return entry if "signing" in _dkim(entry.get("status") or {}) else {**entry, "status": {"dkim": {"signing": []}}}


def _refusal(given: Given, platform: Platform) -> Condition | None:
    """Return what a domain is told that cannot be served as it is declared."""
    name, publication = given.domain.domain, given.domain.publication
    if len(name) > DOMAIN_MAX_CHARS:
        text = f"spec.domain: has {len(name)} characters; at most {DOMAIN_MAX_CHARS} leave room for a selector"
        return Condition(KEYS_READY, FALSE, "DomainTooLong", text)
    if not given.namespace_uid:
        # Without it the keys would look like another namespace's.
        return Condition(
            KEYS_READY, UNKNOWN, "NamespaceNotSeen", "its namespace was not seen yet; it is looked at again"
        )
    if publication.mode is Mode.DELEGATED and publication.zone not in platform.zones:
        cure = f"write one of {', '.join(platform.zones)}" if platform.zones else "it has none: use another mode"
        text = f"spec.dns.delegationZone: {publication.zone} is not a zone of this platform; {cure}"
        return Condition(DNS_VERIFIED, FALSE, "ZoneNotOffered", text)
    return None


def _wish(given: Given) -> Wish:
    """Return what is wanted of the keys; a domain rotates early by a share of its own, so that not all do at once."""
    domain, rotation = given.domain, given.domain.rotation
    share = int.from_bytes(sha256(domain.domain.encode()).digest()[:4], "big") / 0xFFFF_FFFF
    return Wish(
        algorithms=domain.dkim_algorithms,
        interval_s=round(rotation.interval_s * (1 - SPREAD * share)),
        overlap_s=max(rotation.overlap_s, given.expiry_s),
        ttl_s=domain.publication.ttl_s,
        revoked=frozenset(domain.revoked),
    )


def _dkim(status: Mapping[str, Any]) -> Mapping[str, Any]:
    return status.get("dkim") or {}


def _told(status: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(_dkim(status).get("signing") or ())


def _known(stored: Stored, given: Given, now_s: int) -> Stored:
    """Return the keys as they are kept; where that is lost, as they and the status let one believe.

    Keys that were made for another namespace are no keys of this one: the DNS may vouch for them still, and whoever
    declares a domain that another has left would sign in its name without having shown anything.
    """
    if stored.pems and stored.namespace_uid not in {"", given.namespace_uid}:
        left = Keys().put(*(Slot(selector, Phase.RETIRED, now_s) for selector in stored.pems))
        return Stored(keys=left, namespace_uid=given.namespace_uid)
    if stored.keys is not None:
        return replace(stored, keys=matched(stored.keys, stored.ids, now_s), namespace_uid=given.namespace_uid)
    ids = {each["name"]: each.get("keyId", "") for each in _dkim(given.status).get("selectors") or ()}
    told = [each for each in _told(given.status) if stored.ids.get(each, ids.get(each)) == ids.get(each)]
    return replace(stored, keys=rebuilt(stored.ids, told, now_s), namespace_uid=given.namespace_uid)


def _wanted(site: Site, stored: Stored, given: Given, platform: Platform) -> tuple[Record, ...]:
    """Return all records that are looked at."""
    of_keys = of_slots(site, stored.keys or Keys(), stored.values).values()
    needed = (*site.aliases(), *(record for records in of_keys for record in records))
    ownership = (site.ownership,) if given.is_contested else ()
    return tuple(dict.fromkeys((*needed, *ownership, *site.advice(platform.spf_include))))


def question(site: Site, record: Record) -> Question:
    """Return how a record is looked up."""
    zone = site.domain.publication.zone
    return Question(record.name, record.type, zone if zone and record.name.endswith(f".{zone}") else site.domain.domain)


def _looked(site: Site, stored: Stored, given: Given, platform: Platform, now_s: int) -> Watch:
    """Return what is believed after the looks that are given."""
    before = watching.decode(stored.watch)
    wanted = _wanted(site, stored, given, platform)
    seen = {record: judged(record, look) for record in wanted if (look := given.looks.get(question(site, record)))}
    looked_s = now_s if seen else min(before.looked_s, now_s)
    return Watch(after_look(before.beliefs, wanted, seen), looked_s, before.unsettled_since_s)


def _sightings(site: Site, stored: Stored, watch: Watch, now_s: int) -> dict[str, Sighting]:
    """Return the last sighting of each key: of all its records the one that says the worst.

    None that is ahead of the clock, which was set back since: it would be taken for a newer one than it is.
    """
    found: dict[str, Sighting] = {}
    for slot, records in of_slots(site, stored.keys or Keys(), stored.values).items():
        last = [sighting for record in records if (sighting := watch.beliefs[record].last) is not None]
        if len(last) == len(records) and all(each.at_s <= now_s for each in last):
            worst = min(last, key=lambda each: _WORSE_FIRST.index(each.verdict))
            found[slot.selector] = replace(worst, ttl_s=max(each.ttl_s for each in last))
    return found


def _with_new_keys(stored: Stored, decision: Decision, make: Callable[[str], bytes], now_s: int) -> Stored:
    """Return what is to be stored: the keys that are wanted made, those that are gone taken out."""
    keys, pems, values = stored.keys or Keys(), dict(stored.pems), dict(stored.values)
    for selector in decision.generate:
        pems[selector] = make(ALGORITHM_OF[selector])
        values[selector] = record_of(pems[selector])
        keys = made(keys, selector, keystore.key_id(values[selector]), now_s)
    kept = {slot.selector for slot in keys.slots if slot.is_kept}
    return Stored(
        {selector: pem for selector, pem in pems.items() if selector in kept},
        {selector: value for selector, value in values.items() if selector in kept},
        keys,
        stored.watch,
        stored.namespace_uid,
    )


def _answer(given: Given, platform: Platform, view: View, kept: tuple[Stored, Stored], due_s: int) -> Advance:
    """Return what is to be done of what was decided. `kept`: before and now; `due_s`: when a key wants a look."""
    (before, stored), domain, now_s = kept, given.domain, view.now_s
    look_s = view.watch.next_look_s(domain.domain)
    if view.watch.looked_s < due_s < look_s:
        look_s = due_s
    asks = now_s >= look_s
    records = tuple(view.watch.beliefs)
    fields = {
        "ownershipToken": view.site.ownership.value,
        "dkim": dkim_fields(view),
        "dns": dns_fields(view.watch, max(look_s, now_s)),
    }
    changed = stored != before
    return Advance(
        report=Report((keys_ready(view), dns_verified(view)), fields),
        secret=keystore.secret(stored, domain.domain, given.uid, platform.namespace) if changed else None,
        stored=stored,
        endpoint=endpoint(view.site, view.needed, platform.namespace, given.uid),
        questions=tuple(dict.fromkeys(question(view.site, record) for record in records)) if asks else (),
        next_s=0 if asks else min(look_s - now_s, NEXT_MAX_S),
        changes=_changes(before.keys or Keys(), view.keys),
    )


def _changes(before: Keys, after: Keys) -> tuple[str, ...]:
    """Return what happened to keys, a sentence each."""
    pairs: list[tuple[Slot | None, Slot]] = [(before.slot(slot.selector), slot) for slot in after.slots]
    return tuple(
        f"{now.selector} is {now.phase.value} now" + (f", it was {was.phase.value}" if was else "")
        for was, now in pairs
        if was is None or was.phase is not now.phase
    )
