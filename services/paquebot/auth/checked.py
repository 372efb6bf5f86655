"""Passwords checked a short while ago: a busy client costs one argon2 check in minutes, a stale one too.

Kept as HMAC under a key of this process, never in the clear, and together with the mark they were checked
against (the hashes and whether the credential stands): when that changes, the entry is worthless at once.
"""

import hmac
from collections import OrderedDict
from typing import Final

VALID_MS: Final = 300_000
ENTRIES_MAX: Final = 20_000


class Checked:
    """What was checked and whether it was welcome, the oldest first."""

    __slots__ = ("_entries", "_key")

    def __init__(self, key: bytes) -> None:
        """Take a random key that nothing else uses."""
        self._key = key
        self._entries: OrderedDict[bytes, tuple[str, int, bool]] = OrderedDict()  # token → (mark, until ms, welcome)

    def __repr__(self) -> str:
        return f"<Checked {len(self._entries)} entries>"

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, token: bytes, mark: str, now_ms: int, *, is_welcome: bool) -> None:
        """Remember an outcome. It is checked anew after VALID_MS, used or not."""
        self._entries[token] = (mark, now_ms + VALID_MS, is_welcome)
        self._entries.move_to_end(token)
        if len(self._entries) > ENTRIES_MAX:
            self._entries.popitem(last=False)

    def recall(self, token: bytes, mark: str, now_ms: int) -> bool | None:
        """Return whether these were welcome under this very mark lately; None when that is not known."""
        entry = self._entries.get(token)
        if entry is None:
            return None
        if entry[0] == mark and now_ms < entry[1]:
            return entry[2]
        del self._entries[token]
        return None

    def token(self, username: str, password: bytes) -> bytes:
        """Return what user name and password are remembered by."""
        name = username.encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, len(name).to_bytes(4, "big") + name + password, "sha256")
