"""What a report tells, as values, and how foreign text is written in it. Composing is paquebot.mail.dsn's."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from enum import StrEnum

from paquebot.mail.delivery import Delivery
from paquebot.mail.reply import Reply

WIDTH = 76
TEXT_MAX_BYTES = 900  # of a foreign text; the line limit is 998
_NOT_PRINTABLE = re.compile(r"[^ -~]+")
_CONTROLS = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


class Action(StrEnum):
    """What became of a recipient (RFC 3464 §2.3.3).

    `delivered` is not ours to say, only who puts mail into a mailbox says it; nor is `expanded`: there are no lists.
    """

    FAILED = "failed"
    DELAYED = "delayed"
    RELAYED = "relayed"  # to a host that sends no reports of success (RFC 3461 §5.2.2)


@dataclass(frozen=True, slots=True)
class Told:
    """A recipient that is told about: the last reply, if any, and the reason in a sentence.

    A reply without a host is our own conclusion (a null MX is 556 5.1.10): only its status is told.
    """

    recipient: str
    reply: Reply | None
    reason: str
    host: str = ""  # the MX that answered
    attempt_ms: int = 0  # of the last attempt; 0: there was none


@dataclass(frozen=True, slots=True)
class DsnRequest:
    """All that a DSN tells, except what was sent: it is read only when there is a DSN to compose."""

    id: str
    action: Action
    now_ms: int
    reporting_mta: str
    delivery: Delivery
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A DSN to submit before the delivery is settled: its fixed id, its recipient, its content.

    `utf8`: its recipient can only be written in UTF-8 (RFC 6531), so every host on its way must know how.
    """

    id: str
    recipient: str
    content: bytes
    utf8: bool = False


def plain(text: str) -> str:
    """Return text on one printable ASCII line: nothing remote may add a line or a field."""
    return _NOT_PRINTABLE.sub("?", text.replace("\n", " "))[:TEXT_MAX_BYTES]


def address(delivery: Delivery, text: str) -> str:
    """Return an address on one line, beyond ASCII only where the mail itself was (RFC 6533 §3)."""
    if not delivery.utf8:
        return plain(text)
    return _CONTROLS.sub("?", text).encode()[:TEXT_MAX_BYTES].decode(errors="ignore")


def date(at_ms: int) -> str:
    """Return a time as header fields and people have it."""
    return format_datetime(datetime.fromtimestamp(at_ms // 1000, UTC))
