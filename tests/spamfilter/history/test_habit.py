"""An account's week: what is usual at which hour."""

import pytest

from paquebot.spamfilter.history.habit import HOURS, Habit

HOUR = 3600.0
MONDAY_NINE = (4 * 24 + 9) * HOUR  # 1970-01-05


def test_an_hour_of_the_week_is_learned_from_week_to_week() -> None:
    habit = Habit()
    for week in range(20):
        for message in range(10):
            habit = habit.after(MONDAY_NINE + week * HOURS * HOUR + message)
    next_week = MONDAY_NINE + 20 * HOURS * HOUR
    assert habit.usual(next_week) == pytest.approx(10, rel=0.05)
    assert habit.usual(next_week + 3 * HOUR) == 0
    assert 5 < habit.peak <= 10


def test_only_this_hour_counts_as_this_hour() -> None:
    habit = Habit().after(MONDAY_NINE).after(MONDAY_NINE + 1)
    assert habit.in_this_hour(MONDAY_NINE + 59) == 2
    assert habit.in_this_hour(MONDAY_NINE + HOUR) == 0
    assert habit.after(MONDAY_NINE - HOUR).in_this_hour(MONDAY_NINE) == 3  # it came late


def test_years_of_silence_cost_a_week_of_steps() -> None:
    habit = Habit().after(MONDAY_NINE).after(MONDAY_NINE + 1000 * HOURS * HOUR)
    assert habit.so_far == 1
    assert max(habit.week) <= 0.25
