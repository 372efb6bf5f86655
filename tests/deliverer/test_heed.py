"""What an attempt teaches: patterns first, then scopes, once an attempt."""

from dataclasses import replace

import pytest

from paquebot.deliverer.heed import heed
from paquebot.deliverer.throttle import State, Throttle
from paquebot.mail.outcome import DELIVERED, Kind, Outcome, Scope
from paquebot.mail.reply import Reply
from paquebot.policy.pace import Action, Pattern
from paquebot.policy.values import DestinationPolicy

POLICY = DestinationPolicy("big", connections_max=8)
SLOW = Outcome(Kind.DEFERRED, Scope.SITE, "MAIL was answered with 421", Reply(421, "4.7.28", "Unusual rate of mail"))
BLOCKED = Outcome(Kind.FAILED, Scope.MESSAGE, "blocked", Reply(550, "5.7.1", "Blocked: see our list"))


def learned(policy: DestinationPolicy, *outcomes: Outcome) -> Throttle:
    throttle = Throttle(policy)
    heed(throttle, outcomes, 100.0)
    return throttle


def test_a_refusal_of_the_site_slows_it_down_and_a_success_counts_once_an_attempt() -> None:
    assert learned(POLICY, SLOW).state is State.THROTTLED
    throttle = learned(POLICY, *[replace(DELIVERED, reason=str(n)) for n in range(30)])
    assert throttle.successes == 1
    assert not heed(throttle, [BLOCKED], 100.0)
    assert throttle.state is State.READY


@pytest.mark.parametrize("outcome", [SLOW, BLOCKED])
def test_a_pattern_throttles_for_its_time_whatever_the_scope(outcome: Outcome) -> None:
    patterns = (Pattern("*list", Action.THROTTLE, 60), Pattern("4.7.28", Action.THROTTLE, 60))
    throttle = learned(replace(POLICY, patterns=patterns), outcome)
    assert (throttle.state, throttle.wait(100.0), throttle.allowed) == (State.THROTTLED, 60.0, 4)
    assert "(pattern '" in throttle.reason
    assert throttle.wait(160.0) == 0.0


def test_a_pattern_suspends_for_its_time_and_leaves_the_pace() -> None:
    throttle = learned(replace(POLICY, patterns=(Pattern("5.7.1", Action.SUSPEND, 600),)), DELIVERED, BLOCKED)
    assert (throttle.state, throttle.wait(100.0), throttle.allowed) == (State.SUSPENDED, 600.0, 8)
    assert throttle.wait(700.0) == 0.0
    assert throttle.state is State.READY


def test_what_is_to_be_ignored_slows_nothing_down_and_the_first_pattern_counts() -> None:
    patterns = (Pattern("421", Action.IGNORE), Pattern("4.7.28", Action.SUSPEND, 60))
    assert learned(replace(POLICY, patterns=patterns), SLOW).state is State.READY
