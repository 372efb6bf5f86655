"""The two small nets of a model: which slots mean what, and how form is weighed beside them. Plain numpy, one thread.

A net takes the mean of its rows for the slots of a message, sets the form beside it, and adds one hidden layer.
Rows are stored as 8-bit numbers with a scale each; sums use no linear algebra library, so that nothing waits for
threads of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from paquebot.spamfilter.grams import SLOTS, Slots

BAG_SCALE: Final = 8.0
BAG_DOUBT: Final = 12  # rows that say nothing, in every mean: a few words are little evidence
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Net:
    """One net. Row 0 of `rows` is zero and of no slot; `first` has a line for each column of a row and each feature."""

    row_of_slot: NDArray[np.uint32]
    rows: Floats
    first: Floats
    first_bias: Floats
    second: Floats
    second_bias: float

    def bag(self, slots: Slots) -> Floats:
        """Return the scaled mean of the rows of slots that mean something, each once, and of BAG_DOUBT empty ones."""
        known = self.row_of_slot.take(distinct(slots))  # in order, so that memory is read in order
        known = known[known > 0]
        rows: Floats = np.add.reduce(self.rows.take(known, axis=0), axis=0)
        return rows * np.float32(BAG_SCALE / (known.size + BAG_DOUBT))

    def logits(self, inputs: Floats) -> Floats:
        """Return a logit for each line of inputs: a bag and the standardised form beside it."""
        hidden = np.maximum(inputs @ self.first + self.first_bias, 0)
        answer: Floats = hidden @ self.second + np.float32(self.second_bias)
        return answer


def distinct(slots: Slots) -> Slots:
    """Return slots in order, each once: what `numpy.unique` does, in half the time."""
    if not slots.size:
        return slots
    ordered = np.sort(slots)
    once = np.empty(ordered.size, np.bool_)
    once[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=once[1:])
    return ordered[once]


def to_arrays(net: Net, name: str) -> dict[str, NDArray[np.generic]]:
    """Return a net as arrays to store, their names beginning with its own."""
    slots = np.flatnonzero(net.row_of_slot).astype(np.uint32)
    rows = net.rows[net.row_of_slot[slots]]
    scales = (np.abs(rows).max(axis=1) / 127).astype(np.float16)
    scales[scales == 0] = 1
    coded = np.clip(np.rint(rows / scales[:, None].astype(np.float32)), -127, 127).astype(np.int8)
    return {
        f"{name}.slots": slots,
        f"{name}.rows": coded,
        f"{name}.scales": scales,
        f"{name}.first": net.first.astype(np.float32),
        f"{name}.first_bias": net.first_bias.astype(np.float32),
        f"{name}.second": net.second.astype(np.float32),
        f"{name}.second_bias": np.array([net.second_bias], np.float32),
    }


def from_arrays(arrays: Mapping[str, NDArray[np.generic]], name: str) -> Net:
    """Return a stored net. Raises KeyError for a missing array and ValueError for ones that do not fit together."""
    slots = np.asarray(arrays[f"{name}.slots"], np.uint32)
    coded = np.asarray(arrays[f"{name}.rows"], np.int8)
    scales = np.asarray(arrays[f"{name}.scales"], np.float32)
    if not len(slots) == len(coded) == len(scales) or (slots.size and int(slots.max()) >= SLOTS):
        raise ValueError(f"the rows of the net {name} do not fit its slots")
    row_of_slot = np.zeros(SLOTS, np.uint32)
    row_of_slot[slots] = np.arange(1, slots.size + 1, dtype=np.uint32)
    rows = np.zeros((slots.size + 1, coded.shape[1]), np.float32)
    np.multiply(coded, scales[:, None], out=rows[1:])
    return Net(
        row_of_slot,
        rows,
        np.asarray(arrays[f"{name}.first"], np.float32),
        np.asarray(arrays[f"{name}.first_bias"], np.float32),
        np.asarray(arrays[f"{name}.second"], np.float32),
        float(np.asarray(arrays[f"{name}.second_bias"], np.float32)[0]),
    )
