"""The spam filter's answer."""

from dataclasses import dataclass
from enum import StrEnum

from paquebot.mail.traits import NO_TRAITS, Traits

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


NEVER = 2.0  # a probability that no message reaches


@dataclass(frozen=True, slots=True)
class Levels:
    """Probabilities from which on a message is tagged, held, rejected; above 1: never. As they are without a model."""

    tag: float = 0.5
    hold: float = NEVER
    reject: float = 0.95


@dataclass(frozen=True, slots=True)
class Terms:
    """What the probability is the sum of, in log-odds: who says how much."""

    content: float = 0.0  # rules and the model
    learned: float = 0.0  # from what the tenant's people decided
    reputation: float = 0.0
    behaviour: float = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """An action with the probability (0 to 1) that the message is unwanted, and why.

    In shadow mode `action` is always ACCEPT and `shadow_action` says what would have been done.
    `unscanned` marks mail accepted while the filter could not answer. `model` is the digest of the model that read its
    content, "" where only rules did. `alarmed`: its account may be in strange hands. `levels` are those in force, and
    `whose` the MailDomain (`<namespace>/<name>`) that was asked for them, "" for none. `traits` are
    for the history of its sender.
    """

    action: Action
    probability: float = 0.0
    reasons: tuple[Reason, ...] = ()
    shadow_action: Action | None = None
    sampled: bool = False  # only a part of the content was looked at
    unscanned: bool = False
    model: str = ""
    alarmed: bool = False
    terms: Terms | None = None
    levels: Levels | None = None
    whose: str = ""
    traits: Traits = NO_TRAITS
    slow: str = ""  # why its sender should try it later, "" for no reason
