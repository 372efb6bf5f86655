"""How much waits in a pool, in all or for one site, without reading it; and a few of those deliveries.

A read of one message also tells how many more match, whatever the size of the queue.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from paquebot.mail.delivery import Delivery
from paquebot.queue.jetstream import BATCH, JetStream, Message
from paquebot.queue.payload import UnknownFormatError, decode
from paquebot.queue.subjects import (
    SLICES,
    deferred_filter,
    deferred_filter_at,
    ready_filter_all,
    ready_filter_at,
    stream_name,
)
from paquebot.wire.method import WireError

SAMPLE_MAX = 1000


@dataclass(frozen=True, slots=True)
class Depth:
    """Items that are ready and that wait for their time; since when the longest ready one is (Unix ms, 0: none)."""

    ready: int = 0
    later: int = 0
    oldest_ready_ms: int = 0


async def depth(js: JetStream, pool: str, site: str = "") -> Depth:
    """Return how much waits in a pool, or of it for one site; a message not yet expanded counts as one."""
    ready = await asyncio.gather(*(_first(js, pool, number, _ready(pool, number, site)) for number in range(SLICES)))
    later = await asyncio.gather(*(_first(js, pool, number, _later(pool, number, site)) for number in range(SLICES)))
    stored = [_stored_ms(first) for first in ready if first is not None]
    return Depth(sum(map(_count, ready)), sum(map(_count, later)), min(stored, default=0))


async def sample(js: JetStream, pool: str, site: str = "", limit: int = SAMPLE_MAX) -> list[Delivery]:
    """Return up to `limit` of the deliveries that wait for their time or are held, of each stream its part."""
    share = max(1, limit // SLICES)
    parts = await asyncio.gather(*(_sample(js, pool, number, site, share) for number in range(SLICES)))
    return [delivery for part in parts for delivery in part]


async def _first(js: JetStream, pool: str, number: int, pattern: str) -> Message | None:
    found = await js.read(stream_name(pool, number), pattern, batch=1)
    return found[0] if found else None


async def _sample(js: JetStream, pool: str, number: int, site: str, limit: int) -> list[Delivery]:
    found: list[Delivery] = []
    start = 1
    while len(found) < limit:
        wanted = min(BATCH, limit - len(found))
        batch = await js.read(stream_name(pool, number), _later(pool, number, site), start_seq=start, batch=wanted)
        found += [delivery for message in batch for delivery in _deliveries(message)]
        if len(batch) < wanted:
            break
        start = batch[-1].seq + 1
    return found


def _ready(pool: str, number: int, site: str) -> str:
    return ready_filter_at(pool, number, site) if site else ready_filter_all(pool, number)


def _later(pool: str, number: int, site: str) -> str:
    return deferred_filter_at(pool, number, site) if site else deferred_filter(pool, number)


def _count(first: Message | None) -> int:
    return 0 if first is None else 1 + int(first.headers["Nats-Num-Pending"])


def _stored_ms(message: Message) -> int:
    return int(datetime.fromisoformat(message.headers["Nats-Time-Stamp"]).timestamp() * 1000)


def _deliveries(message: Message) -> tuple[Delivery, ...]:
    try:
        return decode(message.payload)[0].deliveries
    except (UnknownFormatError, WireError):
        return ()
