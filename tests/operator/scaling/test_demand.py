"""What is asked for is what destinations take: their backlog within the drain time, and their limits."""

import math
from dataclasses import replace

import pytest

from paquebot.policy.scaling import Scaling
from paquebot_operator.scaling.demand import demand, drain_s, limit
from paquebot_operator.scaling.values import Destination, Reason, Spec

NOW = 1000.0
PER_POD = 100.0
SPEC = Spec(Scaling(drain_s=100, utilization=0.8), replicas=2, sessions_per_replica=200)
MANY = Destination("other", backlog=16_000, slots=16)


def test_a_backlog_is_sent_within_the_drain_time_beside_what_comes() -> None:
    assert demand((MANY,), SPEC, PER_POD, NOW).pods == pytest.approx(2.0)
    assert demand((replace(MANY, arrivals_per_s=80.0),), SPEC, PER_POD, NOW).pods == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("where", "cap", "reason"),
    [
        (replace(MANY, rate_per_s=5.0), 5.0, Reason.RATE),
        (replace(MANY, rate_per_s=5.0, learned=True), 5.0, Reason.LEARNED),
        (replace(MANY, connections=10, seconds=2.0), 5.0, Reason.CONNECTIONS),
        (replace(MANY, slots=1), 80.0, Reason.SLOTS),
        (replace(MANY, resting_until_s=NOW + 1), 0.0, Reason.RESTING),
    ],
)
def test_what_a_destination_does_not_take_is_no_reason_for_a_pod(
    where: Destination, cap: float, reason: Reason
) -> None:
    assert limit(where, PER_POD * 0.8, NOW) == (cap, reason)
    asked = demand((where,), SPEC, PER_POD, NOW)
    assert asked.served_per_s == cap
    assert asked.wanted_per_s == 160.0
    assert [each.reason for each in asked.bottlenecks] == [reason]
    assert asked.sendable == (cap > 0)


def test_a_destination_counts_for_no_more_pods_than_its_slots() -> None:
    slow = Destination("slow", backlog=1_000_000, seconds=600.0, slots=2)
    assert demand((slow,), SPEC, PER_POD, NOW).pods == 2.0


def test_slow_attempts_ask_for_the_sessions_that_they_keep() -> None:
    slow = replace(MANY, backlog=4000, seconds=30.0)  # 40 a second, 30 seconds each
    assert demand((slow,), SPEC, PER_POD, NOW).pods == pytest.approx(1200 / 200)


def test_a_paused_pool_asks_for_nothing() -> None:
    asked = demand((MANY,), replace(SPEC, paused=True), PER_POD, NOW)
    assert asked.pods == 0
    assert not asked.sendable


def test_the_backlog_is_gone_when_the_slowest_is() -> None:
    assert drain_s((MANY,), SPEC, PER_POD, NOW) == 80.0
    assert drain_s((MANY, Destination("slow", 600, rate_per_s=1.0)), SPEC, PER_POD, NOW) == 600.0
    assert drain_s((MANY, Destination("gone", 1, resting_until_s=NOW + 1)), SPEC, PER_POD, NOW) == math.inf
    assert drain_s((), SPEC, PER_POD, NOW) == 0.0
