"""How long, and by what, a message that is sent again is known to be the same: `idempotency` of an SMTPCredential."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from paquebot.policy import scalars
from paquebot.policy.section import Section

WINDOW_MIN_S: Final = 60
WINDOW_MAX_S: Final = 7 * 86_400


class Key(StrEnum):
    """What names a message, if its client gave no idempotency_key."""

    ENVELOPE_ID = "EnvelopeID"  # ENVID, where it is given
    MESSAGE_ID = "MessageID"  # ENVID, or else the Message-ID field
    NONE = "None"  # nothing


@dataclass(frozen=True, slots=True)
class Idempotency:
    """By what a message is known again, and for how long."""

    key: Key = Key.ENVELOPE_ID
    window_s: int = 86_400


def idempotency(section: Section) -> Idempotency:
    """Read `idempotency`."""
    default = Idempotency()
    read = Idempotency(
        key=section.read("key", scalars.choice(Key), default.key),
        window_s=section.read("window", scalars.duration_between(WINDOW_MIN_S, WINDOW_MAX_S), default.window_s),
    )
    section.finish()
    return read
