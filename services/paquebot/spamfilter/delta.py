"""What a tenant's people have taught about its own mail: a small logistic weight on words, beside the model. Pure.

A delta belongs to one tenant and changes nobody else's verdicts, nor the model. It is sparse, adds LOGIT_MAX log-odds
at most, and learns by AdaGrad: what few lessons speak of moves far, what many speak of moves little.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from paquebot.mail.verdict import Reason
from paquebot.spamfilter.judge import logistic

ENTRIES_MAX: Final = 4096
LOGIT_MAX: Final = 3.0
_FORMAT: Final = 1
_PASSES: Final = 4
_RATE: Final = 0.1
_LEAST: Final = 1e-8
_SPEAKS_FROM: Final = 0.05  # log-odds; less explains nothing
_HEAD: Final = struct.Struct("<BxHI")  # format, entries, lessons

Slots = NDArray[np.uint32]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What became of one message: its words (slots), what was known without the delta (log-odds), who was right.

    `weight` is how much the word of whoever said so counts, 1 at most.
    """

    words: tuple[int, ...]
    logit: float
    is_wanted: bool
    weight: float


def _no_slots() -> Slots:
    return np.empty(0, np.uint32)


def _nothing() -> Floats:
    return np.empty(0, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Delta:
    """Weights by slot, in the order of slots; `moved` is how much each has been moved (sums of squares)."""

    slots: Slots = field(default_factory=_no_slots)
    weights: Floats = field(default_factory=_nothing)
    moved: Floats = field(default_factory=_nothing)
    lessons: int = 0

    def logit(self, words: Sequence[int]) -> float:
        """Return what it adds to a message with these words, in log-odds."""
        if not len(self.slots) or not words:
            return 0.0
        wanted = np.asarray(words, np.uint32)
        at = np.searchsorted(self.slots, wanted).clip(max=len(self.slots) - 1)
        known = self.weights[at][self.slots[at] == wanted]
        return _capped(float(known.sum()) / len(wanted) ** 0.5)

    def reasons(self, words: Sequence[int]) -> tuple[Reason, ...]:
        """Return what it says of a message, as a reason with its weight; none when it says nothing."""
        weight = self.logit(words)
        if abs(weight) < _SPEAKS_FROM:
            return ()
        done = "refused or complained about" if weight > 0 else "released"
        return (Reason("learned", round(weight, 2), f"Mail like it was {done} before, of the same tenant."),)

    def after(self, lesson: Lesson) -> "Delta":
        """Return the delta when it has learned from one message."""
        words = np.unique(np.asarray(lesson.words, np.uint32))
        if not len(words):
            return self
        slots = np.union1d(self.slots, words)
        weights, moved = np.zeros(len(slots), np.float32), np.zeros(len(slots), np.float32)
        before = np.searchsorted(slots, self.slots)
        weights[before], moved[before] = self.weights, self.moved
        here = np.searchsorted(slots, words)
        share = 1 / len(words) ** 0.5
        for _ in range(_PASSES):
            known = _capped(float(weights[here].sum()) * share)
            slope = (logistic(lesson.logit + known) - (0.0 if lesson.is_wanted else 1.0)) * share
            moved[here] += np.float32(slope * slope)
            weights[here] -= np.float32(lesson.weight * _RATE * slope) / np.sqrt(moved[here] + np.float32(_LEAST))
        return _pruned(slots, weights, moved, self.lessons + 1)

    def encode(self) -> bytes:
        """Return it as octets, 12 an entry."""
        arrays = (self.slots.astype("<u4"), self.weights.astype("<f4"), self.moved.astype("<f4"))
        return _HEAD.pack(_FORMAT, len(self.slots), self.lessons) + b"".join(each.tobytes() for each in arrays)


def decode(encoded: bytes) -> Delta | None:
    """Return a delta; None for what is none, or another release's."""
    if len(encoded) < _HEAD.size:
        return None
    form, entries, lessons = _HEAD.unpack_from(encoded)
    if form != _FORMAT or entries > ENTRIES_MAX or len(encoded) != _HEAD.size + 12 * entries:
        return None
    slots = np.frombuffer(encoded, "<u4", entries, _HEAD.size).astype(np.uint32)
    weights = np.frombuffer(encoded, "<f4", entries, _HEAD.size + 4 * entries).astype(np.float32)
    moved = np.frombuffer(encoded, "<f4", entries, _HEAD.size + 8 * entries).astype(np.float32)
    is_sound = bool(np.isfinite(weights).all() and np.isfinite(moved).all() and (np.diff(slots.astype(int)) > 0).all())
    return Delta(slots, weights, moved, lessons) if is_sound else None


def _pruned(slots: Slots, weights: Floats, moved: Floats, lessons: int) -> Delta:
    """Keep the entries that weigh most."""
    if len(slots) > ENTRIES_MAX:
        kept = np.sort(np.argsort(-np.abs(weights), kind="stable")[:ENTRIES_MAX])
        slots, weights, moved = slots[kept], weights[kept], moved[kept]
    return Delta(slots, weights, moved, lessons)


def _capped(logit: float) -> float:
    return max(-LOGIT_MAX, min(LOGIT_MAX, logit))
