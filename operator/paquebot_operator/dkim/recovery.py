"""What is kept of a domain's keys, made to agree with the keys that are there: some may be lost, or all we knew.

Pure. What the status told of signing is a hint: these selectors have been seen in the DNS.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from paquebot_operator.dkim.slots import ALGORITHM_OF, Keys, Phase, Slot


def matched(keys: Keys, ids: Mapping[str, str], now_s: int) -> Keys:
    """Return what is known of the keys, of which `ids` are there, by selector: another key begins at the beginning."""
    return keys.put(*(_matched(slot, ids.get(slot.selector, ""), now_s) for slot in keys.slots))


def _matched(slot: Slot, key_id: str, now_s: int) -> Slot:
    if not slot.is_kept or key_id == slot.key_id:
        return slot
    if not key_id:
        return Slot(slot.selector, Phase.RETIRED, now_s)
    return Slot(slot.selector, Phase.PENDING, now_s, key_id, free_s=now_s)


def rebuilt(ids: Mapping[str, str], told: Sequence[str], now_s: int) -> Keys:
    """Return keys of which nothing is known but that they are there, and which the status told to sign.

    The first told of an algorithm goes on signing. Where none was told each has to be seen first; beside one that
    signs, others stay published as if they had signed a moment ago.
    """
    keys = Keys()
    for selector in (*(each for each in told if each in ALGORITHM_OF), *(each for each in ids if each not in told)):
        pair = keys.of(ALGORITHM_OF[selector])
        signs = any(slot.phase is Phase.ACTIVE for slot in pair)
        keys = keys.put(_rebuilt(Slot(selector, Phase.PENDING, now_s, ids.get(selector, "")), selector in told, signs))
    return keys


def _rebuilt(slot: Slot, told: bool, signs: bool) -> Slot:  # noqa: FBT001  (what is known of it)
    if not slot.key_id:
        return replace(slot, phase=Phase.RETIRED)  # its selector is to be left in peace for as long as may be
    if signs:
        return replace(slot, phase=Phase.RETIRING, signs_since_s=slot.since_s)
    return replace(slot, phase=Phase.ACTIVE, signs_since_s=slot.since_s) if told else slot
