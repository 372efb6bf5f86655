"""Words and letter sequences of a text as slot numbers: hashes, computed on whole arrays, the same on every platform.

A slot is a number below SLOTS. Which slots mean something is what a model has learned (`nets.py`).
"""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from paquebot.spamfilter.alphabet import SPACE, TEXT_MAX

SLOT_BITS: Final = 22
SLOTS: Final = 1 << SLOT_BITS

# Where a token stands is part of what it is.
BODY, SUBJECT, AUTHOR = 0, 1, 2

_BASE = 0x9E3779B97F4A7C15 | 1  # odd, so that it has an inverse modulo 2^64
_INVERSE = pow(_BASE, -1, 1 << 64)
_MIX = np.uint64(0xD6E8FEB86659FD93)
_PAIR = np.uint64(0xA0761D6478BD642F)
_SEEDS = tuple(np.uint64(each) for each in (0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0))
_GRAM = np.uint32(0x85EBCA6B)
_GRAM_MIX = np.uint32(0xC2B2AE35)
_POINTS_MAX: Final = 3 * TEXT_MAX  # each letter may be a mark with spaces around it

_IDEOGRAPHS: Final = ((0x3040, 0x3100), (0x3400, 0xA000), (0xF900, 0xFB00), (0x20000, 0x32000))

Slots = NDArray[np.uint32]


def word_slots(points: NDArray[np.uint32], *fields: int) -> Slots:
    """Return the slots of words and pairs of neighbours as tokens of each of the fields; an ideograph is a word.

    `points` come from `letters()`: single spaces, one at each end.
    """
    if not points.size:
        return np.empty(0, np.uint32)
    starts, stops = _words(points)
    powers, inverses = _powers()
    sums = np.zeros(points.size + 1, np.uint64)
    np.cumsum(points * powers[: points.size], dtype=np.uint64, out=sums[1:])
    plain = (sums[stops] - sums[starts]) * inverses[starts]
    found = []
    for field in fields:
        words = _mixed(plain + _SEEDS[field])
        found += [words, _mixed(words[:-1] * _PAIR + words[1:])]
    return _slots(np.concatenate(found))


def _words(points: NDArray[np.uint32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return where words begin and end."""
    spaces = points == SPACE
    if points.max() < _IDEOGRAPHS[0][0]:
        at = np.flatnonzero(spaces)
        return at[:-1] + 1, at[1:]
    ideographs = np.zeros(points.size, np.bool_)
    for first, last in _IDEOGRAPHS:
        ideographs |= (points >= first) & (points < last)
    divided = spaces[:-1] | spaces[1:] | ideographs[:-1] | ideographs[1:]
    return np.flatnonzero(divided & ~spaces[1:]) + 1, np.flatnonzero(divided & ~spaces[:-1]) + 1


def letter_slots(points: NDArray[np.uint32]) -> Slots:
    """Return the slots of two, three and four neighbouring code points, spaces included."""
    found = []
    gram = points.copy()
    for length in (2, 3, 4):
        if points.size < length:
            break
        gram = gram[:-1] * _GRAM + points[length - 1 :]
        mixed = (gram ^ (gram >> np.uint32(15))) * _GRAM_MIX + np.uint32(length)
        found.append((mixed ^ (mixed >> np.uint32(13))) * _GRAM >> np.uint32(32 - SLOT_BITS))
    return np.concatenate(found) if found else np.empty(0, np.uint32)


def _mixed(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    hashes = (hashes ^ (hashes >> np.uint64(32))) * _MIX
    return hashes ^ (hashes >> np.uint64(29))


def _slots(hashes: NDArray[np.uint64]) -> Slots:
    return ((hashes * _MIX) >> np.uint64(64 - SLOT_BITS)).astype(np.uint32)


@lru_cache(maxsize=1)
def _powers() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the powers of the base and of its inverse, modulo 2^64."""
    powers = np.full(_POINTS_MAX, _BASE, np.uint64)
    inverses = np.full(_POINTS_MAX, _INVERSE, np.uint64)
    powers[0] = inverses[0] = 1
    return np.multiply.accumulate(powers), np.multiply.accumulate(inverses)
