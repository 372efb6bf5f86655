"""What a server session cannot decide alone: each event wants exactly one reply."""

from dataclasses import dataclass, field

from paquebot.mail.envelope import NO_WISH, Envelope, Wish


@dataclass(frozen=True, slots=True)
class StartTls:
    """The client wants TLS: answer 220, flush, shake hands, `tls_started()`; or refuse with 454."""


@dataclass(frozen=True, slots=True)
class AuthAttempt:
    """Somebody says who they are: 235 makes the session authenticated.

    Either password or token is empty; with a token the user name may be.
    """

    mechanism: str
    username: str
    password: bytes = field(repr=False)
    token: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class MailFrom:
    """A transaction begins. `path` is "" for the null reverse-path; `size_bytes` is what the client declares.

    The others are told as in `Envelope`.
    """

    path: str
    size_bytes: int | None
    eight_bit: bool
    envelope_id: str = ""
    ret: str = ""
    utf8: bool = False


@dataclass(frozen=True, slots=True)
class RcptTo:
    """One recipient, and what the sender wants to be told of it; refusing it leaves the others alone."""

    path: str
    wish: Wish = NO_WISH


@dataclass(frozen=True, slots=True)
class DataStart:
    """The client wants to send the content, at once or in chunks: answer 354, or refuse, which ends the transaction."""


@dataclass(frozen=True, slots=True)
class Content:
    """The content has come whole and well-formed; a 2yz makes us responsible for it (RFC 5321 §6.1)."""

    envelope: Envelope
    content: bytes = field(repr=False)


Event = StartTls | AuthAttempt | MailFrom | RcptTo | DataStart | Content
