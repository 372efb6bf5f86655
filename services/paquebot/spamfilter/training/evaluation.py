"""Answers about labelled mail as figures: all of it, each kind of it, each language. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paquebot.spamfilter.nets import Floats
from paquebot.spamfilter.training.measures import Ranking, Trust, Truth, curve, ranking, trust

LANGUAGE_MIN = 30  # messages from which on a language has a line of its own


@dataclass(frozen=True, slots=True)
class Answers:
    """What a model said of messages: calibrated log-odds, and what is true."""

    logits: Floats
    spam: Truth
    sources: NDArray[np.str_]
    languages: NDArray[np.str_]

    @property
    def probabilities(self) -> Floats:
        """The log-odds as probabilities."""
        found: Floats = (1 / (1 + np.exp(-np.clip(self.logits, -60, 60)))).astype(np.float32)
        return found

    def take(self, chosen: Truth) -> "Answers":
        """Return some of them."""
        return Answers(self.logits[chosen], self.spam[chosen], self.sources[chosen], self.languages[chosen])


@dataclass(frozen=True, slots=True)
class Share:
    """Of so many messages of one kind, the shares (0 to 1) that are held or worse, and rejected, at the levels."""

    kind: str
    spam: bool
    messages: int
    held: float
    rejected: float


@dataclass(frozen=True, slots=True)
class Figures:
    """All that is told of answers. Levels are probabilities; the curve has shares of wanted and unwanted mail."""

    ranking: Ranking
    trust: Trust
    hold: float
    reject: float
    by_source: tuple[Share, ...]
    by_language: tuple[Share, ...]
    curve: tuple[tuple[float, float], ...]


def figures(answers: Answers, hold: float, reject: float) -> Figures:
    """Return the figures of answers at two levels."""
    both = bool(answers.spam.any()) and not bool(answers.spam.all())
    return Figures(
        ranking(answers.logits, answers.spam),
        trust(answers.probabilities, answers.spam),
        hold,
        reject,
        _shares(answers, answers.sources, hold, reject),
        _shares(answers, answers.languages, hold, reject, LANGUAGE_MIN),
        tuple(curve(answers.logits, answers.spam)) if both else (),
    )


def _shares(
    answers: Answers, kinds: NDArray[np.str_], hold: float, reject: float, messages_min: int = 1
) -> tuple[Share, ...]:
    found = []
    for kind in np.unique(kinds):
        for spam in (False, True):
            mine = answers.probabilities[(kinds == kind) & (answers.spam == spam)]
            if mine.size >= messages_min:
                held, rejected = (float((mine >= level).mean()) for level in (hold, reject))
                found.append(Share(str(kind), spam, int(mine.size), held, rejected))
    return tuple(found)
