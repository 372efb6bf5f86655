"""From facts to a verdict: the sum of weights is a probability in log-odds, and that decides the action.

A verdict is one sum. Whoever knows more about a message adds a term to TERMS, nothing else changes.
"""

import math
from collections.abc import Callable

from paquebot.mail.verdict import Action, Reason, Verdict
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
_REASONS_MAX = 10

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


def judge(facts: Facts, thresholds: Thresholds, terms: tuple[Term, ...] = TERMS) -> Verdict:
    """Return the verdict, heaviest reasons first. In shadow mode mail is accepted whatever they say."""
    reasons = [reason for term in terms for reason in term(facts)]
    probability = _logistic(BIAS + sum(reason.weight for reason in reasons))
    reasons.sort(key=lambda reason: -abs(reason.weight))
    action = action_for(probability, thresholds)
    return Verdict(
        action=Action.ACCEPT if thresholds.shadow else action,
        probability=probability,
        reasons=tuple(reasons[:_REASONS_MAX]),
        shadow_action=action if thresholds.shadow else None,
    )


def action_for(probability: float, thresholds: Thresholds) -> Action:
    """Return the strictest action whose threshold is reached; one above 1 never is."""
    if probability >= thresholds.reject:
        return Action.REJECT
    if probability >= thresholds.hold:
        return Action.HOLD
    if probability >= thresholds.tag:
        return Action.TAG
    return Action.ACCEPT


def _logistic(log_odds: float) -> float:
    if log_odds >= CERTAIN / 2:
        return 1.0
    return 1.0 / (1.0 + math.exp(-max(log_odds, -CERTAIN / 2)))
