"""An account's history: what is new to it, what it learns, and from what it learns nothing."""

from dataclasses import replace

import pytest

from history_support import BEGIN_S, foreign, own, settled
from paquebot.spamfilter.history.account import (
    BEFORE_LEVEL,
    KINDS,
    KNOWN_MAX,
    NEW_AGENT,
    NEW_LINK,
    NEW_NETWORK,
    PRIOR_MEAN,
    RECENT_MAX,
    Alarm,
    newcomer,
)
from paquebot.spamfilter.history.counts import Span, What
from paquebot.spamfilter.history.standing import Step

LATER = BEGIN_S + 1e6


def test_all_is_new_of_a_newcomer_and_nothing_twice() -> None:
    once = newcomer(BEGIN_S).after(own(1, BEGIN_S))
    assert once.recent[-1].new == sum(KINDS)
    assert once.after(own(1, BEGIN_S + 1)).recent[-1].new == 0


def test_what_another_uses_is_new() -> None:
    account = settled().after(foreign(1, LATER))
    assert account.recent[-1].new == NEW_NETWORK | NEW_AGENT | NEW_LINK
    assert (account.recent[-1].strangers, account.recent[-1].recipients) == (1, 1)


def test_recipients_are_strangers_once() -> None:
    account = settled()
    before = account.counts.count(What.STRANGERS, Span.MONTH, LATER)
    account = account.after(own(3, LATER))
    assert account.recent[-1].strangers == 0
    assert account.counts.count(What.STRANGERS, Span.MONTH, LATER) == pytest.approx(before, abs=0.01)


def test_the_level_follows_what_is_sent_some_messages_later() -> None:
    account = newcomer(BEGIN_S)
    for number in range(BEFORE_LEVEL):
        account = account.after(own(number, BEGIN_S + number, -7.0))
    assert account.level.mean == PRIOR_MEAN
    for number in range(200):
        account = account.after(own(number, BEGIN_S + number, -7.0))
    assert account.level.mean == pytest.approx(-7, abs=0.2)


def test_a_burst_does_not_become_normal_while_its_mail_is_held() -> None:
    account = replace(settled(), alarm=Alarm(Step.HOLD, LATER, LATER))
    level = account.level
    for number in range(50):
        account = account.after(foreign(number, LATER + number))
    assert account.level == level
    calm = account.calmed()
    assert (calm.alarm, calm.recent) == (None, ())
    for number in range(20):
        calm = calm.after(own(number, LATER + 100 + number))
    assert calm.level.mean == pytest.approx(level.mean, abs=0.2)


def test_a_slowed_account_is_still_learned_from() -> None:
    account = replace(settled(), alarm=Alarm(Step.SLOW, LATER, LATER))
    assert account.is_quiet
    assert not replace(account, alarm=Alarm(Step.HOLD, LATER, LATER)).is_quiet


def test_nothing_grows_without_end() -> None:
    account = newcomer(BEGIN_S)
    for number in range(300):
        account = account.after(replace(own(number, BEGIN_S + number), links=(number * 2 + 1, number * 2 + 2)))
    assert (len(account.recent), len(account.links)) == (RECENT_MAX, KNOWN_MAX)
    assert account.links[-1] == 600


def test_bounces_are_heard_of_without_a_message() -> None:
    account = settled().heard({What.HARD_BOUNCES: 2.0}, LATER)
    assert account.counts.count(What.HARD_BOUNCES, Span.HOUR, LATER) == 2
