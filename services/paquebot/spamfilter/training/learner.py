"""Learns a model from prepared mail, and says what it thinks of other prepared mail. No files, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from paquebot.spamfilter.content import FORMAT, standardised
from paquebot.spamfilter.nets import BAG_DOUBT, BAG_SCALE, Floats, Net, to_arrays
from paquebot.spamfilter.shape import NAMES
from paquebot.spamfilter.training.fit import Recipe, fit, weights
from paquebot.spamfilter.training.prepared import Prepared, Ragged

WELL_KNOWN_MIN = 200  # unwanted messages of a language from which on content alone may reject
_AT_ONCE = 1_000  # messages in one matrix


@dataclass(frozen=True, slots=True)
class Recipes:
    """How the two nets are fitted."""

    words: Recipe = field(default_factory=Recipe)
    letters: Recipe = field(default_factory=lambda: Recipe(epochs=3, seed=2))


@dataclass(frozen=True, slots=True)
class Learned:
    """Two nets and how form is standardised for them, not calibrated yet."""

    words: Net
    letters: Net
    mean: Floats
    scale: Floats


@dataclass(frozen=True, slots=True)
class Calibration:
    """What makes probabilities of the nets' mean logit, and the levels of tag, hold and reject."""

    slope: float = 1.0
    offset: float = 0.0
    levels: tuple[float, float, float] = (0.5, 0.9, 0.99)


def learn(prepared: Prepared, recipes: Recipes) -> Learned:
    """Fit both nets."""
    mean, scale = _moments(prepared)
    forms = standardised(prepared.shapes, mean, scale)
    return Learned(
        fit(prepared.words, forms, prepared, recipes.words),
        fit(prepared.letters, forms, prepared, recipes.letters),
        mean,
        scale,
    )


def logits(learned: Learned, prepared: Prepared) -> Floats:
    """Return the mean of both nets' logits for each message."""
    forms = standardised(prepared.shapes, learned.mean, learned.scale)
    total: Floats = (
        _net_logits(learned.words, prepared.words, forms) + _net_logits(learned.letters, prepared.letters, forms)
    ) / np.float32(2)
    return total


def calibrated(logit: Floats, spam: NDArray[np.bool_], weight: Floats) -> tuple[float, float]:
    """Return slope and offset of the logistic curve through the answers (Platt), by Newton's method."""
    slope, offset = 1.0, 0.0
    at = np.stack((logit.astype(np.float64), np.ones(len(logit))))
    for _ in range(50):
        probability = 1 / (1 + np.exp(-np.clip(slope * at[0] + offset, -30, 30)))
        gradient = at @ (weight * (probability - spam))
        bend = (at * (weight * probability * (1 - probability))) @ at.T + 1e-6 * np.eye(2)
        step = np.linalg.solve(bend, gradient)
        slope, offset = slope - step[0], offset - step[1]
        if np.abs(step).max() < 1e-9:  # noqa: PLR2004
            break
    return float(slope), float(offset)


def well_known(prepared: Prepared) -> list[str]:
    """Return the languages of which there is unwanted mail enough."""
    names, counts = np.unique(prepared.languages[prepared.spam], return_counts=True)
    return [str(name) for name, count in zip(names, counts, strict=True) if count >= WELL_KNOWN_MIN]


def arrays_of(learned: Learned, calibration: Calibration, languages: list[str]) -> Mapping[str, NDArray[np.generic]]:
    """Return a model as the arrays that its file holds."""
    return {
        "format": np.array([FORMAT], np.int64),
        "features": np.array(NAMES, np.str_),
        "languages": np.array(languages, np.str_),
        "form_mean": learned.mean,
        "form_scale": learned.scale,
        "calibration": np.array([calibration.slope, calibration.offset], np.float64),
        "levels": np.array(calibration.levels, np.float64),
        **to_arrays(learned.words, "words"),
        **to_arrays(learned.letters, "letters"),
    }


def small_recipes(sources_min: int = 1) -> Recipes:
    """Return recipes for a few dozen messages: for tests and for trying things."""
    words = Recipe(columns=4, hidden=8, epochs=12, batch=16, messages_min=2, sources_min=sources_min)
    return Recipes(words, replace(words, seed=2))


def _moments(prepared: Prepared) -> tuple[Floats, Floats]:
    """Return mean and deviation of each feature where it is known."""
    known = ~np.isnan(prepared.shapes)
    weight = weights(prepared)[:, None] * known
    total = np.maximum(weight.sum(axis=0), 1e-9)
    shapes = np.where(known, prepared.shapes, 0)
    mean = (shapes * weight).sum(axis=0) / total
    variance = ((shapes - mean) ** 2 * weight).sum(axis=0) / total
    return mean.astype(np.float32), np.sqrt(variance + 1e-3).astype(np.float32)


def _net_logits(net: Net, slots: Ragged, forms: Floats) -> Floats:
    found = np.zeros(len(slots), np.float32)
    for start in range(0, len(slots), _AT_ONCE):
        lines = np.arange(start, min(start + _AT_ONCE, len(slots)))
        mine = slots.take(lines)
        rows = net.row_of_slot[mine.values]
        known = rows > 0
        counts = np.bincount(np.repeat(np.arange(len(mine)), np.diff(mine.bounds))[known], minlength=len(mine))
        values = np.repeat((BAG_SCALE / (counts + BAG_DOUBT)).astype(np.float32), counts)
        bounds = np.concatenate(([0], np.cumsum(counts)))
        bags = csr_array((values, rows[known], bounds), shape=(len(mine), len(net.rows)))
        found[lines] = net.logits(np.concatenate((bags @ net.rows, forms[lines]), axis=1))
    return found
