"""Measures a pool's queue for Prometheus: how much waits, for how long, and how its streams are.

Each deliverer measures the partitions it owns, so that sums over deliverers are the pool's. The server counts: a read
of one message by a pattern also says how many others match, so a million deferred deliveries cost a few requests.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from paquebot.queue import metrics
from paquebot.queue.jetstream import ApiError, JetStream, Message, QueueUnavailableError
from paquebot.queue.payload import UnknownFormatError, decode
from paquebot.queue.subjects import (
    SLICES,
    deferred_filter_in,
    deferred_group_filter,
    partition_of,
    ready_group_filter,
    stream_name,
    stream_of,
)
from paquebot.wire.method import WireError

EVERY_S = 10.0
SHARE_MAX = 0.05  # of the time may be spent on measuring
OTHER = "other"  # the group of what no DestinationPolicy matches
LOG = structlog.get_logger()

Groups = Mapping[str, int]  # slots by the name of a group


@dataclass(frozen=True, slots=True)
class Depth:
    """What lies under a pattern: how many, since when the first lies there, and when that was accepted (Unix s)."""

    messages: int = 0
    stored_s: float = 0.0
    accepted_s: float = 0.0

    def joined(self, other: "Depth") -> "Depth":
        """Return both together; 0 stands for no time."""
        return Depth(
            self.messages + other.messages,
            min(filter(None, (self.stored_s, other.stored_s)), default=0.0),
            min(filter(None, (self.accepted_s, other.accepted_s)), default=0.0),
        )


@dataclass(frozen=True, slots=True)
class StreamState:
    """A stream and its replicas."""

    octets: int
    has_leader: bool
    current: int
    behind: int
    lag: int


async def measure(js: JetStream, pool: str, owned: Iterable[int], groups: Groups) -> dict[tuple[str, str], Depth]:
    """Return what lies in partitions by group and state."""
    found: dict[tuple[str, str], Depth] = {}

    def add(group: str, state: str, depth: Depth) -> None:
        found[group, state] = found.get((group, state), Depth()).joined(depth)

    for partition in owned:
        stream = stream_of(pool, partition)
        here = [
            name for name, slots in groups.items() if partition in {partition_of(name, slot) for slot in range(slots)}
        ]
        rest = await _depth(js, stream, deferred_filter_in(pool, partition))
        for group in here:
            deferred = await _depth(js, stream, deferred_group_filter(pool, partition, group))
            add(group, "deferred", deferred)
            rest = Depth(rest.messages - deferred.messages, rest.stored_s, rest.accepted_s)
        add(OTHER, "deferred", rest if rest.messages > 0 else Depth())
        for group in (*here, OTHER):
            add(group, "ready", await _depth(js, stream, ready_group_filter(pool, partition, group)))
    return found


async def look_at_stream(js: JetStream, name: str) -> StreamState:
    """Return how a stream is; one server alone is its own leader."""
    info = await js.request(f"STREAM.INFO.{name}")
    cluster = info.get("cluster") or {}
    replicas = cluster.get("replicas") or []
    current = sum(bool(each.get("current")) for each in replicas)
    leads = bool(cluster.get("leader")) or not replicas
    lag = max((int(each.get("lag", 0)) for each in replicas), default=0)
    return StreamState(info["state"]["bytes"], leads, current + leads, len(replicas) - current, lag)


@dataclass(slots=True)
class Meter:
    """Measures for ever and tells Prometheus."""

    js: JetStream
    pool: str
    owned: Callable[[], Iterable[int]]
    groups: Callable[[], Groups]

    async def run(self) -> None:
        """Measure every few seconds, less often when it takes long."""
        while True:
            began = time.monotonic()
            try:
                await self.look()
            except (QueueUnavailableError, ApiError) as error:
                LOG.warning("the queue cannot be measured", error=str(error))
            await asyncio.sleep(max(EVERY_S, (time.monotonic() - began) / SHARE_MAX))

    async def look(self) -> None:
        """Measure once; what is told changes at one stroke."""
        owned = tuple(self.owned())
        depths = await measure(self.js, self.pool, owned, self.groups())
        names = [stream_name(self.pool, number) for number in range(SLICES) if number in owned]
        streams = {name: await look_at_stream(self.js, name) for name in names}
        _tell_depths(self.pool, depths, time.time())
        _tell_streams(streams)


async def _depth(js: JetStream, stream: str, pattern: str) -> Depth:
    first = next(iter(await js.read(stream, pattern, batch=1)), None)
    if first is None:
        return Depth()
    stored_s = _stored_s(first)
    return Depth(1 + int(first.headers.get("Nats-Num-Pending", "0")), stored_s, _accepted_s(first) or stored_s)


def _stored_s(message: Message) -> float:
    """Return when a message was stored; the server tells nanoseconds, of which Python reads six digits."""
    whole, _, fraction = message.headers.get("Nats-Time-Stamp", "1970-01-01T00:00:00Z").rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{fraction or 0}")


def _accepted_s(message: Message) -> float:
    try:
        return decode(message.payload)[0].deliveries[0].accepted_ms / 1000
    except (UnknownFormatError, WireError, IndexError):
        return 0.0


def _tell_depths(pool: str, depths: Mapping[tuple[str, str], Depth], now_s: float) -> None:
    for gauge in (metrics.MESSAGES, metrics.OLDEST, metrics.DUE):
        gauge.clear()
    for (group, state), depth in depths.items():
        metrics.MESSAGES.labels(pool, group, state).set(depth.messages)
        metrics.OLDEST.labels(pool, group, state).set(max(0.0, now_s - depth.accepted_s) if depth.accepted_s else 0)
        if state == "ready":
            metrics.DUE.labels(pool, group).set(max(0.0, now_s - depth.stored_s) if depth.stored_s else 0)
    metrics.MEASURED.labels(pool).set(now_s)


def _tell_streams(streams: Mapping[str, StreamState]) -> None:
    for gauge in (metrics.STREAM_BYTES, metrics.STREAM_LEADER, metrics.STREAM_REPLICAS, metrics.STREAM_LAG):
        gauge.clear()
    for name, state in streams.items():
        metrics.STREAM_BYTES.labels(name).set(state.octets)
        metrics.STREAM_LEADER.labels(name).set(state.has_leader)
        metrics.STREAM_REPLICAS.labels(name, "current").set(state.current)
        metrics.STREAM_REPLICAS.labels(name, "behind").set(state.behind)
        metrics.STREAM_LAG.labels(name).set(state.lag)
