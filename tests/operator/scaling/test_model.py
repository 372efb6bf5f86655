"""The number of replicas follows the demand, in bounded steps, and never shrinks for what cannot be seen."""

import math
import random
from dataclasses import replace
from itertools import pairwise

import pytest
from bench.scaling import (
    BLAST,
    BLIND,
    BURST,
    DEFERRED,
    MANY,
    NIGHT,
    RESTING,
    STEADY,
    ByLag,
    Load,
    Scenario,
    ours,
    run,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from paquebot.policy.scaling import Change, Scaling
from paquebot_operator.scaling.model import begin, decide
from paquebot_operator.scaling.values import Destination, Pod, Signals, Spec, State

SCALING = Scaling(replicas_max=16)
POD = Pod("pod-1")
NOTHING = Signals((), (POD,))
BIG = Signals((Destination("other", backlog=1_000_000, slots=16),), (POD,))
DEFAULTS = Spec(SCALING, 1)


def settle(signals: Signals | None, spec: Spec, seconds: int, state: State | None = None) -> list[int]:
    """Return the replicas, look by look, when each decision is carried out at once."""
    state, made = state or begin(spec.replicas, 0.0), []
    for now in range(0, seconds, 10):
        decision, state = decide(state, signals, spec, now)
        spec = replace(spec, replicas=decision.replicas)
        made.append(decision.replicas)
    return made


# The scenarios, as numbers that only an intended change may change.


@pytest.mark.parametrize(
    ("scenario", "lag", "mine"),
    [
        (BURST, (5.6, 16, 844), (1.5, 4, 846)),
        (DEFERRED, (15.9, 16, math.inf), (1.0, 1, math.inf)),
        (STEADY, (14.5, 16, math.inf), (7.0, 8, math.inf)),
        (BLAST, (4.2, 16, 504), (4.1, 16, 561)),
        (RESTING, (12.1, 16, 2400), (1.2, 2, 2404)),
        (NIGHT, (1.4, 8, 601), (0.3, 1, 601)),
        (BLIND, (14.5, 16, math.inf), (7.0, 8, math.inf)),
    ],
    ids=lambda each: each.name if isinstance(each, Scenario) else "",
)
def test_a_scenario_costs_what_it_did(scenario: Scenario, lag: tuple, mine: tuple) -> None:
    for scaler, told in ((ByLag(scenario.replicas), lag), (ours(replicas_min=scenario.replicas), mine)):
        made = run(scenario, scaler)
        assert (round(made.hours, 1), max(made.replicas), made.done_s) == told


def test_what_is_throttled_is_sent_as_soon_with_a_third_of_the_replicas() -> None:
    lag, mine = run(BURST, ByLag()), run(BURST, ours())
    assert mine.done_s <= 1.01 * lag.done_s
    assert mine.hours < lag.hours / 3


def test_a_pool_goes_to_zero_when_it_was_idle_and_wakes_at_once() -> None:
    made = run(NIGHT, ours(replicas_min=0)).replicas
    assert made[0] == 0
    assert made[10:1190] == (1,) * 1180
    assert made[-1] == 0
    assert run(NIGHT, ours(replicas_min=0)).changes == 2


# Rules of each step.


def test_it_grows_by_four_or_to_twice_as_many_in_a_minute() -> None:
    assert settle(BIG, DEFAULTS, 190)[::6] == [1, 5, 10, 16]  # the first look after a start is too early


def test_it_shrinks_after_five_minutes_by_a_quarter_a_minute() -> None:
    made = settle(NOTHING, replace(DEFAULTS, replicas=16), 900)
    assert made[:31] == [16] * 31
    assert made[31::6] == [12, 9, 7, 6, 5, 4, 3, 2, 1, 1]


def test_a_close_wish_changes_nothing() -> None:
    near = Signals((Destination("other", arrivals_per_s=10.9 * 80, slots=16),), (POD,))
    far = Signals((Destination("other", arrivals_per_s=11.1 * 80, slots=16),), (POD,))
    ten = replace(DEFAULTS, replicas=10)
    assert settle(near, ten, 100)[-1] == 10
    assert settle(far, ten, 100)[-1] == 12


def test_growing_can_be_made_to_wait_but_waking_does_not() -> None:
    slow = Scaling(replicas_min=0, replicas_max=16, up=Change(60, 4, 1.0))
    assert settle(BIG, Spec(slow, 2), 80) == [2] * 7 + [6]
    assert settle(BIG, Spec(slow, 0), 10) == [1]


def test_missing_data_hold_the_number_and_then_raise_it() -> None:
    assert settle(None, replace(DEFAULTS, replicas=1), 70) == [1, 1, 1, 1, 1, 3, 3]
    assert settle(None, replace(DEFAULTS, replicas=9), 700)[-1] == 9


def test_after_missing_data_nothing_shrinks_before_a_whole_window() -> None:
    state = begin(9, 0.0)
    spec = replace(DEFAULTS, replicas=9)
    for now in range(0, 600, 10):
        _decision, state = decide(state, None, spec, now)
    for now in range(600, 880, 10):
        decision, state = decide(state, NOTHING, spec, now)
        assert decision.replicas == 9
    assert decide(state, NOTHING, spec, 900)[0].replicas == 7


def test_nothing_shrinks_while_no_deliverer_reports() -> None:
    silent = Signals((Destination("other", backlog=1, slots=16),))
    assert settle(silent, replace(DEFAULTS, replicas=9), 900)[-1] == 9


def test_open_sessions_keep_their_deliverers() -> None:
    busy = Signals((), (Pod("pod-1", 0.0, 0.0, 200), Pod("pod-2", 0.0, 0.0, 150)))
    assert settle(busy, replace(DEFAULTS, replicas=6), 1200)[-1] == 2


def test_a_trickle_keeps_the_last_deliverer_though_nothing_lies_there() -> None:
    zero = Spec(Scaling(replicas_min=0), 1)
    assert settle(Signals((), (Pod("pod-1", 0.1),)), zero, 900)[-1] == 1
    assert settle(Signals((), (POD,)), zero, 900)[-1] == 0


def test_deferred_mail_that_is_due_soon_keeps_the_last_deliverer() -> None:
    zero = Spec(Scaling(replicas_min=0), 1)
    soon = Signals((), (POD,), deferred=5, due_s=1000.0)
    made = settle(soon, zero, 1500)
    assert made == [1] * 150
    assert settle(replace(soon, due_s=10_000.0), zero, 800)[-1] == 0


def test_a_rest_that_ends_soon_keeps_the_last_deliverer() -> None:
    zero = Spec(Scaling(replicas_min=0), 1)
    resting = Signals((Destination("big", backlog=100, resting_until_s=1000.0),), (POD,))
    assert settle(resting, zero, 1500) == [1] * 150


def test_the_end_of_a_rest_wakes_a_pool() -> None:
    resting = Destination("big", backlog=100, resting_until_s=5000.0)
    zero = Spec(Scaling(replicas_min=0), 0)
    state = begin(0, 4000.0)
    assert decide(state, Signals((resting,)), zero, 4990.0)[0].replicas == 0
    assert decide(state, Signals((resting,)), zero, 5000.0)[0].replicas == 1


def test_a_pool_keeps_to_what_it_declares_at_once() -> None:
    assert settle(NOTHING, Spec(Scaling(replicas_min=6, replicas_max=10), 1), 10) == [6]
    assert settle(BIG, Spec(Scaling(replicas_max=3), 9), 10) == [3]


def test_what_a_deliverer_can_do_is_learned_from_busy_ones_and_bounded() -> None:
    state, busy = begin(1, 0.0), Pod("pod-1", 180.0, 0.9)
    for now in range(0, 1000, 10):
        decision, state = decide(state, replace(BIG, pods=(busy, Pod("pod-2", 1.0, 0.2))), DEFAULTS, now)
    assert decision.per_pod == pytest.approx(200.0, rel=0.01)
    for now in range(1000, 3000, 10):
        decision, state = decide(state, replace(BIG, pods=(replace(busy, attempts_per_s=9.0),)), DEFAULTS, now)
    assert decision.per_pod == pytest.approx(20.0)


def test_after_a_restart_it_is_more_careful() -> None:
    eight = replace(DEFAULTS, replicas=8)
    _first, known = decide(begin(8, 1000.0, changed_s=990.0), BIG, eight, 1000.0)
    assert decide(known, BIG, eight, 1010.0)[0].replicas == 8
    assert decide(known, BIG, eight, 1050.0)[0].replicas == 16
    _first, unknown = decide(begin(8, 1000.0), BIG, eight, 1000.0)
    assert decide(unknown, BIG, eight, 1010.0)[0].replicas == 16


def test_the_state_stays_small() -> None:
    state, chance = begin(1, 0.0), random.Random(1)
    spec = replace(DEFAULTS, scaling=replace(SCALING, down=Change(86_400, 1, 0.25), up=Change(86_400, 4, 1.0)))
    for now in range(0, 86_400, 10):
        backlog = Destination("other", chance.randrange(1_000_000), slots=16)
        decision, state = decide(state, Signals((backlog,), (POD,)), spec, now)
        spec = replace(spec, replicas=decision.replicas)
        assert len(state.highest) <= 17
        assert len(state.lowest) <= 17
        assert len(state.changes) <= 13


# Properties.

BACKLOGS = st.integers(0, 2_000_000)
WHERE = st.builds(
    Destination,
    name=st.just("some"),
    backlog=BACKLOGS,
    arrivals_per_s=st.floats(0, 500),
    seconds=st.floats(0, 60),
    connections=st.integers(1, 1000),
    rate_per_s=st.floats(0.01, 1000),
    slots=st.integers(1, 16),
    resting_until_s=st.sampled_from([0.0, 1e9]),
)
SPECS = st.builds(
    Spec,
    scaling=st.builds(
        Scaling,
        replicas_min=st.integers(0, 3),
        replicas_max=st.integers(3, 16),
        drain_s=st.integers(1, 3600),
        tolerance=st.floats(0, 0.5),
    ),
    replicas=st.integers(0, 16),
)


@settings(deadline=None)
@given(st.lists(WHERE, max_size=4), st.integers(0, 3), st.integers(0, 1_000_000), SPECS)
def test_more_backlog_never_asks_for_less(wheres: list[Destination], at: int, more: int, spec: Spec) -> None:
    wheres = wheres or [MANY]
    grown = [
        replace(each, backlog=each.backlog + more * (number == at % len(wheres))) for number, each in enumerate(wheres)
    ]
    state = begin(spec.replicas, 0.0)
    less, _ = decide(state, Signals(tuple(wheres), (POD,)), spec, 400.0)
    most, _ = decide(state, Signals(tuple(grown), (POD,)), spec, 400.0)
    assert most.wish >= less.wish
    assert most.replicas >= less.replicas


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), BACKLOGS), min_size=1, max_size=60), st.integers(1, 16))
def test_a_change_is_bounded_whatever_comes(seen: list[int | None], replicas: int) -> None:
    spec, state = replace(DEFAULTS, replicas=replicas), begin(replicas, 0.0)
    history = [replicas] * 6
    for number, backlog in enumerate(seen):
        where = Destination("other", backlog or 0, slots=16)
        decision, state = decide(state, None if backlog is None else Signals((where,), (POD,)), spec, 10.0 * number)
        now = history[-1]
        if backlog is None:
            assert decision.replicas >= now
        lowest, highest = min(history[-6:]), max(history[-6:])
        assert decision.replicas <= max(now, lowest + 4, 2 * lowest)
        assert decision.replicas >= min(now, highest - max(1, highest // 4))
        spec = replace(spec, replicas=decision.replicas)
        history.append(decision.replicas)


@settings(deadline=None, max_examples=30)
@given(st.floats(0.5, 15.0), st.integers(0, 1000))
def test_noise_of_a_tenth_does_not_make_it_flap(pods: float, seed: int) -> None:
    chance = random.Random(seed)
    spec, state = replace(DEFAULTS, replicas=math.ceil(pods)), begin(math.ceil(pods), 0.0)
    made = []
    for now in range(0, 3600, 10):
        rate = pods * 80.0 * chance.uniform(0.9, 1.1)
        decision, state = decide(state, Signals((replace(MANY, backlog=0, arrivals_per_s=rate),), (POD,)), spec, now)
        spec = replace(spec, replicas=decision.replicas)
        made.append(decision.replicas)
    assert sum(one != other for one, other in pairwise(made)) <= 2


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 100_000), st.sampled_from([300, 600]))
def test_what_no_limit_holds_up_is_sent_within_the_drain_time_and_half_of_it(backlog: int, drain_s: int) -> None:
    scenario = Scenario("some", (Load(MANY, backlog),), lasts_s=2 * drain_s)
    assert run(scenario, ours(drain_s)).done_s <= 1.5 * drain_s


@settings(deadline=None, max_examples=30)
@given(st.lists(WHERE, min_size=1, max_size=4), SPECS)
def test_with_everything_throttled_there_are_no_more_than_the_least(wheres: list[Destination], spec: Spec) -> None:
    resting = Signals(tuple(replace(each, resting_until_s=1e9) for each in wheres), (POD,))
    made = settle(resting, spec, 3000)
    assert max(made) <= max(spec.replicas, spec.scaling.replicas_min)
    assert made[-1] <= max(1, spec.scaling.replicas_min)
