"""Fits the nets: which slots become rows, and their numbers, by gradient descent with fixed seeds.

The recipe is what measurements on mail of other sources favoured (docs/spam.md): many small ways to keep a
net from leaning on one word or one collection.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from paquebot.spamfilter.grams import SLOTS
from paquebot.spamfilter.nets import BAG_DOUBT, BAG_SCALE, Floats, Net
from paquebot.spamfilter.training.corpus import SOURCES_OF_STORIES, SOURCES_OF_TEMPLATES
from paquebot.spamfilter.training.prepared import Prepared, Ragged

COMPOSED_SHARE = 0.4
STEPS_MAX = 2_000  # after which the beginning of a moving mean is forgotten


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a net is fitted. Rates fall to nothing along half a cosine."""

    columns: int = 16
    hidden: int = 32
    epochs: int = 4
    batch: int = 128
    rows_rate: float = 1.5e-2
    dense_rate: float = 3e-3
    smoothing: float = 0.01
    form_dropped: float = 0.3
    messages_min: int = 3
    sources_min: int = 2
    rows_max: int = 250_000
    seed: int = 1


class _Adam:
    """Adam's moments of one dense array."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.mean = np.zeros(shape, np.float32)
        self.square = np.zeros(shape, np.float32)
        self.steps = 0

    def step(self, values: Floats, gradient: Floats, rate: float) -> None:
        """Change values in place."""
        self.steps += 1
        self.mean += np.float32(0.1) * (gradient - self.mean)
        self.square += np.float32(0.01) * (gradient * gradient - self.square)
        mean = self.mean / (1 - 0.9**self.steps)
        square = self.square / (1 - 0.99**self.steps)
        values -= np.float32(rate) * mean / (np.sqrt(square) + np.float32(1e-8))


class _RowAdam:
    """Adam for rows of which few are touched at a time: one second moment a row."""

    def __init__(self, rows: int, columns: int) -> None:
        self.mean = np.zeros((rows, columns), np.float32)
        self.square = np.zeros(rows, np.float32)
        self.steps = np.zeros(rows, np.int32)
        counts = np.arange(1, STEPS_MAX + 1, dtype=np.float64)
        self.mean_rise = (1 / (1 - 0.9**counts)).astype(np.float32)
        self.square_rise = (1 / (1 - 0.99**counts)).astype(np.float32)

    def step(self, values: Floats, touched: NDArray[np.intp], gradient: Floats, rate: float) -> None:
        """Change the touched rows of values in place."""
        steps = np.minimum(self.steps[touched], STEPS_MAX - 1)
        self.steps[touched] += 1
        mean = self.mean[touched] * np.float32(0.9) + gradient * np.float32(0.1)
        energy = np.einsum("ij,ij->i", gradient, gradient) / np.float32(gradient.shape[1])
        square = self.square[touched] * np.float32(0.99) + energy * np.float32(0.01)
        self.mean[touched], self.square[touched] = mean, square
        size = np.sqrt(square * self.square_rise[steps]) + np.float32(1e-8)
        mean *= (np.float32(rate) * self.mean_rise[steps] / size)[:, None]
        values[touched] -= mean


def vocabulary(slots: Ragged, sources: NDArray[np.str_], recipe: Recipe) -> NDArray[np.uint32]:
    """Return which row a slot has, 0 for none: those of enough messages from enough sources, the commonest first."""
    counts = np.bincount(slots.values, minlength=SLOTS)
    spread = np.zeros(SLOTS, np.uint16)
    for source in np.unique(sources):
        present = np.zeros(SLOTS, np.bool_)
        present[slots.take(np.flatnonzero(sources == source)).values] = True
        spread += present
    good = np.flatnonzero((counts >= recipe.messages_min) & (spread >= recipe.sources_min))
    good = np.sort(good[np.argsort(-counts[good], kind="stable")][: recipe.rows_max])
    rows = np.zeros(SLOTS, np.uint32)
    rows[good] = np.arange(1, good.size + 1, dtype=np.uint32)
    return rows


def weights(prepared: Prepared) -> Floats:
    """Return a weight for each message, mean 1, both labels even: a source of n messages counts as their root.

    Rendered templates count twice; all stories of a label together as COMPOSED_SHARE of it.
    """
    weight = np.zeros(len(prepared), np.float64)
    for source in np.unique(prepared.sources):
        for label in (False, True):
            mine = (prepared.sources == source) & (prepared.spam == label)
            if mine.any():
                weight[mine] = (2.0 if source.startswith(SOURCES_OF_TEMPLATES) else 1.0) / np.sqrt(mine.sum())
    composed = np.char.startswith(prepared.sources, SOURCES_OF_STORIES)
    for label in (False, True):
        parts = ((composed, COMPOSED_SHARE), (~composed, 1 - COMPOSED_SHARE))
        mine = [(chosen & (prepared.spam == label), share) for chosen, share in parts]
        present = sum(share for chosen, share in mine if chosen.any())
        for chosen, share in mine:
            if chosen.any():
                weight[chosen] *= 0.5 * len(prepared) * share / present / weight[chosen].sum()
    return weight.astype(np.float32)


def fit(slots: Ragged, forms: Floats, prepared: Prepared, recipe: Recipe) -> Net:
    """Fit one net on all messages of `prepared`; `forms` are standardised."""
    rng = np.random.default_rng(recipe.seed)
    row_of_slot = vocabulary(slots, prepared.sources, recipe)
    rows = row_of_slot[slots.values]
    lines = np.repeat(np.arange(len(slots)), np.diff(slots.bounds))
    known = Ragged(
        rows[rows > 0] - 1, np.concatenate(([0], np.cumsum(np.bincount(lines[rows > 0], minlength=len(slots)))))
    )
    state = _State(int(row_of_slot.max()), forms.shape[1], rng, recipe)
    weight = weights(prepared)
    target = np.where(prepared.spam, 1 - recipe.smoothing, recipe.smoothing).astype(np.float32)
    steps = recipe.epochs * -(-len(prepared) // recipe.batch)
    step = 0
    for _ in range(recipe.epochs):
        order = rng.permutation(len(prepared))
        for start in range(0, len(order), recipe.batch):
            batch = order[start : start + recipe.batch]
            fall = 0.5 * (1 + np.cos(np.pi * step / steps))
            state.learn(
                _bags(known.take(batch), state.row_count, rng), forms[batch], target[batch], weight[batch], fall
            )
            step += 1
    return state.net(row_of_slot)


def _bags(slots: Ragged, row_count: int, rng: np.random.Generator) -> csr_array:
    """Return the batch as a sparse matrix of scaled means; of each message a random share of the slots is left out."""
    lengths = np.diff(slots.bounds)
    kept = rng.random(len(slots.values), np.float32) < np.repeat(
        rng.random(len(slots), np.float32) ** np.float32(0.7) + np.float32(0.02), lengths
    )
    lines = np.repeat(np.arange(len(slots)), lengths)[kept]
    counts = np.bincount(lines, minlength=len(slots))
    bounds = np.concatenate(([0], np.cumsum(counts)))
    values = np.repeat((BAG_SCALE / (counts + BAG_DOUBT)).astype(np.float32), counts)
    return csr_array((values, slots.values[kept], bounds), shape=(len(slots), row_count))


class _State:
    """Numbers that learn."""

    def __init__(self, row_count: int, features: int, rng: np.random.Generator, recipe: Recipe) -> None:
        self.row_count = row_count
        self.recipe = recipe
        self.rng = rng
        width = recipe.columns + features
        self.rows = (rng.standard_normal((row_count, recipe.columns), np.float32)) * np.float32(0.05)
        self.first = rng.standard_normal((width, recipe.hidden), np.float32) * np.float32(np.sqrt(2 / width))
        self.first_bias = np.zeros(recipe.hidden, np.float32)
        self.second = rng.standard_normal(recipe.hidden, np.float32) * np.float32(np.sqrt(1 / recipe.hidden))
        self.second_bias = np.zeros(1, np.float32)
        self.dense = [_Adam(each.shape) for each in (self.first, self.first_bias, self.second, self.second_bias)]
        self.row_adam = _RowAdam(row_count, recipe.columns)

    def learn(self, bags: csr_array, forms: Floats, target: Floats, weight: Floats, fall: float) -> None:
        """Take one step on a batch."""
        forms = forms * (self.rng.random((len(forms), 1)) >= self.recipe.form_dropped)
        inputs = np.concatenate((bags @ self.rows, forms.astype(np.float32)), axis=1)
        hidden = np.maximum(inputs @ self.first + self.first_bias, 0)
        logits = hidden @ self.second + self.second_bias
        error = (weight * (1 / (1 + np.exp(-np.clip(logits, -30, 30))) - target) / len(target)).astype(np.float32)
        back = error[:, None] * self.second * (hidden > 0)
        row_back = np.ascontiguousarray((back @ self.first.T)[:, : self.recipe.columns])
        gradients = (inputs.T @ back, back.sum(axis=0), hidden.T @ error, error.sum(keepdims=True))
        place = np.zeros(self.row_count, np.int32)
        place[bags.indices] = 1
        touched = np.flatnonzero(place)
        place[touched] = np.arange(touched.size, dtype=np.int32)
        small = csr_array((bags.data, place[bags.indices], bags.indptr), shape=(len(target), touched.size))
        self.row_adam.step(self.rows, touched, small.T @ row_back, self.recipe.rows_rate * fall)
        values = (self.first, self.first_bias, self.second, self.second_bias)
        for adam, value, gradient in zip(self.dense, values, gradients, strict=True):
            adam.step(value, gradient, self.recipe.dense_rate * fall)

    def net(self, row_of_slot: NDArray[np.uint32]) -> Net:
        """Return what was learned."""
        rows = np.concatenate((np.zeros((1, self.recipe.columns), np.float32), self.rows))
        return Net(row_of_slot, rows, self.first, self.first_bias, self.second, float(self.second_bias[0]))
