"""People are told what limits a pool, and which field changes that; no more often than it is news."""

import math
from dataclasses import replace

import pytest

from paquebot.policy.scaling import Mode, Scaling
from paquebot_operator.conditions import FALSE, TRUE, Condition, Report, summary
from paquebot_operator.scaling.model import begin, decide
from paquebot_operator.scaling.report import report, worth_telling
from paquebot_operator.scaling.values import Decision, Demand, Destination, Pod, Signals, Spec

NOW = 1_800_000_000.0
SPEC = Spec(Scaling(), 2)
POD = Pod("pod-1", 10.0, 0.1, 7)
GMAIL = Destination("gmail", 42_000, rate_per_s=50.0, slots=4, policy="gmail")


def told(signals: Signals | None, spec: Spec = SPEC, fault: str = "", looks: int = 1) -> Report:
    state = begin(spec.replicas, NOW)
    for look in range(looks):
        decision, state = decide(state, signals, spec, NOW + look)
    return report(decision, signals, spec, NOW, fault)


def condition(made: Report, kind: str) -> Condition:
    return next(each for each in made.conditions if each.type == kind)


def test_the_queue_and_the_decision_are_in_the_status() -> None:
    made = told(Signals((replace(GMAIL, rate_per_s=math.inf, backlog=6000),), (POD,), 5120, oldest_s=41.2))
    assert made.fields["queue"] == {
        "eligible": 6000,
        "inFlight": 7,
        "deferred": 5120,
        "oldestAge": "41s",
        "estimatedDrain": "30s",
        "sampledAt": "2027-01-15T08:00:00Z",
    }
    assert made.fields["scaling"] == {
        "desiredReplicas": 2,
        "rawRecommendation": "0.25",
        "requiredRate": "20/s",
        "perReplicaRate": "100/s",
        "bottlenecks": [],
    }
    assert summary(made.conditions).status == TRUE


@pytest.mark.parametrize(
    ("where", "cure"),
    [
        (GMAIL, "gmail is limited to 50/s by limits.rate of DestinationPolicy gmail"),
        (replace(GMAIL, learned=True), "the hosts of gmail bear 50/s now"),
        (
            replace(GMAIL, rate_per_s=math.inf, connections=10, policy=""),
            "gmail is limited to 10 connections, 10/s; raise limits.maxConnections of a DestinationPolicy for it",
        ),
        (
            replace(GMAIL, rate_per_s=math.inf, slots=1),
            "gmail is served by 1 at once, 80/s; raise slots of DestinationPolicy gmail",
        ),
        (
            replace(GMAIL, resting_until_s=2 * NOW),
            "gmail takes nothing now, its hosts refuse; `paquebot explain gmail`",
        ),
    ],
)
def test_that_more_replicas_will_not_help_is_said_with_what_would(where: Destination, cure: str) -> None:
    made = told(Signals((where,), (POD,)))
    limited = condition(made, "ScalingLimited")
    assert (limited.status, limited.reason) == (TRUE, "DestinationThrottle")
    assert limited.message.startswith(f"More replicas will not help: {cure}")
    assert made.fields["scaling"]["bottlenecks"][0]["destination"] == "gmail"


def test_what_is_held_up_by_a_little_is_not_worth_a_word() -> None:
    made = told(Signals((replace(GMAIL, backlog=100, resting_until_s=2 * NOW),), (POD,)))
    assert condition(made, "ScalingLimited").status == FALSE


@pytest.mark.parametrize(("most", "cure"), [(4, "raise scaling.maxReplicas (at most 16)"), (16, "another SendingPool")])
def test_a_pool_that_needs_more_than_it_may_have_says_so(most: int, cure: str) -> None:
    blast = Signals((Destination("other", 1_000_000, slots=16),), (POD,))
    limited = condition(told(blast, replace(SPEC, scaling=Scaling(replicas_max=most))), "ScalingLimited")
    assert (limited.status, limited.reason) == (TRUE, "MaxReplicas")
    assert cure in limited.message


def test_a_queue_that_cannot_be_measured_is_told_when_it_lasts() -> None:
    held = condition(told(None, fault="no answer"), "ScalingActive")
    assert (held.status, held.reason) == (TRUE, "Holding")
    lost = told(None, fault="no answer", looks=6)
    assert condition(lost, "ScalingActive").reason == "SignalsUnavailable"
    assert "6 times in a row: no answer" in condition(lost, "ScalingActive").message
    assert "3 replicas run and no fewer will" in condition(lost, "ScalingActive").message
    assert summary(lost.conditions).status == FALSE
    assert "queue" not in lost.fields


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (replace(SPEC, scaling=Scaling(Mode.MANUAL)), "Manual"),
        (replace(SPEC, scaling=Scaling(Mode.EXTERNAL)), "External"),
        (replace(SPEC, paused=True), "Paused"),
        (SPEC, "Scaling"),
    ],
)
def test_who_decides_is_told(spec: Spec, reason: str) -> None:
    active = condition(told(Signals((GMAIL,), (POD,)), spec), "ScalingActive")
    assert (active.status, active.reason) == (TRUE, reason)


@pytest.mark.parametrize(
    ("replicas", "wish", "pods", "reason"),
    [(1, 1, 0.2, "MinReplicas"), (3, 3, 2.5, "DesiredWithinRange"), (3, 5, 4.5, "Stabilizing")],
)
def test_what_is_as_it_should_be_is_no_limit(replicas: int, wish: int, pods: float, reason: str) -> None:
    decision = Decision(replicas, wish, Demand(pods=pods), 100.0, 0.0)
    limited = condition(report(decision, None, SPEC, NOW), "ScalingLimited")
    assert (limited.status, limited.reason) == (FALSE, reason)


@pytest.mark.parametrize(
    ("per_s", "written"), [(50, "50/s"), (0.5, "30/m"), (0.001, "3.6/h"), (1234.5, "1234/s"), (0, "0/h")]
)
def test_rates_are_written_as_policies_write_them(per_s: float, written: str) -> None:
    decision = Decision(1, 1, Demand(served_per_s=per_s), 100.0, 0.0)
    assert report(decision, None, SPEC, NOW).fields["scaling"]["requiredRate"] == written


def test_news_is_told_at_once_and_numbers_now_and_then() -> None:
    before = told(Signals((replace(GMAIL, backlog=6000),), (POD,)))
    alike = told(Signals((replace(GMAIL, backlog=6500),), (POD,)))
    other = told(Signals((replace(GMAIL, backlog=7000),), (POD,)))
    limited = told(Signals((GMAIL,), (POD,)))
    assert worth_telling(before, limited, NOW, NOW)
    assert not worth_telling(before, other, NOW, NOW + 29)
    assert worth_telling(before, other, NOW, NOW + 30)
    assert not worth_telling(before, alike, NOW, NOW + 300)
