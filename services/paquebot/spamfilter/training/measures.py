"""How good answers are: ranking, recall at few false positives, calibration. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paquebot.spamfilter.nets import Floats

BINS = 15  # of probability, for the calibration error
CURVE_POINTS = 200

Truth = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Ranking:
    """How well unwanted mail is told from wanted: area under the curve, recall at 0.1 % and 1 % false positives."""

    wanted: int
    unwanted: int
    area: float
    recall_01: float
    recall_1: float


@dataclass(frozen=True, slots=True)
class Trust:
    """How far probabilities can be believed: expected calibration error and Brier score, both 0 at best."""

    calibration_error: float
    brier: float


def ranking(logits: Floats, spam: Truth) -> Ranking:
    """Return the figures of ranking; NaN where one label is missing."""
    wanted, unwanted = np.sort(logits[~spam]), logits[spam]
    if not wanted.size or not unwanted.size:
        return Ranking(wanted.size, unwanted.size, float("nan"), float("nan"), float("nan"))
    below = np.searchsorted(wanted, unwanted, "left") + np.searchsorted(wanted, unwanted, "right")
    return Ranking(
        wanted.size,
        unwanted.size,
        float(below.mean() / 2 / wanted.size),
        recall_at(logits, spam, 0.001),
        recall_at(logits, spam, 0.01),
    )


def level_at(wanted: Floats, share: float) -> float:
    """Return the logit that at most this share of wanted mail lies above."""
    return float(np.sort(wanted)[::-1][int(share * len(wanted))])


def recall_at(logits: Floats, spam: Truth, share: float) -> float:
    """Return the share of unwanted mail above the level that `share` of wanted mail reaches at most."""
    return float((logits[spam] > level_at(logits[~spam], share)).mean())


def trust(probabilities: Floats, spam: Truth) -> Trust:
    """Return the figures of calibration."""
    bins = np.minimum((probabilities * BINS).astype(np.int64), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    said = np.bincount(bins, probabilities, BINS)
    true = np.bincount(bins, spam, BINS)
    return Trust(float(np.abs(said - true).sum() / max(1, counts.sum())), float(((probabilities - spam) ** 2).mean()))


def curve(logits: Floats, spam: Truth) -> list[tuple[float, float]]:
    """Return points: shares of wanted and of unwanted mail above a level, close together where few are wanted."""
    wanted, unwanted = np.sort(logits[~spam]), np.sort(logits[spam])
    shares = np.geomspace(1 / max(2, wanted.size), 1, CURVE_POINTS)
    levels = wanted[::-1][np.minimum((shares * wanted.size).astype(np.int64), wanted.size - 1)]
    recalls = 1 - np.searchsorted(unwanted, levels, "right") / unwanted.size
    return [(float(share), float(recall)) for share, recall in zip(shares, recalls, strict=True)]
