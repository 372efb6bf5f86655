"""Why a stored delivery waits, as one word: read from the sentence that was kept with it.

The sentences are written where the decision is made; those that tell causes apart are named there and used here.
"""

import re
from collections.abc import Callable
from enum import StrEnum

from paquebot.deliverer.touch import MOVED, RESLOTTED
from paquebot.mail.delivery import Delivery
from paquebot.mail.outcome import IN_DOUBT, Stage
from paquebot.mail.settle import UNREPORTED
from paquebot.mail.verdict import HELD_BY_FILTER

GREYLISTING = re.compile(r"gr[ea]y.?list", re.IGNORECASE)


class Cause(StrEnum):
    """What a delivery waits for."""

    NOTHING = "nothing"  # its first turn
    FILTER = "filter"  # held by the spam filter
    POISON = "poison"  # held: attempts crashed
    FAULT = "fault"  # held: it could not be settled
    ROUTE = "route"  # held by a TransportRoute
    PERSON = "person"  # held by somebody
    DOUBT = "doubt"
    REPORT = "report"
    SUSPENDED = "suspended"  # by a person's order
    WINDOW = "window"  # of its MailDomain
    PAUSED = "paused"
    THROTTLED = "throttled"
    PACE = "pace"
    CROWD = "crowd"
    MOVED = "moved"
    GREYLISTED = "greylisted"
    LOGIN = "login"  # at a smarthost
    REPLY = "reply"
    DNS = "dns"
    HOST = "host"
    CONTENT = "content"
    OTHER = "other"


def cause_of(delivery: Delivery) -> Cause:
    """Return why a delivery waits."""
    reason = delivery.reason
    if not reason:
        return Cause.NOTHING
    if delivery.held:
        return _held(reason)
    if delivery.order:
        return Cause.SUSPENDED
    return next((cause for cause, speaks in _CAUSES if speaks(reason)), Cause.OTHER)


def _held(reason: str) -> Cause:
    if reason.startswith(HELD_BY_FILTER):
        return Cause.FILTER
    if reason.startswith("held by TransportRoute "):
        return Cause.ROUTE
    if reason.startswith("poison: "):
        return Cause.POISON
    if reason.startswith(f"{IN_DOUBT}: "):
        return Cause.DOUBT
    if reason.startswith("the deliverer could not settle"):
        return Cause.FAULT
    return Cause.PERSON


def _answered(reason: str) -> bool:
    return " was answered with " in reason


_CAUSES: tuple[tuple[Cause, Callable[[str], bool]], ...] = (
    (Cause.DOUBT, lambda reason: reason.startswith(IN_DOUBT)),
    (Cause.REPORT, lambda reason: reason.startswith(UNREPORTED)),
    (Cause.PAUSED, lambda reason: reason.startswith("the pool ") and reason.endswith(" is paused")),
    (Cause.WINDOW, lambda reason: reason.startswith("outside the delivery windows of ")),
    (Cause.THROTTLED, lambda reason: " is THROTTLED: " in reason or " is SUSPENDED: " in reason),
    (Cause.PACE, lambda reason: " is kept to its pace " in reason),
    (Cause.CROWD, lambda reason: reason.endswith("others wait for the same site")),
    (Cause.MOVED, lambda reason: reason.endswith((MOVED, RESLOTTED))),
    (Cause.LOGIN, lambda reason: reason.startswith((f"{Stage.AUTH} failed: ", f"{Stage.AUTH} was answered with "))),
    (Cause.GREYLISTED, lambda reason: _answered(reason) and bool(GREYLISTING.search(reason))),
    (Cause.REPLY, _answered),
    (Cause.DNS, lambda reason: reason.startswith(f"{Stage.LOOKUP} failed: ")),
    (Cause.HOST, lambda reason: any(reason.startswith(f"{stage} failed: ") for stage in Stage)),
    (Cause.CONTENT, lambda reason: reason.startswith("its content cannot be read")),
)
