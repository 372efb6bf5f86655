"""When an account does not act like itself: terms that add up, and the step that their sum allows. Pure.

Weights are log-odds by judgement; what they catch, and how often they are wrong, is measured by
`bench/takeovers.py` on accounts with habits.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from paquebot.mail.verdict import Reason
from paquebot.spamfilter.history.account import (
    KINDS,
    NEW_AGENT,
    NEW_AUTHOR,
    NEW_LINK,
    NEW_NETWORK,
    PRIOR_WEIGHT,
    Account,
    Alarm,
)
from paquebot.spamfilter.history.counts import Span, What
from paquebot.spamfilter.history.standing import Step
from paquebot.spamfilter.history.template import near

WINDOW = 5  # messages
DECAY = 0.9  # of the cumulative sum, a message
SLACK = 1.5  # standard deviations that a message may be above its account's level without counting
NOVELTY_OVER = 12  # messages
NOVELTY_S = 6 * 3600.0  # so long something new stays new
SETTLED = 20.0  # messages after which an account has habits
HABIT_AFTER_S = 7 * 86_400.0  # from which on an account's hours are known
STRANGERS_OVER = 10  # messages
STRANGERS_MIN = 5
STRANGENESS_MAX = 0.5  # who always writes to new people does so with one text
MORE_STRANGERS_MIN = 0.25  # of all recipients, above the own share
HARD_MIN = 4.0  # recipients that do not exist
ALARM_S = 3600.0  # an alarm stands so long after it showed last

SLOW_FROM = 3.5
HOLD_FROM = 5.0
SUSPEND_FROM = 7.5
_CONTENT = frozenset({"own_content", "own_content_run"})
_CONTENT_MIN = 1.5  # of the sum must come from content before mail is held
_OTHERS_MIN = 2.0  # and so much from elsewhere before a credential is suspended

Term = Callable[[Account, float], Reason | None]


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the terms say of an account after its last message, and the step that they allow."""

    reasons: tuple[Reason, ...]
    step: Step | None

    @property
    def evidence(self) -> float:
        """The sum of the weights."""
        return sum(reason.weight for reason in self.reasons)


def assess(account: Account, now_s: float) -> Assessment:
    """Say how an account acts, its last message included."""
    if not account.recent:
        return Assessment((), None)
    reasons = tuple(reason for term in TERMS if (reason := term(account, now_s)) is not None)
    return Assessment(reasons, _step(reasons))


def watched(account: Account, now_s: float) -> tuple[Account, Assessment]:
    """Return the account with its alarm as it stands now, and what led to that."""
    found = assess(account, now_s)
    before = account.alarm
    if before is not None and now_s - before.at_s > ALARM_S:
        before = None
    if found.step is None:
        return (account if account.alarm is before else replace(account, alarm=before)), found
    if before is None:
        return replace(account, alarm=Alarm(found.step, _changed_s(account, now_s), now_s)), found
    return replace(account, alarm=Alarm(max(before.step, found.step), before.since_s, now_s)), found


def own_content(account: Account, _now_s: float) -> Reason | None:
    """Speak when the last five messages are above the account's own level, taken together."""
    last = account.recent[-WINDOW:]
    above = sum(each.apart for each in last) / math.sqrt(WINDOW)
    weight = min(5.0, 0.9 * (above - 2.0)) * _settled(account)
    if weight <= 0:
        return None
    return Reason("own_content", weight, f"The last {len(last)} messages read less like this account's than before.")


def own_content_run(account: Account, _now_s: float) -> Reason | None:
    """Speak when messages above the own level follow each other: faster than the window, and less sure."""
    run = 0.0
    for each in account.recent:
        run = max(0.0, DECAY * run + each.apart - SLACK)
    weight = min(3.0, 0.5 * (run - 1.0)) * _settled(account)
    if weight <= 0:
        return None
    return Reason("own_content_run", weight, "Its messages drift away from what it usually sends.")


def own_rate(account: Account, now_s: float) -> Reason | None:
    """Speak when this hour brings far more than this hour of the week, and than the busiest lately."""
    if now_s - account.counts.first_s < HABIT_AFTER_S:
        return None  # whoever has just come may have been meant for much; a quota is what bounds newcomers
    sent = account.habit.in_this_hour(now_s)
    usual = max(account.habit.usual(now_s), 1.0)
    if sent < usual + 6 * math.sqrt(usual) or sent < 2 * max(account.habit.peak, 5.0):
        return None
    weight = min(3.0, 1.0 + math.log(sent / (2 * max(account.habit.peak, 5.0))))
    return Reason("own_rate", weight, f"It sent {sent} messages this hour; about {usual:.0f} are usual.")


def own_strangers(account: Account, _now_s: float) -> Reason | None:
    """Speak when far more recipients than usual are ones the account never wrote to."""
    last = account.recent[-STRANGERS_OVER:]
    recipients = sum(each.recipients for each in last)
    strangers = sum(each.strangers for each in last)
    usual = min(0.9, max(0.05, account.strangeness))
    if strangers < STRANGERS_MIN or strangers / recipients < usual + MORE_STRANGERS_MIN:
        return None
    share = min(0.98, strangers / recipients)
    # How much likelier so many are at this share than at the usual one; recipients of one message go together.
    messages = sum(1 for each in last if each.recipients)
    gain = share * math.log(share / usual) + (1 - share) * math.log((1 - share) / (1 - usual))
    weight = min(3.0, gain * messages * 0.3)
    return Reason("own_strangers", weight, f"{strangers} of its last {recipients} recipients are new to it.")


def unknown_users(account: Account, now_s: float) -> Reason | None:
    """Speak when many of the last hour's recipients do not exist, and few did not before."""
    hard = account.counts.count(What.HARD_BOUNCES, Span.HOUR, now_s)
    recipients = max(account.counts.count(What.RECIPIENTS, Span.HOUR, now_s), hard)
    if hard < HARD_MIN:
        return None
    before = account.counts.count(What.HARD_BOUNCES, Span.MONTH, now_s) - hard
    usual = max(0.0, before) / max(1.0, account.counts.count(What.RECIPIENTS, Span.MONTH, now_s) - recipients)
    weight = min(4.0, math.log(hard / recipients / max(0.01, usual)))
    if weight <= 0:
        return None
    return Reason("unknown_users", weight, f"{hard:.0f} of its last {recipients:.0f} recipients do not exist.")


def new_network(account: Account, now_s: float) -> Reason | None:
    """Speak when it sends from a network that it never used."""
    return _novelty(account, now_s, NEW_NETWORK, "new_network", "It sends from a network that it never used before.")


def new_agent(account: Account, now_s: float) -> Reason | None:
    """Speak when it greets with a name that it never used."""
    return _novelty(account, now_s, NEW_AGENT, "new_agent", "It sends with a program that it never used before.")


def new_author(account: Account, now_s: float) -> Reason | None:
    """Speak when From has a domain that it never used."""
    return _novelty(account, now_s, NEW_AUTHOR, "new_author", "Its From has a domain that it never used before.")


def new_link(account: Account, now_s: float) -> Reason | None:
    """Speak when it links to where it never did."""
    return _novelty(account, now_s, NEW_LINK, "new_link", "It links to a domain that it never named before.")


def one_template(account: Account, _now_s: float) -> Reason | None:
    """Speak when one text goes to many who never heard of the account, and that is not what it always does."""
    if account.strangeness > STRANGENESS_MAX:
        return None
    last = account.recent[-1]
    alike = [each.strangers for each in account.recent if each.strangers and near(each.template, last.template)]
    strangers = sum(alike)
    if len(alike) < WINDOW or strangers < STRANGERS_MIN:
        return None
    weight = min(2.0, 0.5 * math.log(strangers / STRANGERS_MIN) + 0.5)
    return Reason("one_template", weight, f"One text went to {strangers} recipients who are new to it.")


TERMS: tuple[Term, ...] = (
    own_content,
    own_content_run,
    own_rate,
    own_strangers,
    unknown_users,
    new_network,
    new_agent,
    new_author,
    new_link,
    one_template,
)
_SHARES = {NEW_NETWORK: 0.8, NEW_AGENT: 0.6, NEW_AUTHOR: 0.3, NEW_LINK: 0.8}  # of accounts that were taken over


def _novelty(account: Account, now_s: float, kind: int, rule: str, text: str) -> Reason | None:
    if account.level.weight < SETTLED:
        return None
    last = account.recent[-NOVELTY_OVER:]
    if not any(each.new & kind and now_s - each.at_s <= NOVELTY_S for each in last):
        return None
    # Something new among the last messages, not in this one alone: so the usual rate is that of a whole window.
    usual = 1 - (1 - max(0.002, account.novelty[KINDS.index(kind)])) ** len(last)
    weight = min(2.0, math.log(_SHARES[kind] / usual))
    return Reason(rule, weight, text) if weight > 0 else None


def _settled(account: Account) -> float:
    """Return how far the own level may be trusted: 0 for a newcomer, 1 once it has habits."""
    return max(0.0, min(1.0, (account.level.weight - PRIOR_WEIGHT) / SETTLED))


def _step(reasons: tuple[Reason, ...]) -> Step | None:
    evidence = sum(reason.weight for reason in reasons)
    content = sum(reason.weight for reason in reasons if reason.rule in _CONTENT)
    if evidence < SLOW_FROM:
        return None
    if evidence < HOLD_FROM or content < _CONTENT_MIN:
        return Step.SLOW
    if evidence < SUSPEND_FROM or evidence - content < _OTHERS_MIN:
        return Step.HOLD
    return Step.CANCEL


def _changed_s(account: Account, now_s: float) -> float:
    """Return when the run began that led here: its first message above the own level, or new in something."""
    since_s = now_s
    calm = 0
    for each in reversed(account.recent):
        calm = 0 if each.apart > SLACK or each.new else calm + 1
        if calm >= WINDOW or now_s - each.at_s > 24 * 3600.0:
            break
        if not calm:
            since_s = each.at_s
    return since_s
