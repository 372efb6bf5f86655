"""What happened under one key, in counters that fade: half of each is gone after an hour, a day, a month. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum


class What(IntEnum):
    """What is counted. The order is part of the stored format: new ones come last."""

    SENT = 0
    RECIPIENTS = 1
    STRANGERS = 2  # recipients to whom the account had not written
    HARD_BOUNCES = 3  # recipients that do not exist
    POLICY_BOUNCES = 4  # 5.7.x: unwanted, says who got it
    COMPLAINTS = 5
    UNSUBSCRIBES = 6
    HELD = 7
    RELEASED = 8  # by a person, from a hold
    REFUSED = 9  # by the filter, or by a person from a hold


class Span(IntEnum):
    """How far back a counter looks: its half-life."""

    HOUR = 0
    DAY = 1
    MONTH = 2


HALF_LIVES_S = (3_600.0, 86_400.0, 30 * 86_400.0)
SPANS = len(HALF_LIVES_S)
_SIZE = len(What) * SPANS
_NOTHING = (0.0,) * _SIZE
_GONE = 1e-4  # less than that is nothing


@dataclass(frozen=True, slots=True)
class Counts:
    """The counters as they were at `at_s` (Unix seconds). `first_s` is when the key was seen first."""

    first_s: float
    at_s: float
    values: tuple[float, ...] = _NOTHING

    def after(self, happened: Mapping[What, float], now_s: float) -> "Counts":
        """Return the counters with what happened now. An event from before `at_s` counts as if it came then."""
        values = self._faded(now_s)
        for what, amount in happened.items():
            for at in range(what * SPANS, what * SPANS + SPANS):
                values[at] += amount
        return Counts(self.first_s, max(now_s, self.at_s), tuple(values))

    def count(self, what: What, span: Span, now_s: float) -> float:
        """Return a counter as it is now."""
        faded: float = 0.5 ** (max(0.0, now_s - self.at_s) / HALF_LIVES_S[span])
        return self.values[what * SPANS + span] * faded

    def _faded(self, now_s: float) -> list[float]:
        passed_s = now_s - self.at_s
        if passed_s <= 0:
            return list(self.values)
        factors = [0.5 ** (passed_s / half_life_s) for half_life_s in HALF_LIVES_S] * len(What)
        return [value * factor if value > _GONE else 0.0 for value, factor in zip(self.values, factors, strict=True)]


def unseen(now_s: float) -> Counts:
    """Return the counters of a key that is seen for the first time."""
    return Counts(now_s, now_s)
