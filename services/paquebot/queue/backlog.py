"""What a pool has to do, site by site, without reading it: for whoever decides how many deliverers there shall be.

The server counts what is ready by subject, and a subject names group and site. What is deferred is one subject a
delivery, so it is counted as a whole, and a few of them are read: how much of it is due soon is an estimate.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from paquebot.queue.depth import Depth, depth
from paquebot.queue.jetstream import JetStream, Message
from paquebot.queue.payload import UnknownFormatError, decode_head
from paquebot.queue.scan import next_of
from paquebot.queue.subjects import SLICES, deferred_filter, ready_filter_all, site_token, stream_name
from paquebot.wire.method import WireError

SAMPLES = 8  # deferred deliveries read of each stream


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where deliveries lie: tokens of their group and site as subjects have them, and their partition."""

    group: str
    site: str
    partition: int


@dataclass(frozen=True, slots=True)
class Sample:
    """A deferred delivery that was read, when it is due (Unix ms), and how many others it stands for."""

    place: Place
    due_ms: int
    stands_for: float


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is ready by place, beside the depth of the whole pool, and samples of what is deferred."""

    ready: dict[Place, int]
    depth: Depth
    deferred: tuple[Sample, ...] = ()


async def backlog(js: JetStream, pool: str) -> Backlog:
    """Look at a pool's queue; raise QueueUnavailableError or ApiError."""
    whole = await depth(js, pool)
    parts = await asyncio.gather(*(_look(js, pool, number) for number in range(SLICES)))
    ready = {place: count for counts, _samples in parts for place, count in counts.items()}
    found = [sample for _counts, samples in parts for sample in samples]
    stands_for = whole.later / max(1, len(found))
    return Backlog(ready, whole, tuple(Sample(place, due_ms, stands_for) for place, due_ms in found))


async def _look(js: JetStream, pool: str, number: int) -> tuple[dict[Place, int], list[tuple[Place, int]]]:
    """Return the counts of one stream, and where samples lie and when they are due.

    The server lists up to 100,000 subjects; what lies beyond is in the depth alone.
    """
    wanted = {"subjects_filter": ready_filter_all(pool, number)}
    state = (await js.request(f"STREAM.INFO.{stream_name(pool, number)}", wanted))["state"]
    counts: dict[Place, int] = {}
    for subject, count in (state.get("subjects") or {}).items():
        _mq, _pool, _stream, _ready, partition, _lane, group, site = subject.split(".")
        place = Place(group, site, int(partition))
        counts[place] = counts.get(place, 0) + count
    return counts, await _samples(js, pool, number, state)


async def _samples(js: JetStream, pool: str, number: int, state: Mapping[str, Any]) -> list[tuple[Place, int]]:
    """Read what is deferred at places spread evenly over a stream, the oldest among them."""
    first, last = state["first_seq"], state["last_seq"]
    starts = sorted({first + (last - first) * at // (SAMPLES - 1) for at in range(SAMPLES)})
    reads = await asyncio.gather(
        *(next_of(js, stream_name(pool, number), deferred_filter(pool, number), at) for at in starts)
    )
    read = {message.seq: message for message in reads if message is not None}
    return [sampled for message in read.values() for sampled in _sampled(message)]


def _sampled(message: Message) -> list[tuple[Place, int]]:
    try:
        found = decode_head(message.payload).deliveries[0]
    except (UnknownFormatError, WireError, IndexError):
        return []
    _mq, _pool, _stream, _deferred, partition, site, *_name = message.subject.split(".")
    return [(Place(site_token(found.group), site, int(partition)), found.next_ms)]
