"""Two looks tell what came, how long attempts take, and what each deliverer does."""

import math
from dataclasses import replace

import pytest

from paquebot.policy.values import DestinationPolicy, Policy
from paquebot.queue.backlog import Backlog, Place, Sample
from paquebot.queue.depth import Depth
from paquebot.queue.members import Load, Member
from paquebot_operator.scaling.destinations import heaps
from paquebot_operator.scaling.readings import Memory, Reading, signals
from paquebot_operator.scaling.values import Pod, Signals

NOW = 1_800_000_000.0
POOL = "mail_main"
POLICY = Policy(destinations={"gmail": DestinationPolicy("gmail", slots=4)})
PLACE = Place("gmail", "gmail", 0)


def reading(at_s: float, ready: int = 0, *loads: Load, **depth: int) -> Reading:
    found = Backlog({PLACE: ready} if ready else {}, Depth(ready, **depth))
    pods = tuple(Member(f"pod-{number}", "deliverer", pool=POOL, load=load) for number, load in enumerate(loads))
    strangers = (Member("pod-9", "deliverer", pool="mail_bulk"), Member("router-1", "router"))
    return Reading(at_s, found, heaps(found, POLICY, at_s), (*pods, *strangers))


def look(*readings: Reading) -> tuple[Signals, Memory]:
    memory = Memory()
    for each in readings:
        seen, memory = signals(memory, each, POLICY, POOL)
    return seen, memory


def load(at_s: float, attempts: int, seconds: float, core_s: float = 0.0, sessions: int = 0) -> Load:
    return Load(at_s, attempts, core_s, sessions, {"gmail": (attempts, seconds)})


def test_what_came_is_what_there_is_more_of_and_what_was_attempted() -> None:
    steady = [reading(NOW + 10 * n, 100 + 50 * n, load(10.0 * n, 150 * n, 75.0 * n)) for n in range(8)]
    seen, _ = look(*steady)
    assert seen.destinations[0].arrivals_per_s == pytest.approx(20.0)
    assert seen.destinations[0].seconds == pytest.approx(0.5)
    assert seen.destinations[0].backlog == 450


def test_a_burst_is_backlog_and_no_arrivals() -> None:
    quiet = [reading(NOW + 10 * n, 0, load(10.0 * n, 0, 0.0)) for n in range(7)]
    seen, memory = look(*quiet, reading(NOW + 70, 60_000, load(70.0, 0, 0.0)))
    assert (seen.destinations[0].backlog, seen.destinations[0].arrivals_per_s) == (60_000, 0.0)
    assert memory.came["gmail"][-1] == 6000.0


def test_the_first_look_tells_of_no_arrivals() -> None:
    seen, memory = look(reading(NOW, 1000, load(3600.0, 90_000, 9000.0)))
    assert seen.destinations[0].arrivals_per_s == 0.0
    assert seen.destinations[0].seconds == pytest.approx(0.1)
    assert memory.came == {}


def test_two_looks_at_one_time_tell_nothing_new() -> None:
    _seen, memory = look(reading(NOW, 1000), reading(NOW, 2000))
    assert memory.came == {}


def test_each_deliverer_tells_its_own_pace_by_its_own_clock() -> None:
    before, after = load(100.0, 1000, 500.0, 50.0, 9), load(108.0, 1400, 700.0, 57.2, 12)
    seen, _ = look(reading(NOW, 0, before), reading(NOW + 10, 0, after))
    assert seen.pods == (Pod("pod-0", 50.0, pytest.approx(0.9), 12),)  # type: ignore[arg-type]


def test_a_deliverer_that_began_anew_or_has_not_beaten_since_is_no_nonsense() -> None:
    seen, memory = look(reading(NOW, 0, load(100.0, 1000, 500.0)), reading(NOW + 10, 0, load(4.0, 20, 10.0)))
    assert seen.pods[0].attempts_per_s == 5.0
    seen, _ = signals(memory, reading(NOW + 20, 0, load(4.0, 20, 10.0, sessions=3)), POLICY, POOL)
    assert seen.pods == (Pod("pod-0", sessions=3),)


def test_a_deliverer_that_drains_counts_for_what_it_did_alone() -> None:
    beats = [reading(NOW + 10 * n, 0, load(10.0 * n, 100 * n, 50.0 * n)) for n in range(6)]
    draining = [replace(each, members=(replace(each.members[0], draining=True),)) for each in beats]
    seen, memory = look(*draining)
    assert seen.pods == ()
    assert memory.came["gmail"][-1] == 10.0


def test_age_and_the_next_due_time_are_those_of_the_queue() -> None:
    deferred = (Sample(PLACE, int((NOW + 500) * 1000), 3.0), Sample(PLACE, int((NOW + 900) * 1000), 3.0))
    found = Backlog({}, Depth(1, 6, int((NOW - 41) * 1000)), deferred)
    seen, _ = look(Reading(NOW, found, {}))
    assert (seen.oldest_s, seen.due_s, seen.deferred) == (41.0, NOW + 500, 6)
    assert look(reading(NOW))[0].due_s == math.inf
