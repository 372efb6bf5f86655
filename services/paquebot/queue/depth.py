"""How much waits in a pool, in all or for one site, without reading it; and a few of those deliveries.

A read of one message also tells how many more match, whatever the size of the queue.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from paquebot.mail.delivery import Delivery
from paquebot.queue.jetstream import JetStream, Message
from paquebot.queue.payload import UnknownFormatError, decode
from paquebot.queue.scan import last_of_each
from paquebot.queue.subjects import (
    SLICES,
    body_filter_all,
    deferred_filter,
    deferred_filter_at,
    owner_filter_all,
    ready_filter_all,
    ready_filter_at,
    stream_name,
)
from paquebot.wire.method import WireError

SAMPLE_MAX = 1000
COUNTED_MAX = 10_000  # messages of a stream of which those that wait are counted one by one


@dataclass(frozen=True, slots=True)
class Depth:
    """Items that are ready and that wait for their time; since when the longest ready one is (Unix ms, 0: none)."""

    ready: int = 0
    later: int = 0
    oldest_ready_ms: int = 0


async def depth(js: JetStream, pool: str, site: str = "") -> Depth:
    """Return how much waits in a pool, or of it for one site; a message not yet expanded counts as one."""
    ready = await asyncio.gather(*(_first(js, pool, number, _ready(pool, number, site)) for number in range(SLICES)))
    later = await asyncio.gather(*(count_later(js, pool, number, site) for number in range(SLICES)))
    stored = [_stored_ms(first) for first in ready if first is not None]
    return Depth(sum(map(_count, ready)), sum(later), min(stored, default=0))


async def count_later(js: JetStream, pool: str, number: int, site: str = "") -> int:
    """Return how many deliveries wait for their time in a stream of a pool, or of them for one site.

    The server counts by a pattern what it finds, one by one: of a long stream the few others are counted, and it may
    be out by what comes and goes meanwhile.
    """
    if site:
        return await _number(js, pool, number, deferred_filter_at(pool, number, site))
    held: int = (await js.request(f"STREAM.INFO.{stream_name(pool, number)}"))["state"]["messages"]
    if held <= COUNTED_MAX:
        return await _number(js, pool, number, deferred_filter(pool, number))
    others = (ready_filter_all(pool, number), body_filter_all(pool, number), owner_filter_all(pool, number))
    return max(0, held - sum(await asyncio.gather(*(_number(js, pool, number, pattern) for pattern in others))))


async def sample(js: JetStream, pool: str, site: str = "", limit: int = SAMPLE_MAX) -> list[Delivery]:
    """Return up to `limit` of the deliveries that wait for their time or are held, of each stream its part."""
    share = max(1, limit // SLICES)
    parts = await asyncio.gather(*(_sample(js, pool, number, site, share) for number in range(SLICES)))
    return [delivery for part in parts for delivery in part]


async def _first(js: JetStream, pool: str, number: int, pattern: str) -> Message | None:
    found = await js.read(stream_name(pool, number), pattern, batch=1)
    return found[0] if found else None


async def _number(js: JetStream, pool: str, number: int, pattern: str) -> int:
    return _count(await _first(js, pool, number, pattern))


async def _sample(js: JetStream, pool: str, number: int, site: str, limit: int) -> list[Delivery]:
    stream = stream_name(pool, number)
    if site:
        found = await last_of_each(js, stream, deferred_filter_at(pool, number, site))
        if found is not None:
            return [delivery for message in found[:limit] for delivery in _deliveries(message)]
    messages = await js.read(stream, _later(pool, number, site), batch=limit)
    return [delivery for message in messages for delivery in _deliveries(message)]


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
