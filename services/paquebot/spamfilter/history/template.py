"""The simhash of a message's visible text: texts that differ in a name or a number have hashes close to each other.

64 bits over runs of eight octets; digits are one letter, white space one blank, tags nothing.
"""

import re

import numpy as np
import numpy.typing as npt

TEXT_MAX_BYTES = 2_048
TEXT_MIN_BYTES = 48  # less says nothing
NEAR_BITS = 10  # unrelated texts differ in 32, give or take 4
_RUN = 8
_RUNS_MAX = 768  # of a longer text one run in four counts, by its hash: so the same ones for the same text
_TAG = re.compile(rb"<(?:style|script)\b[^<]*+|<[^<>]*+>|&[a-z#0-9]{1,8};")
_BLANK = re.compile(rb"[\s0]+")
_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIXER = np.uint64(0xBF58476D1CE4E5B9)


def template_of(lowered: bytes) -> int:
    """Return the simhash of a text in lower case, HTML or not; 0 when there is too little of it."""
    text = _BLANK.sub(b" ", _TAG.sub(b" ", lowered[: 4 * TEXT_MAX_BYTES]).translate(_DIGITS)).strip()[:TEXT_MAX_BYTES]
    if len(text) < TEXT_MIN_BYTES:
        return 0
    hashes = _hashes(np.frombuffer(text, np.uint8))
    if len(hashes) > _RUNS_MAX:
        hashes = hashes[hashes & np.uint64(3) == 0]
    bits = np.unpackbits(hashes.view(np.uint8).reshape(-1, 8), axis=1)
    majority = bits.sum(axis=0, dtype=np.int64) * 2 > len(bits)
    return int.from_bytes(np.packbits(majority).tobytes(), "big")


def near(one: int, other: int) -> bool:
    """Say whether two templates are taken for one."""
    return bool(one) and bool(other) and (one ^ other).bit_count() <= NEAR_BITS


def _hashes(octets: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """Return a hash of every run of eight octets."""
    runs = np.zeros(len(octets) - _RUN + 1, np.uint64)
    for at in range(_RUN):
        runs = (runs << np.uint64(8)) | octets[at : at + len(runs)]
    hashes = runs * _MULTIPLIER
    hashes ^= hashes >> np.uint64(29)
    hashes *= _MIXER
    hashes ^= hashes >> np.uint64(32)
    return np.ascontiguousarray(hashes)
