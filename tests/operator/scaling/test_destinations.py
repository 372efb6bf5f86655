"""What lies there is sorted by what is limited as one, with the limits that are declared and that were learned."""

import math

from paquebot.policy.values import DestinationPolicy, Policy
from paquebot.queue.backlog import Backlog, Place, Sample
from paquebot.queue.depth import Depth
from paquebot.queue.lesson import Lesson
from paquebot.queue.subjects import PARTITIONS
from paquebot_operator.scaling.destinations import SITES_MAX, Flow, Heap, Name, Sight, heaps, lesson_keys
from paquebot_operator.scaling.values import Destination

NOW = 1_800_000_000.0
POOL = "mail_main"
GMAIL = DestinationPolicy("gmail.x", connections_max=10, rate_per_s=60.0, slots=4)
POLICY = Policy(destinations={"gmail.x": GMAIL})


def backlog(ready: dict[Place, int], deferred: tuple[Sample, ...] = ()) -> Backlog:
    return Backlog(ready, Depth(), deferred)


def told(
    ready: dict[Place, int], flows: dict[str, Flow] | None = None, lessons: dict[str, Lesson] | None = None
) -> dict[str, Destination]:
    sight = Sight(POLICY, POOL, NOW, heaps(backlog(ready), POLICY, NOW), flows or {}, lessons or {})
    return {each.name: each for each in sight.destinations()}


def test_a_group_is_one_and_a_large_site_another() -> None:
    ready = {Place("gmail_x", "gmail_x", slot): 10 for slot in range(4)}
    ready |= {Place("other", "mx-1", 7): 300, Place("other", "_split", 9): 5}
    found = told(ready)
    assert {name: each.backlog for name, each in found.items()} == {"gmail.x": 40, "mx-1": 300, "other": 5}
    assert (found["gmail.x"].rate_per_s, found["gmail.x"].connections, found["gmail.x"].slots) == (60.0, 10, 4)
    assert (found["mx-1"].rate_per_s, found["mx-1"].connections, found["mx-1"].slots) == (math.inf, 10, 1)
    assert (found["gmail.x"].policy, found["mx-1"].policy) == ("gmail.x", "")


def test_smaller_sites_count_together_for_as_many_deliverers_as_own_them() -> None:
    ready = {Place("other", f"mx-{number}", number % 3): 100 - number for number in range(SITES_MAX + 6)}
    found = told(ready)
    assert len(found) == SITES_MAX + 1
    assert (found["other"].slots, found["other"].connections) == (3, 60)
    assert found["other"].backlog == sum(100 - number for number in range(SITES_MAX, SITES_MAX + 6))


def test_what_is_due_in_a_moment_counts_and_what_is_due_later_does_not() -> None:
    place = Place("gmail_x", "gmail_x", 0)
    soon = Sample(place, int((NOW + 30) * 1000), 12.5)
    later = Sample(place, int((NOW + 90) * 1000), 1000.0)
    assert heaps(backlog({}, (soon, later)), POLICY, NOW) == {
        Name("gmail.x"): Heap(12.5, {"gmail_x"}, {0}),
    }


def test_a_lesson_of_a_slot_lowers_the_groups_rate_and_a_rest_takes_it_out() -> None:
    ready = {Place("gmail_x", "gmail_x", 0): 100}
    keys = lesson_keys(heaps(backlog(ready), POLICY, NOW), POLICY, POOL)
    assert keys == [f"mail_main.gmail_x.{slot}" for slot in range(4)]
    resting = Lesson("THROTTLED", until_ms=int((NOW + 60) * 1000), pace=1.0)
    slower = Lesson("READY", pace=5.0)
    found = told(ready, lessons={keys[0]: slower, keys[1]: resting})["gmail.x"]
    assert (found.rate_per_s, found.learned, found.slots, found.resting_until_s) == (5.0 + 15 + 15, True, 3, 0.0)
    all_resting = told(ready, lessons=dict.fromkeys(keys, resting))["gmail.x"]
    assert all_resting.resting_until_s == NOW + 60
    rested = told(ready, lessons=dict.fromkeys(keys, Lesson("THROTTLED", until_ms=int((NOW - 1) * 1000))))["gmail.x"]
    assert (rested.rate_per_s, rested.learned, rested.resting_until_s) == (60.0, False, 0.0)


def test_what_comes_goes_by_the_backlog_when_there_is_one_and_else_everywhere() -> None:
    ready = {Place("other", "mx-1", 7): 400, Place("other", "mx-2", 8): 200}
    queued = told(ready, {"other": Flow(9.0, 0.5)})
    assert {name: each.arrivals_per_s for name, each in queued.items()} == {"mx-1": 6.0, "mx-2": 3.0, "other": 0.0}
    flowing = told(ready, {"other": Flow(90.0, 0.5)})
    assert flowing["other"] == Destination("other", 0, 90.0, 0.5, slots=PARTITIONS)
    assert flowing["mx-1"].arrivals_per_s == 0.0
    assert flowing["mx-1"].seconds == 0.5


def test_a_group_to_which_mail_goes_counts_though_nothing_lies_there() -> None:
    found = told({}, {"gmail.x": Flow(40.0), "gone": Flow(1.0)})
    assert [(name, each.arrivals_per_s) for name, each in found.items()] == [("gmail.x", 40.0)]
