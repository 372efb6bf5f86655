"""What is believed of a domain's records over time, and when to look again. Pure.

A look may err, so a record that was there once is believed to be gone only after three looks that say so, over an hour
at least; one that never was is missing at once. What nobody knows changes no belief, and is told as such.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from paquebot_operator.dns.record import Record, Sighting, Verdict

NEGATIVES_MIN: Final = 3
NEGATIVE_FOR_S: Final = 3600
STEPS_S: Final = (10, 30, 60, 300, 900, 3600)  # between looks while something is missing
STEADY_S: Final = 6 * 3600
SHARE: Final = 0.2  # of STEADY_S, by which looks of different domains are spread to either side

_ABSENT: Final = frozenset({Verdict.MISSING, Verdict.DIFFERENT})


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of one record, and the last look at it. `believed` UNKNOWN: it was never seen to be either."""

    record: Record
    believed: Verdict = Verdict.UNKNOWN
    last: Sighting | None = None
    negatives: int = 0  # looks in a row that say it is not there
    negative_since_s: int = 0

    @property
    def is_good(self) -> bool:
        """Say whether the record is believed to be there."""
        return self.believed is Verdict.PRESENT

    @property
    def is_doubted(self) -> bool:
        """Say whether the last look tells nothing, or other than what is believed."""
        return self.last is not None and self.last.verdict is not self.believed


def believed(before: Belief, sighting: Sighting) -> Belief:
    """Return what to believe of a record after another look."""
    if sighting == before.last:
        return before  # known already
    if sighting.verdict is Verdict.UNKNOWN:
        return replace(before, last=sighting)
    if sighting.verdict is Verdict.PRESENT:
        return Belief(before.record, Verdict.PRESENT, sighting)
    since_s = min(before.negative_since_s, sighting.at_s) if before.negatives else sighting.at_s
    negatives = before.negatives + 1
    lasting = negatives >= NEGATIVES_MIN and sighting.at_s - since_s >= NEGATIVE_FOR_S
    verdict = sighting.verdict if lasting or not before.is_good else Verdict.PRESENT
    return Belief(before.record, verdict, sighting, negatives, since_s)


def after_look(
    beliefs: Mapping[Record, Belief], wanted: tuple[Record, ...], seen: Mapping[Record, Sighting]
) -> dict[Record, Belief]:
    """Return the beliefs about the records that are wanted now, after a look at some of them."""
    known = {record: beliefs.get(record, Belief(record)) for record in wanted}
    return {record: believed(each, seen[record]) if record in seen else each for record, each in known.items()}


def next_look_in_s(unsettled_for_s: int | None, seed: str, at_s: int) -> int:
    """Return after how many seconds to look again: soon while records are not as they should be, then rarely.

    `unsettled_for_s`: for how long they are not, None when all are. `seed` and `at_s` spread what is steady.
    """
    if unsettled_for_s is None:
        part = int.from_bytes(sha256(f"{seed} {at_s}".encode()).digest()[:4], "big") / 0xFFFF_FFFF
        return round(STEADY_S * (1 - SHARE + 2 * SHARE * part))
    passed_s = 0
    for step_s in STEPS_S:
        passed_s += step_s
        if unsettled_for_s < passed_s:
            return step_s
    return STEPS_S[-1]
