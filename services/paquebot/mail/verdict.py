"""The spam filter's answer."""

from dataclasses import dataclass
from enum import StrEnum

REASONS_MAX = 5  # with a verdict: people read no more
HELD_BY_FILTER = "held by the spam filter"  # how the reason of what it holds begins


class Action(StrEnum):
    """What to do with a message."""

    ACCEPT = "accept"
    TAG = "tag"
    HOLD = "hold"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that spoke: its name, its weight in log-odds, and a sentence for people."""

    rule: str
    weight: float
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """An action with the probability (0 to 1) that the message is unwanted, and why.

    In shadow mode `action` is always ACCEPT and `shadow_action` says what would have been done.
    `unscanned` marks mail accepted while the filter could not answer. `model` is the digest of the model that read its
    content, "" where only rules did. `alarmed`: its account may be in strange hands.
    """

    action: Action
    probability: float = 0.0
    reasons: tuple[Reason, ...] = ()
    shadow_action: Action | None = None
    sampled: bool = False  # only a part of the content was looked at
    unscanned: bool = False
    model: str = ""
    alarmed: bool = False
