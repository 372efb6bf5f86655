"""The client's end of AUTH, with PLAIN (RFC 4616) or LOGIN, in the frame of RFC 4954 §4.

A dialogue beside those of `client`. It does not look at whether the connection is encrypted: who runs it must.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from paquebot.mail.reply import Reply
from paquebot.smtp.client import ClientSession, Dialogue, Timeout

COMMAND_MAX: Final = 510  # octets of a command line without CRLF (RFC 5321 §4.5.3.1.4)

_CHALLENGE: Final = 334


@dataclass(frozen=True, slots=True)
class Login:
    """A user name and a password."""

    username: str
    password: str

    def __repr__(self) -> str:
        """Show who, and never the password."""
        return f"Login({self.username!r})"


def mechanism_of(extensions: Mapping[str, str]) -> str:
    """Return the mechanism to use with a server, "" when it offers none of ours; `AUTH=` is how old ones say it."""
    words = [extensions.get("AUTH", "")]
    words += [f"{keyword[5:]} {rest}" for keyword, rest in extensions.items() if keyword.startswith("AUTH=")]
    offered = " ".join(words).upper().split()
    return next((each for each in ("PLAIN", "LOGIN") if each in offered), "")


def authenticate(session: ClientSession, login: Login) -> Dialogue[Reply]:
    """Log in; 235 is success. `mechanism_of` must have found a mechanism."""
    username, password = login.username.encode(), login.password.encode()
    if mechanism_of(session.extensions) == "PLAIN":
        words = [b"\0" + username + b"\0" + password]
        command = f"AUTH PLAIN {_encoded(words[0])}"
        if len(command) <= COMMAND_MAX:
            words.clear()
        else:
            command = "AUTH PLAIN"
    else:
        words, command = [username, password], "AUTH LOGIN"
    reply = yield from session.exchange(Timeout.AUTH, command)
    for word in words:
        if reply.code != _CHALLENGE:
            return reply
        reply = yield from session.exchange(Timeout.AUTH, _encoded(word))
    if reply.code == _CHALLENGE:  # it asks for more than there is to say
        reply = yield from session.exchange(Timeout.AUTH, "*")
    return reply


def _encoded(word: bytes) -> str:
    return base64.b64encode(word).decode("ascii")
