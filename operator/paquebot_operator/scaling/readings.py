"""Signals out of two looks at a pool: what lies there by destination, what came, what its deliverers did. Pure.

Arrivals are what the backlog grew by and what was attempted beside. A burst is in the backlog; it must not count as
arrivals too, so these are the median of the last looks, not a mean: what ends within half a minute is a burst.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median

from paquebot.policy.values import Policy
from paquebot.queue.backlog import Backlog
from paquebot.queue.lesson import Lesson
from paquebot.queue.members import Load, Member
from paquebot_operator.scaling.destinations import OTHER, Flow, Heap, Name, Sight, ready_by_group
from paquebot_operator.scaling.values import Pod, Signals

LOOKS = 7
SECONDS_WEIGHT = 0.3  # of the last look in how long attempts take


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at a pool at a Unix time: its backlog, its deliverers, and lessons by their key in the bucket."""

    at_s: float
    backlog: Backlog
    heaps: Mapping[Name, Heap]
    members: tuple[Member, ...] = ()
    lessons: Mapping[str, Lesson] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Memory:
    """What the looks before showed. Nothing of it needs to outlive the operator."""

    at_s: float = -math.inf
    ready: Mapping[str, int] = field(default_factory=dict)  # by group
    loads: Mapping[str, Load] = field(default_factory=dict)  # by pod
    came: Mapping[str, tuple[float, ...]] = field(default_factory=dict)  # a second, look by look, by group
    seconds: Mapping[str, float] = field(default_factory=dict)  # of an attempt, by group


@dataclass(slots=True)
class Spent:
    """Attempts and the seconds that they took."""

    attempts: int = 0
    seconds: float = 0.0


def signals(memory: Memory, reading: Reading, policy: Policy, pool: str) -> tuple[Signals, Memory]:
    """Return what the model wants to know, and what to remember for the next look."""
    deliverers = [each for each in reading.members if each.service == "deliverer" and each.pool == pool]
    steps = [_since(memory.loads.get(each.pod, Load()), each.load) for each in deliverers]
    spent = _spent(steps, policy)
    ready = ready_by_group(reading.backlog, policy)
    now = Memory(
        at_s=reading.at_s,
        ready=ready,
        loads={each.pod: each.load for each in deliverers},
        came=_came(memory, reading.at_s, ready, spent),
        seconds=_seconds(memory, spent),
    )
    sight = Sight(policy, pool, reading.at_s, reading.heaps, _flows(now), reading.lessons)
    pods = tuple(_pod(each, step) for each, step in zip(deliverers, steps, strict=True) if not each.draining)
    depth, deferred = reading.backlog.depth, reading.backlog.deferred
    oldest_s = max(0.0, reading.at_s - depth.oldest_ready_ms / 1000) if depth.oldest_ready_ms else 0.0
    due_s = min((each.due_ms / 1000 for each in deferred), default=math.inf)
    return Signals(sight.destinations(), pods, depth.later, oldest_s, due_s), now


def _since(before: Load, now: Load) -> Load:
    """Return what was done between two beats; a process that began anew did all that it tells."""
    if now.at_s < before.at_s:
        return now
    groups = {
        group: (count - before.groups.get(group, (0, 0.0))[0], seconds - before.groups.get(group, (0, 0.0))[1])
        for group, (count, seconds) in now.groups.items()
    }
    attempts, core_s = now.attempts - before.attempts, now.core_s - before.core_s
    return Load(now.at_s - before.at_s, attempts, core_s, now.sessions, groups)


def _pod(member: Member, step: Load) -> Pod:
    if step.at_s <= 0:
        return Pod(member.pod, sessions=step.sessions)  # it has not beaten since
    return Pod(member.pod, step.attempts / step.at_s, step.core_s / step.at_s, step.sessions)


def _spent(steps: Iterable[Load], policy: Policy) -> dict[str, Spent]:
    """Return what all deliverers spent, by the groups of today's policy."""
    found: dict[str, Spent] = {}
    for step in steps:
        for group, (count, seconds) in step.groups.items():
            spent = found.setdefault(group if group in policy.destinations else OTHER, Spent())
            spent.attempts += count
            spent.seconds += seconds
    return found


def _came(
    memory: Memory, at_s: float, ready: Mapping[str, int], spent: Mapping[str, Spent]
) -> dict[str, tuple[float, ...]]:
    """Return what came a second in the last looks: what there is more of, and what was attempted."""
    passed_s = at_s - memory.at_s
    if not 0 < passed_s < math.inf:
        return dict(memory.came)
    came = {}
    for group in {*ready, *memory.ready, *spent, *memory.came}:
        attempts = spent[group].attempts if group in spent else 0
        more = ready.get(group, 0) - memory.ready.get(group, 0) + attempts
        looks = (*memory.came.get(group, (0.0,) * LOOKS), more / passed_s)[-LOOKS:]
        if any(looks):
            came[group] = looks
    return came


def _seconds(memory: Memory, spent: Mapping[str, Spent]) -> dict[str, float]:
    """Return how long attempts take, the last ones a little more heard than those before."""
    seconds = dict(memory.seconds)
    for group, each in spent.items():
        if each.attempts > 0:
            took_s = each.seconds / each.attempts
            before = seconds.get(group, took_s)
            seconds[group] = before + SECONDS_WEIGHT * (took_s - before)
    return seconds


def _flows(memory: Memory) -> dict[str, Flow]:
    flows = {}
    for group in {*memory.came, *memory.seconds}:
        came = max(0.0, median(memory.came[group])) if group in memory.came else 0.0
        flows[group] = Flow(came, memory.seconds.get(group, 0.0))
    return flows
