"""The table of the server's dialogue: its states, which command may come in which, and what is said otherwise."""

import re
from dataclasses import dataclass
from enum import StrEnum

from paquebot.mail.reply import Reply

COMMAND_MAX = 512  # RFC 5321 §4.5.3.1.4, with CRLF
AUTH_MAX = 12_288  # RFC 4954 §4
# What the extensions we serve add to MAIL: SIZE 26 (RFC 1870 §3), BODY 17 (RFC 6152 §2), AUTH 500 (RFC 4954 §3),
# RET 9 and ENVID 107 (RFC 3461 §4.3, §4.4), SMTPUTF8 10 (RFC 6531 §3.1); to RCPT: NOTIFY 29 and ORCPT 507 (RFC 3461).
LONGER = {b"MAIL": COMMAND_MAX + 26 + 17 + 500 + 9 + 107 + 10, b"RCPT": COMMAND_MAX + 29 + 507, b"AUTH": AUTH_MAX}
TLS_RECORD = 0x16  # the first octet of a TLS handshake, RFC 8446 §5.1


class State(StrEnum):
    """Where a dialogue stands. Text, since plain members hash slowly and it is looked up twenty times a message."""

    START = "START"  # no EHLO or HELO yet
    READY = "READY"
    AUTH = "AUTH"  # inside an AUTH exchange
    MAIL = "MAIL"  # a reverse-path, no recipient yet
    RCPT = "RCPT"
    CONTENT = "CONTENT"
    CHUNK = "CHUNK"  # the octets behind BDAT
    CHUNKS = "CHUNKS"  # between two of them
    TLS = "TLS"  # 220 was said to STARTTLS: whatever comes in the clear is void
    CLOSED = "CLOSED"


DEAF = frozenset({State.TLS, State.CLOSED})
MID_CONTENT = frozenset({State.CONTENT, State.CHUNK})
# BDAT is read anywhere, because a chunk follows it whatever is answered; it asks for its place itself.
_ANYWHERE = frozenset({b"EHLO", b"HELO", b"RSET", b"QUIT", b"BDAT"})
VERBS: dict[State, frozenset[bytes]] = {
    State.START: _ANYWHERE,
    State.READY: _ANYWHERE | {b"MAIL", b"AUTH", b"STARTTLS"},
    State.MAIL: _ANYWHERE | {b"RCPT", b"DATA"},
    State.RCPT: _ANYWHERE | {b"RCPT", b"DATA"},
    State.CHUNKS: _ANYWHERE,
}
NO_ARGUMENT = frozenset({b"DATA", b"RSET", b"QUIT", b"STARTTLS"})
_TRANSACTION_OPEN = Reply(503, "5.5.1", "A transaction is open: send RCPT, DATA, BDAT or RSET")
OUT_OF_SEQUENCE: dict[State, Reply] = {
    State.START: Reply(503, "5.5.1", "Send EHLO or HELO first"),
    State.READY: Reply(503, "5.5.1", "Send MAIL first"),
    State.MAIL: _TRANSACTION_OPEN,
    State.RCPT: _TRANSACTION_OPEN,
    State.CHUNKS: Reply(503, "5.5.1", "The content comes in chunks: send BDAT or RSET"),
}

UNKNOWN = Reply(500, "5.5.1", "Command not recognised")
_NOT_IMPLEMENTED = Reply(502, "5.5.1", "Command not implemented")
NOT_SERVED = dict.fromkeys((b"EXPN", b"ETRN", b"TURN", b"SEND", b"SOML", b"SAML"), _NOT_IMPLEMENTED)

OK = Reply(250, "2.0.0", "Ok")
GO_AHEAD = Reply(354, "", "Send the content, end with CRLF.CRLF")
# Those that are answered alike in any state, with or without an argument.
FIXED = {
    b"NOOP": OK,
    b"HELP": Reply(214, "2.0.0", "EHLO HELO STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT (RFC 5321)"),
    b"VRFY": Reply(252, "2.1.5", "Cannot verify; send mail and see"),
}
AUTHENTICATION_REQUIRED = Reply(530, "5.7.0", "Authentication required")
ENCRYPTION_REQUIRED = Reply(538, "5.7.11", "Encryption is required: use STARTTLS or the TLS port")
NO_RECIPIENTS = Reply(554, "5.5.1", "No valid recipients")
TOO_LARGE = Reply(552, "5.3.4", "The message is larger than we take: see SIZE")
TOO_MANY_RECIPIENTS = Reply(452, "4.5.3", "Too many recipients: send the others in another transaction")
NO_CHUNKS = Reply(502, "5.5.1", "BDAT is not offered")
NOT_CRLF = Reply(500, "5.5.2", "A command is printable text ended by CRLF")
TOO_LONG = Reply(500, "5.5.2", "Line too long")
TOO_LONG_AUTH = Reply(500, "5.5.6", "Authentication exchange line is too long")
SPEAKS_TLS = Reply(500, "5.5.2", "This port begins in the clear: use STARTTLS or the TLS port")
SPEAKS_HTTP = Reply(500, "5.5.1", "This is SMTP, not HTTP")

GARBAGE = Reply(421, "4.7.0", "Closing the connection")
TOO_MANY_ERRORS = Reply(421, "4.7.0", "Too many errors")
TOO_MANY_COMMANDS = Reply(421, "4.7.0", "Too many commands that lead nowhere")
TOO_MANY_MAILS = Reply(421, "4.7.0", "So much mail for one session: connect anew")
FLOODED = Reply(421, "4.7.0", "Too much at once: wait for replies")
IDLE = Reply(421, "4.4.2", "Silent for too long")
SHUTDOWN = Reply(421, "4.3.2", "Shutting down; try again soon")

_HTTP = re.compile(rb"[A-Za-z]+ \S+ HTTP/\d|(?:Host|User-Agent|Referer|Content-Length): ", re.IGNORECASE)
_UNPRINTABLE = re.compile(rb"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What one session may take. The counts start anew with each accepted content."""

    content_max_bytes: int = 26_214_400
    recipients_max: int = 100
    mails_max: int = 10_000  # MAIL commands of one session, refused ones too (RFC 9422 MAILMAX)
    errors_max: int = 10  # refusals made by the session itself, and refused AUTH
    commands_max: int = 1_000  # commands, accepted recipients aside


def offers(limits: ServerLimits, mechanisms: tuple[str, ...], *, starttls: bool) -> dict[str, str]:
    """Return what is served, by EHLO keyword (RFC 5321 §4.1.1.1); AUTH with mechanisms, if there are any."""
    served = {
        "PIPELINING": "",
        "SIZE": str(limits.content_max_bytes),
        "8BITMIME": "",
        "SMTPUTF8": "",
        "DSN": "",
        "CHUNKING": "",
        "ENHANCEDSTATUSCODES": "",
        "LIMITS": f"MAILMAX={limits.mails_max} RCPTMAX={limits.recipients_max}",
    }
    if starttls:
        served["STARTTLS"] = ""
    if mechanisms:
        served["AUTH"] = " ".join(mechanisms)
    return served


def line_fault(verb: bytes, line: bytes) -> Reply | None:
    """Return the refusal of a line that is too long, or not text ended by CRLF."""
    if len(line) > LONGER.get(verb, COMMAND_MAX):
        return TOO_LONG_AUTH if verb == b"AUTH" else TOO_LONG
    if not line.endswith(b"\r\n") or _UNPRINTABLE.search(line, 0, len(line) - 2):
        return NOT_CRLF
    return None


def speaks_otherwise(line: bytes) -> Reply | None:
    """Recognise TLS and HTTP: who speaks them understands no reply of ours."""
    if line[0] == TLS_RECORD:
        return SPEAKS_TLS
    return SPEAKS_HTTP if _HTTP.match(line) else None
