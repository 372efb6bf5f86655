"""The simhash of a message's visible text: texts that differ in a name or a number have hashes close to each other.

64 bits over runs of eight octets; digits and white space are one blank, tags nothing.
"""

import re

import numpy as np
import numpy.typing as npt

TEXT_MAX_BYTES = 1_024
_READ_MAX_BYTES = 8_192  # of HTML, from its body on
TEXT_MIN_BYTES = 48  # less says nothing
NEAR_BITS = 10  # unrelated texts differ in 32, give or take 4
_RUN = 8
_RUNS_MAX = 768  # of a longer text one run in four counts, by its hash: so the same ones for the same text
_TAG = re.compile(rb"<(?:style|script)\b[^<]*+|<[^<>]*+>|&[a-z#0-9]{1,8};")
_DIGITS = bytes.maketrans(b"0123456789", b" " * 10)
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIXER = np.uint64(0xBF58476D1CE4E5B9)


def template_of(lowered: bytes) -> int:
    """Return the simhash of a text in lower case, HTML or not; 0 when there is too little of it."""
    visible = _TAG.sub(b" ", lowered[: 4 * TEXT_MAX_BYTES])
    text = b" ".join(visible.translate(_DIGITS).split())[:TEXT_MAX_BYTES]
    if len(text) < TEXT_MIN_BYTES:
        return 0
    hashes = _hashes(text)
    if len(hashes) > _RUNS_MAX:
        hashes = hashes[hashes & np.uint64(3) == 0]
    bits = np.unpackbits(hashes.view(np.uint8).reshape(-1, 8), axis=1)
    majority = bits.sum(axis=0, dtype=np.uint16) * 2 > len(bits)
    return int.from_bytes(np.packbits(majority).tobytes(), "big")


def near(one: int, other: int) -> bool:
    """Say whether two templates are taken for one."""
    return bool(one) and bool(other) and (one ^ other).bit_count() <= NEAR_BITS


def _hashes(text: bytes) -> npt.NDArray[np.uint64]:
    """Return a hash of every run of eight octets."""
    runs = np.ndarray((len(text) - _RUN + 1,), ">u8", text, 0, (1,)).astype(np.uint64)  # each begins an octet later
    hashes = runs * _MULTIPLIER
    hashes ^= hashes >> np.uint64(29)
    hashes *= _MIXER
    hashes ^= hashes >> np.uint64(32)
    return np.ascontiguousarray(hashes)
