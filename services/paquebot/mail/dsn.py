"""Composing a failure DSN: multipart/report for people and programs (RFC 3464, RFC 6522, RFC 3834).

Its content is ASCII with lines of at most 78 octets where nothing forbids folding, 998 everywhere.
"""

import re
import textwrap
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from paquebot.mail.delivery import Delivery
from paquebot.mail.reply import Reply
from paquebot.mail.settlement import Report

_WIDTH = 76
_DIAGNOSTIC_MAX = 900  # octets of a remote text; the line limit is 998
_HEADER_MAX_BYTES = 65_536  # of the original header section
_LINE_MAX = 998
_STATUS_UNKNOWN = "5.0.0"  # RFC 3463 §3.1
_NOT_PRINTABLE = re.compile(r"[^ -~]+")


@dataclass(frozen=True, slots=True)
class FailedRecipient:
    """A recipient whose message will not arrive: the last reply, if any, and the reason in a sentence.

    A reply without a host is our own conclusion (a null MX is 556 5.1.10): only its status is told.
    """

    recipient: str
    reply: Reply | None
    reason: str
    host: str = ""  # the MX that answered
    attempt_ms: int = 0  # of the last attempt; 0: there was none


@dataclass(frozen=True, slots=True)
class DsnRequest:
    """What a DSN tells. `sender` is the mailbox in its From, `original_header` the header section as sent."""

    id: str
    now_ms: int
    reporting_mta: str
    sender: str
    delivery: Delivery
    failed: tuple[FailedRecipient, ...]
    original_header: bytes


def report(request: DsnRequest) -> Report:
    """Return the DSN ready to be submitted to the one who sent the message."""
    return Report(request.id, request.delivery.reverse_path, compose(request))


def compose(request: DsnRequest) -> bytes:
    """Return the content of the DSN, all of it 7-bit. Its own reverse-path must be null."""
    boundary = f"=_{request.id}"
    original = _original_header(request.original_header)
    lines = [
        *_header(request, boundary),
        "",
        f"--{boundary}",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        *_notification(request),
        "",
        f"--{boundary}",
        "Content-Type: message/delivery-status",
        "",
        *_delivery_status(request),
        "",
        f"--{boundary}",
        "Content-Type: text/rfc822-headers",
        "",
        *original,
        "",
        f"--{boundary}--",
        "",
    ]
    return "\r\n".join(lines).encode("ascii")


def _header(request: DsnRequest, boundary: str) -> list[str]:
    return [
        f"Date: {_date(request.now_ms)}",
        f"From: Mail Delivery System <{_plain(request.sender)}>",
        f"To: <{_plain(request.delivery.reverse_path)}>",
        "Subject: Your message could not be delivered",
        f"Message-ID: <{request.id}@{_plain(request.reporting_mta)}>",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        "Content-Type: multipart/report; report-type=delivery-status;",
        f' boundary="{boundary}"',
    ]


def _notification(request: DsnRequest) -> list[str]:
    """Return the part for people (RFC 6522 §3 item 1)."""
    paragraphs = [
        f"This is the mail system at {_plain(request.reporting_mta)}.",
        f"Your message of {_date(request.delivery.accepted_ms)} could not be delivered to the "
        + ("recipient below." if len(request.failed) == 1 else f"{len(request.failed)} recipients below.")
        + " It will not be tried again for them; what you sent is not enclosed, only its header.",
    ]
    lines: list[str] = []
    for paragraph in paragraphs:
        lines += [*textwrap.wrap(paragraph, _WIDTH, break_on_hyphens=False), ""]
    for failed in request.failed:
        lines += [f"<{_plain(failed.recipient)}>", *_because(failed), ""]
    lines.append(f"Our name for the message is {request.delivery.id}.")
    return lines


def _because(failed: FailedRecipient) -> list[str]:
    sentences = [_plain(failed.reason)] if failed.reason else []
    if failed.reply is not None and failed.host:
        sentences.append(f"{_plain(failed.host)} said: {_plain(str(failed.reply))}")
    return [
        line
        for sentence in sentences
        for line in textwrap.wrap(sentence, _WIDTH, initial_indent="  ", subsequent_indent="  ")
    ]


def _delivery_status(request: DsnRequest) -> list[str]:
    """Return the part for programs: one group for the message, one for each recipient (RFC 3464 §2)."""
    lines = [
        f"Reporting-MTA: dns; {_plain(request.reporting_mta)}",
        f"Arrival-Date: {_date(request.delivery.accepted_ms)}",
    ]
    for failed in request.failed:
        lines += [
            "",
            f"Final-Recipient: rfc822; {_plain(failed.recipient)}",
            "Action: failed",
            f"Status: {_status(failed.reply)}",
        ]
        if failed.reply is not None and failed.host:
            lines.append(f"Remote-MTA: dns; {_plain(failed.host)}")
            lines += _folded(f"Diagnostic-Code: smtp; {_plain(str(failed.reply))}")
        if failed.attempt_ms:
            lines.append(f"Last-Attempt-Date: {_date(failed.attempt_ms)}")
    return lines


def _status(reply: Reply | None) -> str:
    """Return the status: the remote one if it says failure, else what the code alone tells (RFC 3463 §2)."""
    if reply is None:
        return "4.4.7"  # expired without an answer, RFC 3463 §3.5
    if reply.enhanced.startswith(("4.", "5.")):
        return reply.enhanced
    return "4.0.0" if reply.is_transient else _STATUS_UNKNOWN


def _original_header(section: bytes) -> list[str]:
    """Return the original header section as ASCII lines, cut after 64 KiB at a line end."""
    if len(section) > _HEADER_MAX_BYTES:
        section = section[: section.rfind(b"\r\n", 0, _HEADER_MAX_BYTES)]
    text = section.decode("ascii", "replace").replace("\ufffd", "?")
    return [line[:_LINE_MAX] for line in text.removesuffix("\r\n").split("\r\n")]


def _folded(field: str) -> list[str]:
    wrapped = textwrap.wrap(
        field[:_DIAGNOSTIC_MAX], _WIDTH, subsequent_indent=" ", break_long_words=False, break_on_hyphens=False
    )
    return wrapped or [field]


def _plain(text: str) -> str:
    """Return text on one printable ASCII line: nothing remote may add a line or a field."""
    return _NOT_PRINTABLE.sub("?", text.replace("\n", " "))[:_DIAGNOSTIC_MAX]


def _date(at_ms: int) -> str:
    return format_datetime(datetime.fromtimestamp(at_ms // 1000, UTC))
