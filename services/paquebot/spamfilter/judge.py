"""From what speaks for and against a message to a verdict. Pure.

The sum of all weights is a probability in log-odds. Levels of the sender's domain make an action of it; to be
rejected, more than content must speak against a message, or content with near certainty.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from paquebot.mail.verdict import REASONS_MAX, Action, Levels, Reason, Terms, Verdict
from paquebot.policy.values import Thresholds
from paquebot.spamfilter.attachment_rules import executable_attachment, html_attachment, runnable_name
from paquebot.spamfilter.facts import Facts
from paquebot.spamfilter.link_rules import (
    deceptive_link,
    html_form,
    html_script,
    link_host_imitates,
    link_with_user,
    numeric_link,
    script_link,
)
from paquebot.spamfilter.sender_rules import (
    author_domain_imitates,
    author_not_envelope,
    display_address,
    display_well_known,
    reply_to_elsewhere,
)
from paquebot.spamfilter.structure_rules import (
    CERTAIN,
    blank_fold,
    gtube,
    html_only,
    malformed_date,
    malformed_message_id,
    mime_faults,
    no_recipient_field,
    no_subject,
    repeated_mime_field,
    undeclared_eight_bit,
    undeclared_mime,
)

Rule = Callable[[Facts], Reason | None]
Term = Callable[[Facts], tuple[Reason, ...]]

# The log-odds of a message of which nothing is known: about 1 in 55 is unwanted.
BIAS = -4.0
OTHERS_MIN = 1.0  # log-odds from which reputation, or behaviour, speaks against a message
_HARD_MIN = 4.0
_HARD = frozenset({"gtube", "executable_attachment", "runnable_name"})  # of facts, not of likeness: from _HARD_MIN on
_STRICTNESS = (Action.ACCEPT, Action.TAG, Action.HOLD, Action.REJECT)

RULES: tuple[Rule, ...] = (
    gtube,
    # what it is made of
    mime_faults,
    repeated_mime_field,
    malformed_date,
    malformed_message_id,
    blank_fold,
    no_recipient_field,
    no_subject,
    html_only,
    undeclared_mime,
    undeclared_eight_bit,
    # who it says it is from
    display_address,
    display_well_known,
    author_domain_imitates,
    reply_to_elsewhere,
    author_not_envelope,
    # where it leads
    deceptive_link,
    link_host_imitates,
    numeric_link,
    link_with_user,
    script_link,
    html_form,
    html_script,
    # what it carries
    executable_attachment,
    runnable_name,
    html_attachment,
)


def rules(facts: Facts) -> tuple[Reason, ...]:
    """Return what the rules say: the first term."""
    return tuple(reason for rule in RULES if (reason := rule(facts)) is not None)


TERMS: tuple[Term, ...] = (rules,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What speaks for or against a message, by who says it. Weights are log-odds, and `logit` is what content says.

    `well_known`: the model has seen enough unwanted mail in its language and script. `trusted`: its account has long
    sent good mail. `at_least`: what an alarm about the account wants done whatever the message is.
    """

    logit: float
    content: tuple[Reason, ...] = ()
    delta: tuple[Reason, ...] = ()  # learned from what the tenant's people decided
    reputation: tuple[Reason, ...] = ()
    behaviour: tuple[Reason, ...] = ()
    well_known: bool = True
    trusted: bool = False
    alarmed: bool = False
    at_least: Action = Action.ACCEPT
    model: str = ""

    @property
    def terms(self) -> Terms:
        """Who says how much."""
        return Terms(self.logit, *(sum(each.weight for each in term) for term in self._beside))

    @property
    def sum(self) -> float:
        """All of it, in log-odds."""
        return self.logit + sum(reason.weight for term in self._beside for reason in term)

    @property
    def _beside(self) -> tuple[tuple[Reason, ...], ...]:
        return self.delta, self.reputation, self.behaviour

    @property
    def is_hard(self) -> bool:
        """True when a rule speaks that is certain of its fact."""
        return any(reason.rule in _HARD and reason.weight >= _HARD_MIN for reason in self.content)


def judge(facts: Facts, thresholds: Thresholds, terms: tuple[Term, ...] = TERMS) -> Verdict:
    """Return the verdict on content by rules alone."""
    reasons = tuple(reason for term in terms for reason in term(facts))
    return weigh(Evidence(logit=BIAS + sum(reason.weight for reason in reasons), content=reasons), thresholds)


def weigh(evidence: Evidence, thresholds: Thresholds, default: Levels = Levels()) -> Verdict:  # noqa: B008  (frozen)
    """Return the verdict, heaviest reasons first. In shadow mode mail is accepted whatever they say.

    `default` are the levels where the sender's domain names none.
    """
    probability, levels = logistic(evidence.sum), thresholds.over(default)
    action = action_for(probability, levels)
    if action is Action.REJECT and not _may_reject(evidence, probability, thresholds.certain):
        action = Action.TAG if levels.hold > 1.0 else Action.HOLD
    action = max(action, evidence.at_least, key=_STRICTNESS.index)
    reasons = (*evidence.content, *evidence.delta, *evidence.reputation, *evidence.behaviour)
    return Verdict(
        action=Action.ACCEPT if thresholds.shadow else action,
        probability=probability,
        reasons=tuple(sorted(reasons, key=lambda reason: -abs(reason.weight))[:REASONS_MAX]),
        shadow_action=action if thresholds.shadow else None,
        model=evidence.model,
        alarmed=evidence.alarmed,
        terms=evidence.terms,
        levels=levels,
    )


def action_for(probability: float, levels: Levels) -> Action:
    """Return the strictest action whose level is reached; one above 1 never is."""
    if probability >= levels.reject:
        return Action.REJECT
    if probability >= levels.hold:
        return Action.HOLD
    if probability >= levels.tag:
        return Action.TAG
    return Action.ACCEPT


def _may_reject(evidence: Evidence, probability: float, certain: float) -> bool:
    """Say whether its content and something else speak against it, or content so surely that it is enough."""
    if evidence.is_hard or evidence.logit < 0.0:
        return evidence.is_hard
    terms = (evidence.reputation, evidence.behaviour)
    if any(sum(reason.weight for reason in term) >= OTHERS_MIN for term in terms):
        return True
    return probability >= certain and evidence.well_known and not evidence.trusted


def logistic(log_odds: float) -> float:
    """Return the probability (0 to 1) of log-odds."""
    if log_odds >= CERTAIN / 2:
        return 1.0
    return 1.0 / (1.0 + math.exp(-max(log_odds, -CERTAIN / 2)))
