"""How a pool that is deleted ends: when its mail has gone; and its name is let go of in time, whatever happens. Pure.

The object is kept by our finalizer for a while at most, so that no namespace hangs on mail that nobody takes, or on a
queue that cannot be asked. Pool and deliverers go on without the object until all mail is gone.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from paquebot_operator.conditions import FALSE, UNKNOWN, Condition

HELD_MAX_S: Final = 600


class Ending(Enum):
    """What to do with a pool that is being deleted."""

    WAIT = auto()
    LET_GO = auto()  # of the object; pool and deliverers stay
    REMOVE = auto()  # streams, workload, object


@dataclass(frozen=True, slots=True)
class Mail:
    """How much mail a pool holds; `count` None: the queue did not say, because of `trouble`."""

    count: int | None
    trouble: str = ""

    def __str__(self) -> str:
        """Say it to people."""
        if self.count is None:
            return f"nobody knows how much mail it holds: {self.trouble}"
        return "1 delivery still waits" if self.count == 1 else f"{self.count} deliveries still wait"


def ending(mail: Mail, held_s: float, *, is_held: bool) -> Ending:
    """Return what to do; `held_s`: since when it is being deleted, `is_held`: the object is there by our finalizer."""
    if mail.count == 0:
        return Ending.REMOVE
    return Ending.LET_GO if is_held and held_s >= HELD_MAX_S else Ending.WAIT


def drained(mail: Mail) -> Condition:
    """Return the condition Drained of a pool that is being deleted and holds mail, as far as is known."""
    if mail.count is None:
        return Condition("Drained", UNKNOWN, "QueueUnavailable", str(mail))
    cure = "`paquebot queue list` names them, `queue reroute` moves them to another pool, `queue cancel` gives them up"
    return Condition("Drained", FALSE, "MailWaits", f"{mail}; {cure}")
