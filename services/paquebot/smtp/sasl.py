"""An AUTH exchange, after the verb: mechanisms PLAIN (RFC 4616) and LOGIN, in the frame of RFC 4954 §4."""

import base64
import binascii

from paquebot.mail.reply import Reply
from paquebot.smtp.events import AuthAttempt
from paquebot.smtp.grammar import CommandRefused

MECHANISMS = ("PLAIN", "LOGIN")
_PLAIN_PARTS = 3  # authorisation identity, user name, password

_GO_ON = Reply(334, "", "")
_ASK_USERNAME = Reply(334, "", "VXNlcm5hbWU6")  # "Username:"
_ASK_PASSWORD = Reply(334, "", "UGFzc3dvcmQ6")  # "Password:"
_INVALID = Reply(535, "5.7.8", "Authentication credentials invalid")


class AuthExchange:
    """Words come in; a prompt or, at the end, an attempt comes out. Raises CommandRefused."""

    def __init__(self, mechanism: str) -> None:
        if mechanism not in MECHANISMS:
            raise CommandRefused(Reply(504, "5.5.4", f"Mechanisms are {' and '.join(MECHANISMS)}"))
        self._mechanism = mechanism
        self._username: str | None = None

    def first_prompt(self) -> Reply:
        """Return what is said when no initial response came with the verb."""
        return _GO_ON if self._mechanism == "PLAIN" else _ASK_USERNAME

    def take(self, word: bytes) -> AuthAttempt | Reply:
        """Take one base64 word, `=` for an empty one, or `*` to cancel."""
        if word == b"*":
            raise CommandRefused(Reply(501, "5.7.0", "Authentication cancelled"))
        message = _decoded(word)
        if self._mechanism == "PLAIN":
            return _plain(message)
        if self._username is None:
            self._username = _username(message)
            return _ASK_PASSWORD
        return AuthAttempt("LOGIN", self._username, _password(message))


def _decoded(word: bytes) -> bytes:
    if word == b"=":
        return b""
    try:
        return base64.b64decode(word, validate=True)
    except binascii.Error as error:
        raise CommandRefused(Reply(501, "5.5.2", "That is not base64")) from error


def _plain(message: bytes) -> AuthAttempt:
    parts = message.split(b"\0")
    if len(parts) != _PLAIN_PARTS:
        text = "PLAIN wants identity, NUL, user name, NUL, password"
        raise CommandRefused(Reply(501, "5.5.2", text))
    other, name, password = parts
    if other not in {b"", name}:
        raise CommandRefused(Reply(535, "5.7.8", "Acting for another identity is not served"))
    return AuthAttempt("PLAIN", _username(name), _password(password))


def _username(octets: bytes) -> str:
    try:
        name = octets.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CommandRefused(Reply(501, "5.5.2", "The user name is not UTF-8")) from error
    if not name or "\0" in name:
        raise CommandRefused(_INVALID)
    return name


def _password(octets: bytes) -> bytes:
    if not octets:
        raise CommandRefused(_INVALID)
    return octets
