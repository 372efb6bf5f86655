"""Composing a DSN: multipart/report for people and programs (RFC 3464, RFC 6522, RFC 3834, RFC 6533).

It is ASCII in lines of at most 78 octets where nothing forbids folding, 998 everywhere. Two things go beyond
ASCII: addresses and header of mail that was UTF-8 itself, and a whole 8-bit message that is returned.
"""

import re
from dataclasses import dataclass

from paquebot.mail.dsn_notice import SUBJECTS, notice
from paquebot.mail.dsn_status import status
from paquebot.mail.header import split
from paquebot.mail.report import Action, DsnRequest, Report, address, date, plain

_RETURNED_MAX_BYTES = 1_048_576  # of a whole message
_HEADER_MAX_BYTES = 65_536  # of the original header section
_LINE_MAX = 998
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")
_EIGHT_BIT = "Content-Transfer-Encoding: 8bit"


@dataclass(frozen=True, slots=True)
class _Returned:
    """The part that gives back what was sent, and the sentence that says how much of it."""

    content_type: str
    body: bytes
    sentence: str


def report(request: DsnRequest, content: bytes) -> Report:
    """Return the DSN ready to be submitted to the one who sent the message; `content` as for `compose`."""
    recipient = request.delivery.reverse_path
    return Report(request.id, recipient, compose(request, content), utf8=not recipient.isascii())


def compose(request: DsnRequest, content: bytes) -> bytes:
    """Return the content of the DSN. Its own reverse-path must be null.

    `content` is the message's as it was accepted, b"" when it cannot be read.
    """
    boundary = f"=_{request.id}"
    utf8 = request.delivery.utf8
    returned = _returned(request, content)
    parts = [
        _part(f"text/plain; charset={'utf-8' if utf8 else 'us-ascii'}", _lines(notice(request, returned.sentence))),
        _part(f"message/{'global-' if utf8 else ''}delivery-status", _lines(status(request))),
        _part(returned.content_type, returned.body),
    ]
    eight_bit = [] if all(part.isascii() for part in parts) else [_EIGHT_BIT]
    header = _lines([*_header(request, boundary), *eight_bit])
    body = b"".join(b"--%b\r\n%b\r\n" % (boundary.encode(), part) for part in parts)
    return b"%b\r\n%b--%b--\r\n" % (header, body, boundary.encode())


def _part(content_type: str, body: bytes) -> bytes:
    fields = [f"Content-Type: {content_type}", *([] if body.isascii() else [_EIGHT_BIT])]
    return _lines([*fields, ""]) + body


def _header(request: DsnRequest, boundary: str) -> list[str]:
    return [
        f"Date: {date(request.now_ms)}",
        f"From: Mail Delivery System <mailer-daemon@{plain(request.reporting_mta)}>",
        f"To: <{address(request.delivery, request.delivery.reverse_path)}>",
        f"Subject: {SUBJECTS[request.action]}",
        f"Message-ID: <{request.id}@{plain(request.reporting_mta)}>",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        "Content-Type: multipart/report; report-type=delivery-status;",
        f' boundary="{boundary}"',
    ]


def _returned(request: DsnRequest, content: bytes) -> _Returned:
    """Give all back only where it failed and the sender asked for it (RFC 3461 §4.3)."""
    delivery = request.delivery
    wanted = request.action is Action.FAILED and delivery.ret == "FULL"
    fits = len(delivery.prefix) + len(content) <= _RETURNED_MAX_BYTES
    if wanted and content and fits:
        kind = "message/global" if delivery.utf8 else "message/rfc822"
        return _Returned(kind, delivery.prefix + content, "What you sent is enclosed.")
    sentence = "What you sent is not enclosed, only its header."
    if wanted and not fits:
        sentence = "What you sent is larger than 1 MiB, so only its header is enclosed."
    section = _cut(delivery.prefix + split(content)[0])
    if delivery.utf8:
        return _Returned("message/global-headers", section, sentence)
    return _Returned("text/rfc822-headers", _BEYOND_ASCII.sub(b"?", section), sentence)


def _cut(section: bytes) -> bytes:
    """Return a header section of at most 64 KiB, cut at a line end."""
    if len(section) > _HEADER_MAX_BYTES:
        section = section[: section.rfind(b"\r\n", 0, _HEADER_MAX_BYTES)]
    return b"".join(b"%b\r\n" % line[:_LINE_MAX] for line in section.removesuffix(b"\r\n").split(b"\r\n"))


def _lines(lines: list[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()
