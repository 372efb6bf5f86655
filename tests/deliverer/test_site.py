"""A site wants as many workers as its line is worth and its throttle allows."""

import asyncio

from paquebot.deliverer.site import Site
from paquebot.deliverer.throttle import Throttle
from paquebot.policy.values import DestinationPolicy


async def test_workers_are_wanted_for_the_line_within_the_limit(taken) -> None:
    site = Site("b.example", "other", Throttle(DestinationPolicy("other", connections_max=3)))
    assert site.wants_workers() == 0
    for number in range(5):
        site.line.push(taken(number))
    assert site.wants_workers() == 3
    idle = asyncio.create_task(asyncio.sleep(0))
    site.workers.add(idle)
    assert site.wants_workers() == 2
    await idle


def test_its_state_tells_reason_and_time(taken) -> None:
    site = Site("b.example", "other", Throttle(DestinationPolicy("other")))
    site.line.push(taken(1))
    site.throttle.slow_down(0.0, "421 4.7.0 slow down")
    state = site.state(100.0, 1_000_000)
    assert (state.state, state.reason, state.until_ms, state.waiting) == (
        "THROTTLED",
        "421 4.7.0 slow down",
        1_200_000,
        1,
    )
    assert not site.is_forgettable(100.0)


def test_a_site_is_forgotten_only_when_a_fresh_one_would_be_treated_the_same() -> None:
    site = Site("b.example", "other", Throttle(DestinationPolicy("other", rate_per_s=0.1)))
    site.throttle.begin(0.0)
    assert not site.is_forgettable(9.0)  # its pace: the next may begin at 10
    assert site.is_forgettable(10.0)
    site.throttle.slow_down(10.0, "421")
    assert not site.is_forgettable(311.0)  # rested, but what was learned still counts
    assert site.is_forgettable(310.0 + 14_401)
