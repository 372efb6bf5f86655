"""A site is never served faster, or over more connections, than its policy allows."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from paquebot.deliverer.throttle import MOVES, State, Throttle
from paquebot.policy.pace import Adaptive
from paquebot.policy.values import Backoff, DestinationPolicy
from paquebot.queue.lesson import Lesson

POLICY = DestinationPolicy("site", connections_max=8, rate_per_s=5.0, backoff=Backoff(10, 100, 2.0))


class Life(RuleBasedStateMachine):
    """Anything may happen to a site, at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.throttle = Throttle(POLICY)
        self.now = 0.0
        self.begun: list[float] = []

    @rule(seconds=st.floats(0, 50))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def a_message_begins_when_it_may(self) -> None:
        if self.throttle.wait(self.now) == 0:
            self.throttle.begin(self.now)
            self.begun.append(self.now)

    @rule()
    def slow_down(self) -> None:
        self.throttle.slow_down(self.now, "421")

    @rule(count=st.integers(1, 30))
    def successes(self, count: int) -> None:
        for _ in range(count):
            self.throttle.went_well(self.now)

    @rule()
    def suspend(self) -> None:
        self.throttle.suspend("by hand")

    @rule()
    def resume(self) -> None:
        self.throttle.resume()

    @invariant()
    def connections_stay_within_the_policy(self) -> None:
        assert 1 <= self.throttle.allowed <= POLICY.connections_max

    @invariant()
    def the_pace_is_kept_in_every_window(self) -> None:
        for first, second in zip(self.begun, self.begun[1:], strict=False):
            assert second - first >= 1 / POLICY.rate_per_s - 1e-9

    @invariant()
    def a_throttled_site_has_a_reason(self) -> None:
        assert bool(self.throttle.reason) == (self.throttle.state is not State.READY)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)


def test_it_rests_longer_each_time_up_to_the_maximum() -> None:
    throttle = Throttle(POLICY)
    rests = []
    now = 0.0
    for _ in range(6):
        throttle.slow_down(now, "421")
        rests.append(throttle.wait(now))
        now += rests[-1]
        assert throttle.wait(now) == 0
    assert rests == [10, 20, 40, 80, 100, 100]


def test_turns_are_told_one_behind_the_other_at_the_pace_and_not_too_far_ahead() -> None:
    throttle = Throttle(POLICY)
    throttle.slow_down(0, "421")
    assert [throttle.turn(0, 10.5) for _ in range(4)] == pytest.approx([10, 10.2, 10.4, 10.5])
    assert throttle.turn(100, 3600) == 0
    unpaced = Throttle(DestinationPolicy("site"))
    unpaced.suspend("by hand")
    assert [unpaced.turn(0, 3600), unpaced.turn(0, 3600)] == [3600, 3600]


def test_what_comes_while_it_rests_does_not_count_again() -> None:
    throttle = Throttle(POLICY)
    throttle.slow_down(0, "421")
    throttle.slow_down(1, "421 of another connection")
    assert (throttle.wait(1), throttle.allowed, throttle.reason) == (9, 4, "421")


def test_it_recovers_step_by_step() -> None:
    throttle = Throttle(POLICY)
    throttle.slow_down(0, "421")
    throttle.wait(10)
    allowed = []
    for _ in range(50):
        throttle.went_well(10.0)
        allowed.append(throttle.allowed)
    assert sorted(set(allowed)) == [4, 5, 6, 7, 8]
    assert throttle.level == 0


def test_a_message_before_its_time_is_a_bug() -> None:
    throttle = Throttle(POLICY)
    throttle.begin(0)
    with pytest.raises(AssertionError, match="before its time"):
        throttle.begin(0.1)


@given(st.sampled_from(State), st.sampled_from(State))
def test_only_legal_moves_are_made(before: State, after: State) -> None:
    throttle = Throttle(POLICY, state=before)
    if after in MOVES[before]:
        throttle._move(after)
        assert throttle.state is after
    else:
        with pytest.raises(AssertionError, match="no legal move"):
            throttle._move(after)


def test_a_changed_policy_is_followed() -> None:
    throttle = Throttle(POLICY)
    throttle.follow(DestinationPolicy("site", connections_max=3))
    assert throttle.allowed == 3
    throttle.follow(DestinationPolicy("site", connections_max=20))
    assert throttle.allowed == 20


def test_behind_a_former_owner_the_first_message_keeps_the_pace_too() -> None:
    throttle = Throttle(POLICY)
    throttle.follows(100.0)
    assert throttle.wait(100.1) == pytest.approx(0.1)
    unlimited = Throttle(DestinationPolicy("site"))
    unlimited.follows(100.0)
    assert (unlimited.wait(99.0), unlimited.wait(100.0)) == (1.0, 0.0)


def slowed() -> Throttle:
    throttle = Throttle(DestinationPolicy("site", connections_max=8))
    for number in range(40):
        throttle.went_well(number / 10)
    while throttle.state is State.READY:
        throttle.slow_down(4.0, "421 4.7.0 slow down")
    return throttle


def test_it_says_how_fast_it_goes_and_why() -> None:
    throttle = slowed()
    assert throttle.why == "THROTTLED: 421 4.7.0 slow down; then 5 messages a second"
    throttle.wait(100.0)
    assert throttle.why == ("kept to its pace of 5 messages a second, slower than it may be after: 421 4.7.0 slow down")


def test_a_pace_that_was_learned_is_kept_and_a_policy_without_adapting_forgets_it() -> None:
    throttle = slowed()
    assert throttle.wait(10.0) == 0.0
    throttle.begin(10.0)
    assert throttle.wait(10.0) == pytest.approx(0.2)
    throttle.follow(DestinationPolicy("site", adaptive=Adaptive(enabled=False)))
    assert throttle.wait(10.0) == 0.0


def test_what_was_learned_is_not_forgotten_before_a_longest_rest_has_passed() -> None:
    throttle = slowed()
    assert not throttle.is_forgettable(14_000.0)
    assert throttle.is_forgettable(14_500.0)


def test_a_suspension_has_an_end_or_waits_for_a_person() -> None:
    throttle = Throttle(POLICY)
    throttle.suspend("by hand")
    assert throttle.wait(1e9) == float("inf")
    assert throttle.lesson(0.0, 0) is None  # the order itself is kept elsewhere
    throttle.suspend("pattern", 50.0)
    assert (throttle.wait(10.0), throttle.wait(50.0)) == (40.0, 0.0)


def test_a_recalled_rest_is_bounded_and_what_is_known_already_is_not_overwritten() -> None:
    throttle = Throttle(POLICY)
    throttle.recall(Lesson("THROTTLED", until_ms=10**15, connections=99, level=3), 0.0, 0)
    assert (throttle.wait(0.0), throttle.allowed) == (86_400.0, 8)
    throttle.recall(Lesson("READY", level=1), 0.0, 0)
    assert throttle.level == 3
