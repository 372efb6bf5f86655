"""Logins at smarthosts, from files: `<folder>/<namespace>.<name>/{username,password}`, as a Secret is mounted.

One Secret with many of them is flat: `<folder>/<namespace>.<name>.{username,password}`.
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
        for kept in (f"{secret}/", f"{secret}."):
            username, password = (_word(self.folder / f"{kept}{name}") for name in ("username", "password"))
            if username and password:
                return Login(username, password)
        cure = f"`paquebot smarthost set {secret}` stores one on this machine, docs/routes.md says how in a cluster"
        return f"Secret {place} is not here with a username and a password: {cure}"


def _word(path: Path) -> str:
    """Return a file's text without the line's end that editors add, "" when there is none."""
    try:
        text = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        return ""
    return text if len(text) <= LENGTH_MAX and "\0" not in text else ""
