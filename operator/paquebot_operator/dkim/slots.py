"""The DKIM keys of one domain: two slots for each algorithm that take turns, and how far the key in each has come.

Values, and their JSON. A slot's selector is for ever: CNAMEs may lead to it. So a new key takes a name that an older
one had, and `free_s` says when that one left it.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from paquebot.dkim.keys import ED25519, RSA

FORMAT: Final = 1
SELECTORS: Final = {RSA: ("pq1-rsa", "pq2-rsa"), ED25519: ("pq1-ed", "pq2-ed")}
ALGORITHM_OF: Final = {selector: algorithm for algorithm, pair in SELECTORS.items() for selector in pair}


class Phase(StrEnum):
    """How far a key has come."""

    PENDING = "Pending"  # made, to be published
    PUBLISHED = "Published"  # seen everywhere, but somebody may still remember what was there before
    VERIFIED = "Verified"  # seen for long enough
    ACTIVE = "Active"  # signs
    RETIRING = "Retiring"  # signs no more but for stragglers; stays published for what it signed
    RETIRED = "Retired"  # gone


COMING: Final = frozenset({Phase.PENDING, Phase.PUBLISHED, Phase.VERIFIED})
KEPT: Final = COMING | {Phase.ACTIVE, Phase.RETIRING}  # has a key, and a record


@dataclass(frozen=True, slots=True)
class Slot:
    """A selector with its key. Times are Unix seconds."""

    selector: str
    phase: Phase
    since_s: int
    key_id: str = ""
    signs_since_s: int = 0  # when this key became ACTIVE first
    free_s: int = 0  # when the key before it left this selector; 0: there was none

    @property
    def algorithm(self) -> str:
        """The algorithm of the selector's keys."""
        return ALGORITHM_OF[self.selector]

    @property
    def is_kept(self) -> bool:
        """Say whether there is a key, whose record belongs into the DNS."""
        return self.phase in KEPT


@dataclass(frozen=True, slots=True)
class Keys:
    """The slots of a domain, by selector, and which revocations were obeyed already."""

    slots: tuple[Slot, ...] = ()
    revoked: frozenset[str] = frozenset()

    def of(self, algorithm: str) -> tuple[Slot, ...]:
        """Return the slots of one algorithm."""
        return tuple(slot for slot in self.slots if slot.algorithm == algorithm)

    def slot(self, selector: str) -> Slot | None:
        """Return the slot of a selector, None when it was never used."""
        return next((slot for slot in self.slots if slot.selector == selector), None)

    def put(self, *changed: Slot) -> "Keys":
        """Return the keys with these slots in place of those of the same selectors."""
        slots = {slot.selector: slot for slot in (*self.slots, *changed)}
        return Keys(tuple(slots[selector] for selector in ALGORITHM_OF if selector in slots), self.revoked)


def encode(keys: Keys) -> bytes:
    """Return the JSON that is kept beside the keys."""
    slots = [{name: getattr(slot, name) for name in Slot.__slots__} for slot in keys.slots]
    return json.dumps({"format": FORMAT, "slots": slots, "revoked": sorted(keys.revoked)}).encode()


def decode(encoded: bytes) -> Keys | None:
    """Return the keys, None for what we did not write."""
    try:
        read = json.loads(encoded)
        if read["format"] != FORMAT:
            return None
        slots = [Slot(**entry | {"phase": Phase(entry["phase"])}) for entry in read["slots"]]
        return _checked(slots, read["revoked"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _checked(slots: Iterable[Slot], revoked: list[str]) -> Keys | None:
    """Return the keys if they can be ones of ours: a selector once, one ACTIVE an algorithm, times that are numbers."""
    slots = list(slots)
    known = all(slot.selector in ALGORITHM_OF and isinstance(slot.key_id, str) for slot in slots)
    times = [time for slot in slots for time in (slot.since_s, slot.signs_since_s, slot.free_s)]
    if not known or not all(type(time) is int and time >= 0 for time in times):
        return None
    active = [slot.algorithm for slot in slots if slot.phase is Phase.ACTIVE]
    selectors = [slot.selector for slot in slots]
    if len(set(active)) < len(active) or len(set(selectors)) < len(selectors):
        return None
    return Keys(revoked=frozenset(map(str, revoked))).put(*slots)
