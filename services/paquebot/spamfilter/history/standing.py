"""What an account's history says about its next message."""

from dataclasses import dataclass
from enum import IntEnum

from paquebot.mail.traits import NO_TRAITS, Traits
from paquebot.mail.verdict import Reason


class Step(IntEnum):
    """What is done about an account that does not act like itself; each step includes those before it."""

    SLOW = 1  # no faster than its own habit
    HOLD = 2  # its mail waits for a person
    SUSPEND = 3  # nobody may submit with its credential
    CANCEL = 4  # what it sent since it changed is taken out of the queue


@dataclass(frozen=True, slots=True)
class Standing:
    """What the history adds to a verdict. Weights are log-odds, like those of rules.

    `reputation` is what became of earlier mail, `behaviour` how this differs from the account's own habit. A
    `trusted` account is old, busy and without complaints: it is not rejected on content alone. `alarm` is the step
    that the evidence allows; what is done of it is the policy's. `since_s` (Unix seconds) is when the account
    changed, 0 without an alarm; `risen` says that this message raised the alarm, or its step. `traits` is what the
    events shall tell of the message.
    """

    reputation: tuple[Reason, ...] = ()
    behaviour: tuple[Reason, ...] = ()
    trusted: bool = False
    alarm: Step | None = None
    since_s: float = 0.0
    risen: bool = False
    traits: Traits = NO_TRAITS


UNKNOWN = Standing()
