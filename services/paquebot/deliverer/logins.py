"""Logins at smarthosts, from files: `<folder>/<namespace>.<name>/{username,password}`, as a Secret is mounted.

Read for each attempt, so that a changed password counts at once. They are nowhere else: not in the policy, not in logs.
"""

from dataclasses import dataclass
from pathlib import Path

from paquebot.smtp.client_auth import Login

LENGTH_MAX = 4096  # characters of one word


@dataclass(frozen=True, slots=True)
class Logins:
    """The mounted Secrets. `folder` None: there are none."""

    folder: Path | None = None

    def read(self, secret: str) -> Login | str:
        """Return the login of a Secret (`<namespace>.<name>`), or why there is none."""
        place = secret.replace(".", "/", 1)
        if self.folder is None:
            return f"Secret {place} is not here: the deliverer's SMARTHOST_DIR is not set"
        words = [_word(self.folder / secret / name) for name in ("username", "password")]
        if not all(words):
            cure = f"`paquebot smarthost set {secret}` stores one on this machine"
            return f"Secret {place} is not here with a username and a password: {cure}"
        return Login(words[0], words[1])


def _word(path: Path) -> str:
    """Return a file's text without the line's end that editors add, "" when there is none."""
    try:
        text = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        return ""
    return text if len(text) <= LENGTH_MAX and "\0" not in text else ""
