"""What keeps an item from being tried right now: an ordered list of rules, the first that speaks decides. Pure.

Asked when an item comes in, and again when its turn has come: policies and orders change in between.
A rule says what to do in a value and why in a sentence, which is what people are told when they ask.
"""

from collections.abc import Callable
from dataclasses import dataclass

from paquebot.mail.delivery import Delivery
from paquebot.mail.outcome import Outcome
from paquebot.policy.values import SendingPool

MOVED = "its domain's mail goes to other hosts now"  # ends the reason of what was put under another site
PAUSE_S = 60.0  # between two looks at whether a pool is still paused


@dataclass(frozen=True, slots=True)
class Sight:
    """All that rules look at."""

    delivery: Delivery
    pool: SendingPool
    now_ms: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again after so many seconds."""

    wait_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class Conclude:
    """Settle it untried: this is the outcome for every recipient."""

    outcome: Outcome


Step = Wait | Conclude
Rule = Callable[[Sight], Step | None]


def touch(sight: Sight) -> Step | None:
    """Return what to do instead of trying the delivery; None: try it."""
    for rule in RULES:
        step = rule(sight)
        if step is not None:
            return step
    return None


def _paused(sight: Sight) -> Step | None:
    if not sight.pool.paused:
        return None
    return Wait(PAUSE_S, f"the pool {sight.pool.token} is paused")


RULES: tuple[Rule, ...] = (_paused,)
