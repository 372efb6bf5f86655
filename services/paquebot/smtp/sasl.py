"""An AUTH exchange, after the verb, in the frame of RFC 4954 §4.

Mechanisms are PLAIN (RFC 4616) and LOGIN; for tokens OAUTHBEARER (RFC 7628), and XOAUTH2, which came before it and
differs in its first octets and in its error.
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass

from paquebot.mail.reply import Reply
from paquebot.smtp.events import AuthAttempt
from paquebot.smtp.grammar import CommandRefused

WITH_PASSWORD = ("PLAIN", "LOGIN")
WITH_TOKEN = ("OAUTHBEARER", "XOAUTH2")
_PLAIN_PARTS = 3  # authorisation identity, user name, password

_GO_ON = Reply(334, "", "")
_ASK_USERNAME = Reply(334, "", "VXNlcm5hbWU6")  # "Username:"
_ASK_PASSWORD = Reply(334, "", "UGFzc3dvcmQ6")  # "Password:"
_INVALID = Reply(535, "5.7.8", "Authentication credentials invalid")

_SEPARATOR = b"\x01"
# No channel binding, then perhaps an identity, in which "," and "=" are written =2C and =3D (RFC 5801 §4).
_GS2_HEADER = re.compile(rb"[ny],(?:a=((?:[^,=\x00\x01]|=2C|=3D)+))?,\x01")
_BEARER = re.compile(rb"bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)  # RFC 6750 §2.1
_WRONG_TOKEN = 535
_ERRORS = {
    "OAUTHBEARER": {"status": "invalid_token", "schemes": "bearer"},
    "XOAUTH2": {"status": "401", "schemes": "bearer"},
}


class AuthExchange:
    """Words come in; a prompt or, at the end, an attempt comes out. Raises CommandRefused."""

    def __init__(self, mechanism: str, served: tuple[str, ...] = WITH_PASSWORD) -> None:
        if mechanism not in served:
            *others, last = served
            raise CommandRefused(Reply(504, "5.5.4", f"Mechanisms are {', '.join(others)} and {last}"))
        self._mechanism = mechanism
        self._username: str | None = None

    def first_prompt(self) -> Reply:
        """Return what is said when no initial response came with the verb."""
        return _ASK_USERNAME if self._mechanism == "LOGIN" else _GO_ON

    def take(self, word: bytes) -> AuthAttempt | Reply:
        """Take one base64 word, `=` for an empty one, or `*` to cancel."""
        if word == b"*":
            raise CommandRefused(Reply(501, "5.7.0", "Authentication cancelled"))
        message = _decoded(word)
        match self._mechanism:
            case "PLAIN":
                return _plain(message)
            case "OAUTHBEARER":
                return _oauthbearer(message)
            case "XOAUTH2":
                return _xoauth2(message)
        if self._username is None:
            self._username = _username(message)
            return _ASK_PASSWORD
        return AuthAttempt("LOGIN", self._username, _password(message))


@dataclass(frozen=True, slots=True)
class LostExchange:
    """What is left when a token was refused and its client told why: it says something, then hears the refusal."""

    refusal: Reply

    def take(self, _word: bytes) -> Reply:
        """Refuse, whatever comes: an octet 1 for OAUTHBEARER (RFC 7628 §3.2.3), nothing for XOAUTH2."""
        raise CommandRefused(self.refusal)


def error_challenge(mechanism: str, refusal: Reply) -> Reply | None:
    """Return what a client is told before it hears that its token is refused; None: it hears that at once."""
    if mechanism not in _ERRORS or refusal.code != _WRONG_TOKEN:
        return None
    return Reply(334, "", base64.b64encode(json.dumps(_ERRORS[mechanism]).encode()).decode())


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


def _oauthbearer(message: bytes) -> AuthAttempt:
    header = _GS2_HEADER.match(message)
    if header is None:
        raise CommandRefused(Reply(501, "5.5.2", "OAUTHBEARER begins with n,a=user name, or n,, and an octet 1"))
    name = (header[1] or b"").replace(b"=2C", b",").replace(b"=3D", b"=")
    return _bearing("OAUTHBEARER", name, _pairs(message[header.end() :]))


def _xoauth2(message: bytes) -> AuthAttempt:
    pairs = _pairs(message)
    return _bearing("XOAUTH2", pairs.get(b"user", b""), pairs)


def _pairs(octets: bytes) -> dict[bytes, bytes]:
    """Read `key=value` pairs, an octet 1 behind each and one at the end (RFC 7628 §3.1)."""
    words = octets[:-2].split(_SEPARATOR)
    pairs = dict(word.partition(b"=")[::2] for word in words)
    if not octets.endswith(_SEPARATOR * 2) or len(pairs) < len(words) or not all(b"=" in word[1:] for word in words):
        raise CommandRefused(Reply(501, "5.5.2", "Pairs key=value are wanted, an octet 1 behind each, one at the end"))
    return pairs


def _bearing(mechanism: str, name: bytes, pairs: dict[bytes, bytes]) -> AuthAttempt:
    bearer = _BEARER.fullmatch(pairs.get(b"auth", b""))
    if bearer is None:
        raise CommandRefused(Reply(501, "5.5.2", "A pair auth=Bearer and the token is wanted"))
    return AuthAttempt(mechanism, _username(name) if name else "", b"", bearer[1])


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
