"""What may be done by itself about an account that does not act like its owner: `takeover`."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from paquebot.policy import scalars
from paquebot.policy.section import Section


class TakeoverAction(StrEnum):
    """The furthest step that is taken without a person; each includes those before it."""

    OBSERVE = "Observe"  # events and metrics, nothing else
    HOLD = "Hold"  # slowed to its own habit, then its mail is held
    SUSPEND = "Suspend"  # and nobody may submit with the credential
    CANCEL = "Cancel"  # and what it sent since it changed is taken out of the queue


DEFAULT_ACTION: Final = TakeoverAction.SUSPEND


@dataclass(frozen=True, slots=True)
class Takeover:
    """What is wanted; None where nothing is said."""

    action: TakeoverAction | None = None


def takeover(section: Section) -> Takeover:
    """Read `takeover`."""
    read = Takeover(section.read("action", scalars.choice(TakeoverAction), None))
    section.finish()
    return read
