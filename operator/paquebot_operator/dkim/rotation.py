"""What becomes of a domain's keys: Pending → Published → Verified → Active → Retiring → Retired.

Pure, a step at a time: `step` takes what is kept, what is wanted, what the DNS was seen to say and the time, and
returns what to keep and what to make. At every moment

* a selector that signs was seen in the DNS with its key;
* a key that signed within the overlap is still published, unless it was revoked;
* at most one key of an algorithm is Active;
* mail that was signed goes on being signed, unless a key was revoked.

A DNS that does not answer stops nothing. A clock that was set back begins waits anew; it never ends one early.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from paquebot_operator.dkim.slots import COMING, SELECTORS, Keys, Phase, Slot
from paquebot_operator.dns.record import Sighting, Verdict

MARGIN_S: Final = 300  # after all must have forgotten what was there before
WAIT_MAX_S: Final = 86_400 + MARGIN_S  # resolvers keep little for longer
HANDOVER_S: Final = 3600  # how long stragglers may sign with the key before: those without the new one on disk
NEVER_S: Final = 1 << 40

_ABSENT: Final = frozenset({Verdict.MISSING, Verdict.DIFFERENT})


@dataclass(frozen=True, slots=True)
class Wish:
    """What the domain's spec wants of its keys. `overlap_s` is not below what its pool tries mail for."""

    algorithms: tuple[str, ...]
    interval_s: int
    overlap_s: int
    ttl_s: int
    revoked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the world: the last sighting of each key's record, and which selectors the status lets sign."""

    sightings: Mapping[str, Sighting] = field(default_factory=dict)
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """Selectors that want a new key, and after how many seconds a step is due though nothing else happens."""

    generate: tuple[str, ...] = ()
    due_in_s: int = NEVER_S


def step(keys: Keys, wish: Wish, known: Known, now_s: int) -> tuple[Keys, Decision]:
    """Return the keys one step further, and what is to be done."""
    keys = replace(keys, slots=tuple(_in_time(slot, known, now_s) for slot in keys.slots))
    keys = _revoked(keys, wish, now_s)
    for algorithm in sorted(SELECTORS, key=lambda each: each not in wish.algorithms):  # those first that are waited for
        pair = keys.of(algorithm)
        pair = _switched(pair, known, now_s) if algorithm in wish.algorithms else _unwanted(pair, keys, wish, now_s)
        signs = any(slot.phase is Phase.ACTIVE for slot in pair)
        for slot in pair:
            sighting = known.sightings.get(slot.selector)
            seen = _seen(slot, sighting, _wait_s(slot, sighting, wish, signs=signs, now_s=now_s), now_s)
            keys = keys.put(_retired(seen, wish, now_s))
    wanted = (_generate(keys.of(algorithm), algorithm, wish, now_s) for algorithm in wish.algorithms)
    generate = tuple(selector for selector in wanted if selector and selector not in known.told)
    return keys, Decision(generate, _due_in_s(keys, wish, now_s))


def made(keys: Keys, selector: str, key_id: str, now_s: int) -> Keys:
    """Return the keys with a new one in a free slot."""
    before = keys.slot(selector)
    assert before is None or not before.is_kept  # noqa: S101  (a key is never replaced)
    return keys.put(Slot(selector, Phase.PENDING, now_s, key_id, free_s=before.since_s if before else 0))


def signing(keys: Keys, wish: Wish, now_s: int) -> tuple[str, ...]:
    """Return the selectors that may sign, the newest first: those before them are for who has no newer key on disk.

    While no algorithm that is wanted has one, those of before sign on: a signature of another kind is better than none.
    """
    active = [slot for slot in keys.slots if slot.phase is Phase.ACTIVE]
    wanted = [slot for slot in keys.slots if slot.algorithm in wish.algorithms]
    before = [slot for slot in wanted if slot.phase is Phase.RETIRING and now_s - slot.since_s < HANDOVER_S]
    return tuple(slot.selector for slot in ([slot for slot in active if slot in wanted] or active) + before)


def rotates_s(keys: Keys, wish: Wish) -> int | None:
    """Return when the next new key is due, None while none signs."""
    active = [slot for slot in keys.slots if slot.phase is Phase.ACTIVE and slot.algorithm in wish.algorithms]
    return min((slot.signs_since_s + wish.interval_s for slot in active), default=None)


def look_due_s(keys: Keys, wish: Wish, sightings: Mapping[str, Sighting]) -> int:
    """Return when a look may let a key that was seen be used: Unix seconds, NEVER_S when none waits for that."""
    published = (slot for slot in keys.slots if slot.phase is Phase.PUBLISHED)
    return min((slot.since_s + _spread_s(sightings.get(slot.selector), wish) for slot in published), default=NEVER_S)


def _in_time(slot: Slot, known: Known, now_s: int) -> Slot:
    """Return the slot with times that can be: the clock may have been set back since they were written.

    A key that the status lets sign still is in use, whenever it was to stop: its overlap has not begun.
    """
    since_s, signs_since_s, free_s = (min(each, now_s) for each in (slot.since_s, slot.signs_since_s, slot.free_s))
    if slot.phase is Phase.RETIRING and slot.selector in known.told:
        since_s = max(since_s, now_s - HANDOVER_S)
    return replace(slot, since_s=since_s, signs_since_s=signs_since_s, free_s=free_s)


def _moved(slot: Slot, phase: Phase, now_s: int) -> Slot:
    if phase is Phase.RETIRED:
        return Slot(slot.selector, phase, now_s)
    signs_since_s = slot.signs_since_s or now_s if phase is Phase.ACTIVE else slot.signs_since_s
    return replace(slot, phase=phase, since_s=now_s, signs_since_s=signs_since_s)


def _revoked(keys: Keys, wish: Wish, now_s: int) -> Keys:
    """Take the keys away that are revoked now. Each mention counts once: the selector's next key is another key."""
    leaked = wish.revoked - keys.revoked
    gone = [_moved(slot, Phase.RETIRED, now_s) for slot in keys.slots if slot.selector in leaked and slot.is_kept]
    return replace(keys.put(*gone), revoked=wish.revoked)


def _switched(pair: tuple[Slot, ...], known: Known, now_s: int) -> tuple[Slot, ...]:
    """Let the right one of an algorithm's slots sign."""
    present = [slot for slot in pair if not _is_absent(known.sightings.get(slot.selector))]
    verified = [slot for slot in present if slot.phase is Phase.VERIFIED]
    active = [slot for slot in pair if slot.phase is Phase.ACTIVE]
    # With no other key the one that signed before signs again: it is published still.
    retiring = [slot for slot in present if slot.phase is Phase.RETIRING]
    candidates = verified or active or retiring
    chosen = max(candidates, key=lambda slot: slot.signs_since_s, default=None)
    if chosen is None or chosen.phase is Phase.ACTIVE:
        return pair
    return tuple(
        _moved(slot, Phase.ACTIVE, now_s)
        if slot is chosen
        else _moved(slot, Phase.RETIRING, now_s)
        if slot.phase is Phase.ACTIVE
        else slot
        for slot in pair
    )


def _unwanted(pair: tuple[Slot, ...], keys: Keys, wish: Wish, now_s: int) -> tuple[Slot, ...]:
    """Let no key of an algorithm come that is not wanted; the one that signs goes when one that is wanted does."""
    ends = dict.fromkeys(COMING, Phase.RETIRED)
    if any(slot.phase is Phase.ACTIVE and slot.algorithm in wish.algorithms for slot in keys.slots):
        ends[Phase.ACTIVE] = Phase.RETIRING
    return tuple(_moved(slot, ends[slot.phase], now_s) if slot.phase in ends else slot for slot in pair)


def _is_absent(sighting: Sighting | None) -> bool:
    return sighting is not None and sighting.verdict in _ABSENT


def _wait_s(slot: Slot, sighting: Sighting | None, wish: Wish, *, signs: bool, now_s: int) -> int:
    """Return for how long a key must have been seen before it may sign.

    While none signs, not at all, unless the selector had another key lately: a verifier asks for a selector when it
    sees it in a signature, so nobody can remember one that never signed.
    """
    if not signs and (not slot.free_s or now_s - slot.free_s >= WAIT_MAX_S):
        return 0
    return _spread_s(sighting, wish)


def _spread_s(sighting: Sighting | None, wish: Wish) -> int:
    """Return how long it takes until nobody remembers what was there before."""
    return min(max(wish.ttl_s, sighting.ttl_s if sighting else 0) + MARGIN_S, WAIT_MAX_S)


def _seen(slot: Slot, sighting: Sighting | None, wait_s: int, now_s: int) -> Slot:
    """Return a coming key's slot after a look at its record."""
    if sighting is None or slot.phase not in COMING or sighting.verdict is Verdict.UNKNOWN:
        return slot
    at_s = min(sighting.at_s, now_s)
    if sighting.verdict in _ABSENT:
        return slot if slot.phase is Phase.PENDING else _moved(slot, Phase.PENDING, at_s)
    if slot.phase is Phase.PENDING and wait_s:
        return _moved(slot, Phase.PUBLISHED, at_s)
    seen_for_s = at_s - slot.since_s if slot.phase is Phase.PUBLISHED else 0
    return _moved(slot, Phase.VERIFIED, at_s) if slot.phase is not Phase.VERIFIED and seen_for_s >= wait_s else slot


def _retired(slot: Slot, wish: Wish, now_s: int) -> Slot:
    if slot.phase is Phase.RETIRING and now_s - slot.since_s >= HANDOVER_S + wish.overlap_s:
        return _moved(slot, Phase.RETIRED, now_s)
    return slot


def _generate(pair: tuple[Slot, ...], algorithm: str, wish: Wish, now_s: int) -> str | None:
    """Return the selector that wants a key: while none signs or comes, and when the one that signs is old enough."""
    if any(slot.phase in COMING for slot in pair):
        return None
    if any(slot.phase is Phase.ACTIVE and now_s < slot.signs_since_s + wish.interval_s for slot in pair):
        return None
    left_s = dict.fromkeys(SELECTORS[algorithm], 0) | {slot.selector: slot.since_s for slot in pair}
    taken = {slot.selector for slot in pair if slot.is_kept}
    free = [selector for selector in left_s if selector not in taken]
    return min(free, key=lambda selector: left_s[selector], default=None)


def _due_in_s(keys: Keys, wish: Wish, now_s: int) -> int:
    """Return when time alone lets the next step happen."""
    if any(slot.phase is Phase.VERIFIED for slot in keys.slots):
        return 0
    retiring = [slot.since_s + HANDOVER_S for slot in keys.slots if slot.phase is Phase.RETIRING]
    due = [*retiring, *(at_s + wish.overlap_s for at_s in retiring)]
    due += [slot.signs_since_s + wish.interval_s for slot in keys.slots if slot.phase is Phase.ACTIVE]
    return min((at_s - now_s for at_s in due if at_s > now_s), default=NEVER_S)
