"""Leaving sources out: each is judged by a model that never saw it, as mail of strangers will be."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paquebot.spamfilter.nets import Floats
from paquebot.spamfilter.training.corpus import SOURCES_OF_STORIES, SOURCES_OF_TEMPLATES
from paquebot.spamfilter.training.learner import Recipes, learn, logits
from paquebot.spamfilter.training.prepared import Prepared

FOLDS = 3


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What models said of mail whose source they were not trained with: lines of the whole, and their logits."""

    lines: NDArray[np.intp]
    logits: Floats


def fold_of(sources: NDArray[np.str_], spam: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return in which fold each message is left out.

    Collections with both labels go apart, so that every fold still trains on one; templates and stories are dealt out
    by family, so that none is judged by a model that knows its siblings only.
    """
    fold = np.zeros(len(sources), np.intp)
    names = [str(name) for name in np.unique(sources)]
    for kind in (_is_template, _is_story, _is_collection):
        mine = sorted(filter(kind, names), key=lambda name: (_has_one_label(spam[sources == name]), name))
        for place, name in enumerate(mine):
            fold[sources == name] = place % FOLDS
    return fold


def leave_out(prepared: Prepared, recipes: Recipes, told: Callable[[str], None] = lambda _: None) -> Iterator[LeftOut]:
    """Train once for each fold without it, and yield what that model says of it."""
    fold = fold_of(prepared.sources, prepared.spam)
    for number in range(FOLDS):
        out = np.flatnonzero(fold == number)
        if not out.size or out.size == len(prepared):
            continue
        told(f"without {', '.join(_short(prepared.sources[out]))}")
        learned = learn(prepared.take(np.flatnonzero(fold != number)), recipes)
        yield LeftOut(out, logits(learned, prepared.take(out)))


def joined(parts: list[LeftOut], count: int) -> Floats:
    """Return one logit for each of `count` messages; NaN for one that was never left out."""
    found = np.full(count, np.nan, np.float32)
    for part in parts:
        found[part.lines] = part.logits
    return found


def _short(sources: NDArray[np.str_]) -> list[str]:
    names = [str(name) for name in np.unique(sources)]
    stories = sum(map(_is_story, names))
    return [name for name in names if not _is_story(name)] + ([f"{stories} families of stories"] if stories else [])


def _has_one_label(spam: NDArray[np.bool_]) -> bool:
    return bool(spam.all() or not spam.any())


def _is_template(name: str) -> bool:
    return name.startswith(SOURCES_OF_TEMPLATES)


def _is_story(name: str) -> bool:
    return name.startswith(SOURCES_OF_STORIES)


def _is_collection(name: str) -> bool:
    return not (_is_template(name) or _is_story(name))
