"""Passwords: argon2id hashes made and checked, new passwords drawn.

Parameters: 19 MiB, 3 passes, 1 lane: one pass above the least of the OWASP password storage
cheat sheet. 27 ms of one idle core where this was written, 30 to 50 ms on a busy one.
"""

import secrets
from collections.abc import Sequence
from typing import Final

from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

MEMORY_KIB: Final = 19 * 1024
PASSES: Final = 3
LANES: Final = 1
PASSWORD_MAX_BYTES: Final = 512  # a longer one is wrong: nobody was given it

# A hash that asks for more would let whoever writes hashes stop this service.
_MEMORY_KIB_MAX: Final = 256 * 1024
_PASSES_MAX: Final = 16
_NEW_BYTES: Final = 24

_HASHER: Final = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, type=Type.ID)
# Checked where a user name has no hash, or fewer than others, so that all take as long.
NOBODY: Final = _HASHER.hash(secrets.token_bytes(_NEW_BYTES))


def hash_password(password: bytes) -> str:
    """Return the argon2id hash as a PHC string. Raises ValueError for one that nobody could use."""
    if not 0 < len(password) <= PASSWORD_MAX_BYTES:
        raise ValueError(f"a password has 1 to {PASSWORD_MAX_BYTES} octets")
    return _HASHER.hash(password)


def new_password() -> str:
    """Return a password of 32 characters and 192 bits, safe in URIs and shells."""
    return secrets.token_urlsafe(_NEW_BYTES)


def verify(stored: str, password: bytes) -> bool:
    """Say whether the password has this hash. Takes its time and lets other threads run meanwhile."""
    try:
        return _HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def verify_any(hashes: Sequence[str], password: bytes, checks: int) -> bool:
    """Say whether the password has one of these hashes. Right or wrong, it takes so many `checks`, or one a hash."""
    padding = (NOBODY,) * (checks - len(hashes))
    found = [verify(stored, password) for stored in (*hashes, *padding)]  # all, whichever is right
    return any(found)


def is_fit(stored: str) -> bool:
    """Say whether this is an argon2id hash whose check costs no more than we allow."""
    try:
        parameters = extract_parameters(stored)
    except InvalidHashError:
        return False
    return (
        parameters.type is Type.ID and parameters.memory_cost <= _MEMORY_KIB_MAX and parameters.time_cost <= _PASSES_MAX
    )
