"""Against a host with a hidden limit the pace finds it, keeps near it, and follows when it changes."""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paquebot.deliverer.pace import Pace
from paquebot.deliverer.throttle import State, Throttle
from paquebot.policy.pace import Adaptive
from paquebot.policy.values import Backoff, DestinationPolicy

ATTEMPT_S = 0.005


@dataclass
class Host:
    """Takes `limit` messages a second, and bursts; refuses the rest with 421."""

    limit: float
    burst: float
    tokens: float = 0.0
    at: float = 0.0

    def takes(self, now: float) -> bool:
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.limit)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass
class Run:
    """A site served as fast as its throttle allows; mail never runs out."""

    host: Host
    throttle: Throttle = field(default_factory=lambda: Throttle(DestinationPolicy("site")))
    now: float = 0.0
    took: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    rests: list[float] = field(default_factory=list)
    paces: list[float] = field(default_factory=list)

    def until(self, end: float) -> "Run":
        while self.now < end:
            wait_s = self.throttle.wait(self.now)
            if wait_s:
                self.now += wait_s
                continue
            self.throttle.begin(self.now)
            if self.host.takes(self.now):
                self.took.append(self.now)
                self.throttle.went_well(self.now)
            else:
                self.refused.append(self.now)
                self.throttle.slow_down(self.now, "421 4.7.0 slow down")
                if self.throttle.state is State.THROTTLED:
                    self.rests.append(self.now)
            self.paces.append(self.throttle.pace.allowed)
            self.now += ATTEMPT_S
        return self

    def pace(self, begin: float, end: float) -> float:
        return len([at for at in self.took if begin <= at < end]) / (end - begin)


@pytest.mark.parametrize(("limit", "burst"), [(0.5, 3), (2, 20), (10, 20), (40, 10)])
def test_it_converges_on_a_hidden_limit_and_does_not_oscillate_wildly(limit: float, burst: float) -> None:
    run = Run(Host(limit, burst)).until(3600)
    assert run.pace(1800, 3600) > 0.8 * limit
    late = [at for at in run.refused if at >= 1800]
    assert len(late) < 0.05 * 1800 * limit
    assert len([at for at in run.rests if at >= 1800]) <= 8
    settled = run.paces[len(run.paces) * 3 // 4 :]
    assert 0.4 * limit < min(settled) <= max(settled) < 1.4 * limit


def test_it_follows_a_limit_that_falls() -> None:
    run = Run(Host(20, 10)).until(1200)
    run.host.limit = 2
    run.until(3600)
    assert run.pace(1800, 3600) > 1.5
    assert len([at for at in run.refused if at >= 1200]) < 100


def test_it_follows_a_limit_that_rises() -> None:
    run = Run(Host(2, 5)).until(1200)
    run.host.limit = 20
    run.until(4800)
    assert run.pace(4200, 4800) > 12


def test_while_nothing_goes_it_rests_longer_each_time_and_then_recovers() -> None:
    run = Run(Host(10, 10)).until(900)
    run.host.limit = 0
    run.until(5000)
    blocked = [at for at in run.rests if at >= 900][1:]  # the burst is over, and one slower pace was tried
    rests = [later - earlier for earlier, later in pairwise(blocked)]
    assert rests[:3] == pytest.approx([300, 600, 1200], rel=0.3)
    run.host.limit = 10
    run.until(run.now + 3600)
    assert run.pace(run.now - 1200, run.now) > 8


@settings(max_examples=15, deadline=None)
@given(rate=st.floats(0.5, 20), limit=st.floats(0.2, 40), burst=st.floats(1, 50))
def test_it_never_goes_beyond_the_policys_rate(rate: float, limit: float, burst: float) -> None:
    policy = DestinationPolicy("site", rate_per_s=rate, backoff=Backoff(10, 60, 2.0))
    run = Run(Host(limit, burst), Throttle(policy)).until(400)
    attempts = sorted(run.took + run.refused)
    assert all(later - earlier >= 1 / rate - 1e-6 for earlier, later in pairwise(attempts))


def test_a_pace_that_is_not_used_is_not_raised() -> None:
    pace = Pace(Adaptive(), 0.0)
    for second in range(5):
        pace.went_well(float(second))
    assert pace.was_refused(5.0)
    assert pace.cut(5.0)
    before = pace.allowed
    for minute in range(1, 60):
        pace.went_well(60.0 * minute)
    assert pace.allowed == before


def test_few_refusals_among_many_do_not_slow_down() -> None:
    pace = Pace(Adaptive(refused_share=0.1), 0.0)
    for number in range(95):
        pace.went_well(number / 100)
    assert not any(pace.was_refused(0.96) for _ in range(5))
    assert pace.cut(1.0)  # but what is recent counts, should it be one too many


def test_without_a_success_a_cut_does_not_help() -> None:
    assert not Pace(Adaptive(), 0.0).cut(1.0)


def test_it_is_never_cut_below_the_least() -> None:
    pace = Pace(Adaptive(least_per_s=2.0), 0.0)
    now = 0.0
    for _ in range(10):
        for _ in range(30):
            now += 0.1
            pace.went_well(now)
        pace.cut(now)
    assert pace.allowed == 2.0
