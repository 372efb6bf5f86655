"""The reference that a refused sender is told: short enough to read out, and found again by who runs the platform.

It is the first 75 bits of the message's id, so it tells when that was and nothing else, and is the same for a repeat
under the same id.
"""

from typing import Final
from uuid import UUID

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: no i, l, o, u
_READ_AS: Final = str.maketrans("ilo", "110")
_LETTERS: Final = 15
_GROUP: Final = 5
_BITS: Final = 5 * _LETTERS
_TIME_BITS: Final = 48  # of a UUIDv7 (RFC 9562 §5.7)


def reference_of(ident: str) -> str:
    """Return the reference of a message's id: `06d3k-8z1vb-r7xq2`."""
    value = UUID(ident).int >> (128 - _BITS)
    letters = "".join(_ALPHABET[value >> shift & 31] for shift in range(_BITS - 5, -1, -5))
    return "-".join(letters[start : start + _GROUP] for start in range(0, _LETTERS, _GROUP))


def id_begins(reference: str) -> str:
    """Return how the id of the message that a reference names begins: all but its last bits."""
    digits = f"{_value(reference) >> _BITS % 4:0{_BITS // 4}x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:]))


def unwanted(ident: str) -> str:
    """Return what a sender is told of an unwanted message: nothing of why, but who can tell and by what."""
    return f"Refused as unwanted mail. Whoever runs this platform can explain it: reference {reference_of(ident)}"


def read_reference(text: str) -> str:
    """Return a reference as we write it, however it was typed; "" when it is none."""
    letters = text.strip().lower().replace("-", "").replace(" ", "").translate(_READ_AS)
    if len(letters) != _LETTERS or not set(letters) <= set(_ALPHABET):
        return ""
    return "-".join(letters[start : start + _GROUP] for start in range(0, _LETTERS, _GROUP))


def referred_ms(reference: str) -> int:
    """Return the Unix time in milliseconds of the message that a reference names."""
    return _value(reference) >> (_BITS - _TIME_BITS)


def _value(reference: str) -> int:
    value = 0
    for letter in reference.replace("-", ""):
        value = value << 5 | _ALPHABET.index(letter)
    return value
