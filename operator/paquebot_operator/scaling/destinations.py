"""A pool's backlog by what is limited as one, with the limits: by DestinationPolicy, by site, and the rest. Pure.

Sites without a DestinationPolicy are limited each by itself, so the largest are told apart; the others count together.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from paquebot.policy.values import DEFAULT_DESTINATION, DestinationPolicy, Policy
from paquebot.queue.backlog import Backlog, Place
from paquebot.queue.lesson import Lesson, key_at
from paquebot.queue.subjects import PARTITIONS, SPLIT, site_token
from paquebot_operator.scaling.values import Destination

SOON_S = 60.0  # deferred mail that is due within it may as well be sent now
SITES_MAX = 20  # that are told apart
QUEUED_S = 30.0  # a backlog of more than so much of what comes shows where it goes
OTHER = DEFAULT_DESTINATION.name
READY = "READY"


@dataclass(frozen=True, slots=True, order=True)
class Name:
    """A DestinationPolicy, or OTHER with the token of a site, or OTHER alone for all the rest."""

    group: str
    site: str = ""


@dataclass(slots=True)
class Heap:
    """What lies for one destination."""

    count: float = 0.0
    sites: set[str] = field(default_factory=set)
    partitions: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Flow:
    """What comes to a group a second, and how long an attempt takes there (0: not known)."""

    per_s: float = 0.0
    seconds: float = 0.0


def heaps(backlog: Backlog, policy: Policy, at_s: float) -> dict[Name, Heap]:
    """Return what is ready, or will be in a moment, by destination."""
    groups = {site_token(name): name for name in policy.destinations}
    lying: list[tuple[Place, float]] = [*backlog.ready.items()]
    lying += [(each.place, each.stands_for) for each in backlog.deferred if each.due_ms / 1000 <= at_s + SOON_S]
    large = _large(lying, groups)
    found: dict[Name, Heap] = {}
    for place, count in lying:
        group = groups.get(place.group, OTHER)
        heap = found.setdefault(Name(group, place.site if group == OTHER and place.site in large else ""), Heap())
        heap.count += count
        heap.sites.add(place.site)
        heap.partitions.add(place.partition)
    return found


def _large(lying: Sequence[tuple[Place, float]], groups: Mapping[str, str]) -> set[str]:
    counts: Counter[str] = Counter()
    for place, count in lying:
        if place.group not in groups and place.site != SPLIT:
            counts[place.site] += math.ceil(count)
    return {site for site, _count in counts.most_common(SITES_MAX)}


def ready_by_group(backlog: Backlog, policy: Policy) -> dict[str, int]:
    """Return what is ready for each DestinationPolicy, and for all others."""
    groups = {site_token(name): name for name in policy.destinations}
    counts: Counter[str] = Counter()
    for place, count in backlog.ready.items():
        counts[groups.get(place.group, OTHER)] += count
    return dict(counts)


def lesson_keys(names: Mapping[Name, Heap], policy: Policy, pool: str) -> list[str]:
    """Return where in the bucket `sites` lies what deliverers learned of destinations."""
    return [key for name in names for key in _keys(name, policy, pool)]


def _keys(name: Name, policy: Policy, pool: str) -> Iterator[str]:
    if name.group != OTHER:
        for slot in range(policy.destinations[name.group].slots):
            yield key_at(pool, site_token(name.group), slot)
    elif name.site:
        yield key_at(pool, name.site, 0)


@dataclass(frozen=True, slots=True)
class Sight:
    """What the destinations of a pool are told by."""

    policy: Policy
    pool: str
    at_s: float
    heaps: Mapping[Name, Heap]
    flows: Mapping[str, Flow]
    lessons: Mapping[str, Lesson]

    def destinations(self) -> tuple[Destination, ...]:
        """Return every destination to which something goes."""
        going = {Name(group) for group, flow in self.flows.items() if flow.per_s and self._is_known(group)}
        return tuple(self._destination(name, self.heaps.get(name, Heap())) for name in sorted({*self.heaps, *going}))

    def _is_known(self, group: str) -> bool:
        return group == OTHER or group in self.policy.destinations

    def _destination(self, name: Name, heap: Heap) -> Destination:
        flow = self.flows.get(name.group, Flow())
        together = sum(each.count for other, each in self.heaps.items() if other.group == name.group)
        queued = together > QUEUED_S * flow.per_s
        part = heap.count / together if queued and together else float(not name.site)
        found = Destination(name.group, math.ceil(heap.count), part * flow.per_s, flow.seconds)
        if name.group != OTHER:
            return self._limited(name, replace(found, policy=name.group), self.policy.destinations[name.group])
        if name.site:
            return self._limited(name, replace(found, name=name.site.replace("_", ".")), DEFAULT_DESTINATION)
        if not queued:
            return replace(found, slots=PARTITIONS)  # it goes everywhere, what lies there now is no measure
        connections = DEFAULT_DESTINATION.connections_max * len(heap.sites)
        return replace(found, slots=len(heap.partitions), connections=connections)

    def _limited(self, name: Name, found: Destination, limits: DestinationPolicy) -> Destination:
        """Return a destination with the limits of its slots together, as they are and as they were learned."""
        lessons = [self.lessons.get(key) for key in _keys(name, self.policy, self.pool)]
        rate = connections = 0.0
        learned = False
        rests = []
        for slot, lesson in enumerate(lessons):
            share = limits.share(slot)
            if lesson is not None and lesson.state != READY and lesson.until_ms / 1000 > self.at_s:
                rests.append(lesson.until_ms / 1000)
                continue
            allowed = share.rate_per_s or math.inf
            pace = (lesson.pace if lesson is not None else 0.0) or math.inf
            learned = learned or pace < allowed
            rate += min(allowed, pace)
            connections += share.connections_max
        resting = min(rests) if len(rests) == len(lessons) else 0.0
        return replace(
            found,
            rate_per_s=rate or math.inf,
            connections=connections or math.inf,
            slots=max(1, len(lessons) - len(rests)),
            resting_until_s=resting,
            learned=learned,
        )
