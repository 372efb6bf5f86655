"""Alarms: each term by itself, the steps, and what all of it catches of simulated accounts."""

import random
from dataclasses import replace

import pytest
from bench.takeovers import Figures, measure, simulate

from history_support import BEGIN_S, foreign, own, settled
from paquebot.spamfilter.history.account import Account, newcomer
from paquebot.spamfilter.history.alarm import ALARM_S, assess, watched
from paquebot.spamfilter.history.counts import What
from paquebot.spamfilter.history.standing import Step

LATER = BEGIN_S + 1e6


def rules(account: Account, now_s: float) -> dict[str, float]:
    return {reason.rule: reason.weight for reason in assess(account, now_s).reasons}


def test_an_account_that_goes_on_as_before_raises_nothing() -> None:
    account = settled()
    for number in range(30):
        account, found = watched(account.after(own(number, LATER + number * 3600)), LATER + number * 3600)
        assert (found.reasons, found.step, account.alarm) == ((), None, None)


def test_one_odd_message_raises_no_alarm() -> None:
    account, found = watched(settled().after(own(1, LATER, 3.0)), LATER)
    assert (found.step, account.alarm) == (None, None)


def test_a_newcomer_has_no_habits_to_leave() -> None:
    account = newcomer(LATER)
    for number in range(6):
        account = account.after(foreign(number, LATER + number))
    assert assess(account, LATER).step is None


def test_a_newcomer_that_was_meant_for_much_is_not_slowed() -> None:
    account, chance = newcomer(LATER), random.Random(1)
    for number in range(2000):
        now_s = LATER + number * 0.05
        account, _ = watched(account.after(own(number, now_s, chance.gauss(-4.0, 1.5))), now_s)
        assert account.alarm is None


def test_a_run_of_foreign_messages_goes_through_the_steps() -> None:
    account, steps = settled(), []
    for number in range(8):
        account, found = watched(account.after(foreign(number, LATER + 10 * number)), LATER + 10 * number)
        steps.append(found.step)
    assert steps[-1] is Step.CANCEL
    assert steps.index(Step.CANCEL) < 7
    assert account.alarm is not None
    assert account.alarm.since_s == LATER  # the first of them


def test_content_alone_suspends_nobody() -> None:
    account = settled()
    for number in range(20):
        account, found = watched(account.after(own(number, LATER + 3600 * number, 4.0)), LATER + 3600 * number)
        assert found.step in {None, Step.SLOW, Step.HOLD}
    assert account.alarm is not None
    assert account.alarm.step is Step.HOLD


def test_behaviour_without_content_slows_and_no_more() -> None:
    account = settled()
    for number in range(120):
        account = account.after(foreign(number, LATER + number, -5.0))
    found = assess(account, LATER + 119)
    assert found.step is Step.SLOW
    assert {"own_rate", "own_strangers"} <= rules(account, LATER + 119).keys()


def test_a_rate_far_above_the_habit_counts() -> None:
    account = settled()
    for number in range(60):
        account = account.after(own(number, LATER + number))
    assert rules(account, LATER + 60) == {"own_rate": pytest.approx(2.8, abs=0.5)}


def test_unknown_users_count_when_there_were_few_before() -> None:
    account = settled()
    assert "unknown_users" not in rules(account.heard({What.HARD_BOUNCES: 3.0}, LATER), LATER)
    assert rules(account.heard({What.HARD_BOUNCES: 8.0}, LATER), LATER)["unknown_users"] > 2


def test_one_text_to_many_strangers_counts_only_of_who_does_not_always_do_so() -> None:
    account = settled()
    for number in range(10):
        account = account.after(foreign(number, LATER + 600 * number, -5.0))
    assert "one_template" in rules(account, LATER + 6000)
    assert "one_template" not in rules(replace(account, strangeness=0.9), LATER + 6000)


def test_who_travels_often_surprises_nobody_with_a_new_network() -> None:
    account = settled().after(replace(own(1, LATER), network=99))
    assert rules(account, LATER)["new_network"] > 1
    assert "new_network" not in rules(replace(account, novelty=(0.5, 0.0, 0.0, 0.0)), LATER)


def test_an_alarm_stands_for_an_hour_and_keeps_its_highest_step() -> None:
    account = settled()
    for number in range(8):
        account, _ = watched(account.after(foreign(number, LATER + number)), LATER + number)
    quiet, _ = watched(replace(account, recent=()), LATER + ALARM_S)
    assert quiet.alarm == account.alarm
    assert watched(replace(account, recent=()), LATER + ALARM_S + 60)[0].alarm is None


@pytest.fixture(scope="module")
def figures() -> Figures:
    return measure(simulate(100, taken=0.5))


def test_the_fifth_message_of_a_taken_over_account_is_caught(figures: Figures) -> None:
    content = figures.ways["history of content"]
    assert content.caught(5, 0.001) >= 0.85
    assert figures.ways["content alone"].caught(5, 0.001) <= 0.5
    assert figures.ways["all terms"].caught(5, 0.001) >= 0.95
    assert figures.ways["all terms"].caught(10, 0.0001) >= 0.85


def test_false_alarms_are_rare_and_steps_are_reached_soon(figures: Figures) -> None:
    assert figures.false_a_month(Step.SLOW) <= 0.02
    assert figures.false_a_month(Step.HOLD) <= 0.01
    assert figures.false_a_month(Step.SUSPEND) == 0
    taken = len(figures.ways["all terms"].bad[1])
    assert sum(k <= 10 for k in figures.reached[Step.HOLD]) / taken >= 0.9
    assert sum(k <= 20 for k in figures.reached[Step.SUSPEND]) / taken >= 0.8
