"""To whom an account has written, without their addresses: two small Bloom filters, the older one forgotten in turn.

It holds keyed hashes only. Who is found was written to, but for one in eight at the worst; about 1,900 recipients
fit in each half, and a half is kept for 45 days or until it is full.
"""

import math
from dataclasses import dataclass

OCTETS = 1024
HASHES = 3
KEPT_S = 45 * 86_400.0
_BITS = OCTETS * 8
_FULL = _BITS // 2
EMPTY = bytes(OCTETS)


@dataclass(frozen=True, slots=True)
class Sketch:
    """The half that is filled since `begun_s`, and the one before it."""

    begun_s: float
    current: bytes = EMPTY
    before: bytes = EMPTY

    def knows(self, recipient: int) -> bool:
        """Say whether the account has written to a recipient, by its 64-bit hash."""
        return _has(self.current, recipient) or _has(self.before, recipient)

    def after(self, recipients: tuple[int, ...], now_s: float) -> "Sketch":
        """Return the sketch with these recipients."""
        if all(_has(self.current, each) for each in recipients):
            return self
        filled = bytearray(self.current)
        for recipient in recipients:
            for bit in _bits(recipient):
                filled[bit >> 3] |= 1 << (bit & 7)
        if _set(filled) > _FULL or now_s - self.begun_s > KEPT_S:
            return Sketch(now_s, EMPTY, bytes(filled))
        return Sketch(self.begun_s, bytes(filled), self.before)

    @property
    def distinct(self) -> int:
        """About how many recipients the account has written to; too few where both halves hold the same."""
        both = int.from_bytes(self.current, "little") | int.from_bytes(self.before, "little")
        return round(-_BITS / HASHES * math.log1p(-min(both.bit_count(), _BITS - 1) / _BITS))


def _bits(recipient: int) -> tuple[int, int, int]:
    return recipient % _BITS, (recipient >> 16) % _BITS, (recipient >> 32) % _BITS


def _has(octets: bytes, recipient: int) -> bool:
    return all(octets[bit >> 3] >> (bit & 7) & 1 for bit in _bits(recipient))


def _set(octets: bytearray) -> int:
    return int.from_bytes(octets, "little").bit_count()
