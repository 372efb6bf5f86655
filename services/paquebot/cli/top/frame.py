"""One frame of `top`: two looks at the platform in, rows with rates out. Pure; times are Unix milliseconds."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from paquebot.cli.live import Live
from paquebot.mail.delivery import Delivery
from paquebot.policy.values import SendingPool
from paquebot.queue.depth import Depth
from paquebot.wire.deliverer import Counts, DelivererState, SiteState

SITES_MAX = 200  # of a frame: the first by the sort that is asked for


class Sort(StrEnum):
    """What the sites are sorted by; the first letter is the key that asks for it."""

    WAITING = "waiting"
    FLIGHT = "flight"
    DELIVERED = "delivered"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at one moment. `accepted` counts deliveries of accepted messages by pool since we look."""

    at_ms: int
    pools: Mapping[str, SendingPool] = field(default_factory=dict)
    live: Live = field(default_factory=Live)
    depths: Mapping[str, Depth] = field(default_factory=dict)
    samples: Mapping[str, tuple[Delivery, ...]] = field(default_factory=dict)  # of what waits for a time or a person
    accepted: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PoolRow:
    """A pool: its state, rates a second, what waits, and what its deliverers do. `held` is of what was looked at."""

    pool: str
    state: str
    accepted_per_s: float
    delivered_per_s: float
    deferred_per_s: float
    failed_per_s: float
    ready: int
    later: int
    held: int
    oldest_ready_s: float
    in_hand: int
    in_flight: int
    connections: int
    deliverers: int
    partitions: int


@dataclass(frozen=True, slots=True)
class SiteRow:
    """A site in a pool: state and reason, pace, and what waits for it; `next_ms`: when something is due, 0: now."""

    pool: str
    site: str
    slot: int
    domain: str  # one whose mail goes there
    state: str
    why: str
    delivered_per_s: float
    deferred_per_s: float
    failed_per_s: float
    pace_per_s: float
    allowed_per_s: float  # 0: unlimited
    in_flight: int
    connections_allowed: int
    line: int
    later: int
    next_ms: int

    @property
    def waiting(self) -> int:
        """All that is known to wait for it."""
        return self.line + self.later


@dataclass(frozen=True, slots=True)
class Frame:
    """What is shown at one moment."""

    at_ms: int
    pools: tuple[PoolRow, ...]
    sites: tuple[SiteRow, ...]
    silent: tuple[str, ...] = ()  # deliverers that do not answer


def frame(before: Look, now: Look, sort: Sort = Sort.WAITING) -> Frame:
    """Return what two looks tell."""
    elapsed_s = max(0.001, (now.at_ms - before.at_ms) / 1000)
    pools = tuple(_pool(token, before, now, elapsed_s) for token in sorted(now.pools))
    sites = sorted(_sites(before, now, elapsed_s), key=_KEYS[sort])
    return Frame(now.at_ms, pools, tuple(sites[:SITES_MAX]), now.live.silent)


def _pool(token: str, before: Look, now: Look, elapsed_s: float) -> PoolRow:
    states = [state for state in now.live.states if state.pool == token]
    old = {state.pod: state.counts for state in before.live.states}
    told = _added(_since(old.get(state.pod), state.counts) for state in states)
    depth = now.depths.get(token, Depth())
    return PoolRow(
        pool=now.pools[token].place,
        state=_state(now.pools[token], states),
        accepted_per_s=_rate(now.accepted.get(token, 0) - before.accepted.get(token, 0), elapsed_s),
        delivered_per_s=_rate(told.delivered, elapsed_s),
        deferred_per_s=_rate(told.deferred, elapsed_s),
        failed_per_s=_rate(told.failed, elapsed_s),
        ready=depth.ready,
        later=depth.later,
        held=sum(delivery.held for delivery in now.samples.get(token, ())),
        oldest_ready_s=max(0, now.at_ms - depth.oldest_ready_ms) / 1000 if depth.oldest_ready_ms else 0.0,
        in_hand=sum(state.load.in_hand for state in states),
        in_flight=sum(site.in_flight for state in states for site in state.sites),
        connections=sum(state.load.connections for state in states),
        deliverers=len(states),
        partitions=len({number for state in states for number in state.partitions}),
    )


def _state(pool: SendingPool, states: list[DelivererState]) -> str:
    if pool.paused:
        return "paused"
    if pool.draining:
        return "draining"
    if not states:
        return "asleep" if pool.replicas == 0 else "dead"
    return "sending"


def _sites(before: Look, now: Look, elapsed_s: float) -> Iterable[SiteRow]:
    """Yield a row for each site in a deliverer's memory, then for those for which mail only waits."""
    old = {(state.pod, site.site, site.slot): site.counts for state in before.live.states for site in state.sites}
    later = _later(now.samples)
    for state in now.live.states:
        place = now.pools[state.pool].place if state.pool in now.pools else state.pool
        for site in state.sites:
            told = _since(old.get((state.pod, site.site, site.slot)), site.counts)
            yield _site(place, site, told, later.pop((state.pool, site.site), []), elapsed_s)
    for (token, name), some in later.items():
        place = now.pools[token].place if token in now.pools else token
        yield _site(place, SiteState(name, some[0].group, "quiet", domain=some[0].domain), Counts(), some, elapsed_s)


def _later(samples: Mapping[str, tuple[Delivery, ...]]) -> dict[tuple[str, str], list[Delivery]]:
    """Return by pool and site what of a sample waits."""
    later: dict[tuple[str, str], list[Delivery]] = {}
    for token, some in samples.items():
        for delivery in some:
            later.setdefault((token, delivery.site), []).append(delivery)
    return later


def _due_ms(later: Iterable[Delivery]) -> int:
    """Return when the first of what waits is due; 0: nothing is, or all is held."""
    return min((delivery.next_ms for delivery in later if not delivery.held), default=0)


def _site(place: str, site: SiteState, told: Counts, later: list[Delivery], elapsed_s: float) -> SiteRow:
    return SiteRow(
        pool=place,
        site=site.site,
        slot=site.slot,
        domain=site.domain,
        state=site.state,
        why=site.reason,
        delivered_per_s=_rate(told.delivered, elapsed_s),
        deferred_per_s=_rate(told.deferred, elapsed_s),
        failed_per_s=_rate(told.failed, elapsed_s),
        pace_per_s=site.pace.observed_per_s,
        allowed_per_s=site.pace.allowed_per_s,
        in_flight=site.in_flight,
        connections_allowed=site.pace.connections_allowed,
        line=site.waiting,
        later=len(later),
        next_ms=site.until_ms if site.state in {"THROTTLED", "SUSPENDED"} else 0 if site.waiting else _due_ms(later),
    )


def _since(old: Counts | None, new: Counts) -> Counts:
    """Return what was counted since; a process, or a site in it, that began anew counts from nothing."""
    if old is None or new.delivered < old.delivered or new.deferred < old.deferred or new.failed < old.failed:
        return new
    return Counts(new.delivered - old.delivered, new.deferred - old.deferred, new.failed - old.failed)


def _added(counts: Iterable[Counts]) -> Counts:
    each = list(counts)
    return Counts(*(sum(getattr(one, name) for one in each) for name in ("delivered", "deferred", "failed")))


def _rate(number: int, elapsed_s: float) -> float:
    return round(max(0, number) / elapsed_s, 2)


_KEYS: Mapping[Sort, Callable[[SiteRow], tuple[Any, ...]]] = {
    Sort.WAITING: lambda row: (-row.waiting, -row.in_flight, row.site),
    Sort.FLIGHT: lambda row: (-row.in_flight, -row.waiting, row.site),
    Sort.DELIVERED: lambda row: (-row.delivered_per_s, -row.waiting, row.site),
    Sort.NAME: lambda row: (row.site, row.pool),
}
