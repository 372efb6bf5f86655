"""Makes a model that may be used: fitted on everything, with levels and calibration from mail of sources left out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from paquebot.spamfilter.nets import Floats
from paquebot.spamfilter.training.corpus import SOURCES_OF_STORIES
from paquebot.spamfilter.training.evaluation import Answers, Figures, figures
from paquebot.spamfilter.training.fit import Recipe, weights
from paquebot.spamfilter.training.folds import joined, leave_out
from paquebot.spamfilter.training.learner import Calibration, Learned, Recipes, arrays_of, calibrated, learn, well_known
from paquebot.spamfilter.training.measures import Truth
from paquebot.spamfilter.training.prepared import Prepared

# Shares of wanted mail, of sources left out, that reach a level at most.
TAGGED, HELD, REJECTED = 0.02, 0.01, 0.0005


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model is made. Folds are fitted on at most `fold_source_max` messages of a source and label."""

    recipes: Recipes = field(default_factory=Recipes)
    fold_recipes: Recipes = field(
        # Fewer messages in smaller batches: what counts is the number of steps.
        default_factory=lambda: Recipes(
            Recipe(batch=64, rows_rate=2e-2), Recipe(batch=64, rows_rate=2e-2, epochs=3, seed=2)
        ),
    )
    fold_source_max: int = 2_000
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Made:
    """A model's arrays, how it is calibrated, and what models that did not know a source said of it."""

    arrays: Mapping[str, NDArray[np.generic]]
    calibration: Calibration
    languages: list[str]
    left_out: Answers
    figures: Figures


def make(prepared: Prepared, plan: Plan, told: Callable[[str], None] = lambda _: None) -> Made:
    """Make a model of all messages that are not held out."""
    kept = prepared.take(np.flatnonzero(~prepared.held_out))
    thin = kept.take(thinned(kept, plan.fold_source_max, plan.seed))
    left_out = answers_left_out(thin, plan.fold_recipes, told)
    told(f"fitting on {len(kept)} messages")
    return made_of(learn(kept, plan.recipes), kept, left_out, calibrate(left_out, thin))


def made_of(learned: Learned, kept: Prepared, left_out: Answers, calibration: Calibration) -> Made:
    """Put a model together from its nets, what they were fitted on, and answers about sources left out."""
    languages = well_known(kept)
    scaled = _scaled(left_out, calibration)
    _, hold, reject = calibration.levels
    return Made(
        arrays_of(learned, calibration, languages),
        calibration,
        languages,
        scaled,
        figures(scaled.take(~is_composed(scaled.sources)), hold, reject),
    )


def judged_apart(prepared: Prepared, told: Callable[[str], None]) -> dict[str, Figures]:
    """Return figures of sources left out: all real mail, stories, and each collection that has both labels."""
    plan = Plan()
    thin = prepared.take(thinned(prepared, plan.fold_source_max, plan.seed))
    left_out = answers_left_out(thin, plan.fold_recipes, told)
    calibration = calibrate(left_out, thin)
    scaled = _scaled(left_out, calibration)
    known = ~np.isnan(scaled.logits)
    composed = is_composed(scaled.sources)
    sets = {"real mail": known & ~composed, "stories": known & composed}
    for source in np.unique(scaled.sources[sets["real mail"]]):
        mine = known & (scaled.sources == source)
        if len(set(scaled.spam[mine].tolist())) > 1:
            sets[str(source)] = mine
    _, hold, reject = calibration.levels
    return {name: figures(scaled.take(chosen), hold, reject) for name, chosen in sets.items() if chosen.any()}


def answers_left_out(prepared: Prepared, recipes: Recipes, told: Callable[[str], None]) -> Answers:
    """Return what models say of sources that they were not fitted on."""
    logit = joined(list(leave_out(prepared, recipes, told)), len(prepared))
    return Answers(logit, prepared.spam, prepared.sources, prepared.languages)


def calibrate(left_out: Answers, prepared: Prepared) -> Calibration:
    """Find the curve of probability on mail of sources left out, and the levels on what of it is no story."""
    known = ~np.isnan(left_out.logits)
    slope, offset = calibrated(left_out.logits[known], left_out.spam[known], weights(prepared)[known])
    wanted = known & ~left_out.spam & ~is_composed(left_out.sources)
    weight = weights(prepared)[wanted]
    levels = (_level(left_out.logits[wanted], weight, share) for share in (TAGGED, HELD, REJECTED))
    tag, hold, reject = (_probability(slope * level + offset) for level in levels)
    return Calibration(slope, offset, (tag, hold, reject))


def thinned(prepared: Prepared, source_max: int, seed: int) -> NDArray[np.intp]:
    """Return lines with at most so many messages of each source and label."""
    rng = np.random.default_rng(seed)
    kept = []
    for source in np.unique(prepared.sources):
        for label in (False, True):
            mine = np.flatnonzero((prepared.sources == source) & (prepared.spam == label))
            kept.append(rng.permutation(mine)[:source_max])
    return np.sort(np.concatenate(kept))


def is_composed(sources: NDArray[np.str_]) -> Truth:
    """Say which sources are stories."""
    return np.char.startswith(sources, SOURCES_OF_STORIES)


def _scaled(answers: Answers, calibration: Calibration) -> Answers:
    logit: Floats = (calibration.slope * answers.logits + calibration.offset).astype(np.float32)
    return replace(answers, logits=logit)


def _probability(logit: float) -> float:
    """Return the probability of log-odds."""
    return float(1 / (1 + np.exp(-np.clip(logit, -60, 60))))


def _level(logits: Floats, weight: Floats, share: float) -> float:
    """Return the logit above which lies that share of the weight."""
    order = np.argsort(-logits, kind="stable")
    above = np.cumsum(weight[order]) / weight.sum()
    return float(logits[order][min(int(np.searchsorted(above, share, "right")), len(order) - 1)])
