"""Finding one message in a queue of any size: what waits for its time by its subject, what is ready by its age."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from paquebot.mail.delivery import Delivery
from paquebot.queue.jetstream import BATCH, JetStream, Message
from paquebot.queue.payload import UnknownFormatError, decode
from paquebot.queue.scan import pick
from paquebot.queue.subjects import SLICES, SPLIT, deferred_filter_of, ready_filter_all, stream_name
from paquebot.wire.method import WireError

READY_READ_MAX = 20_000  # items of one stream that are looked through
SLACK_MS = 5000  # clocks differ
LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Found:
    """A stored delivery: `ready` to be tried, or waiting for its time; `split`: one item with the message's others."""

    delivery: Delivery
    ready: bool
    split: bool = False


async def find_waiting(js: JetStream, pools: Iterable[str], ident: str) -> list[Found]:
    """Return the deliveries of a message that wait for their time, at once."""
    picks = [_pick(js, pool, number, ident) for pool in pools for number in range(SLICES)]
    return [each for found in await asyncio.gather(*picks) for each in found]


async def find_ready(js: JetStream, pools: Iterable[str], ident: str, since_ms: int) -> list[Found]:
    """Return the deliveries of a message that are ready, of what became ready from a time on (Unix milliseconds)."""
    scans = [_scan(js, pool, number, ident, since_ms - SLACK_MS) for pool in pools for number in range(SLICES)]
    return [each for found in await asyncio.gather(*scans) for each in found]


async def _pick(js: JetStream, pool: str, number: int, ident: str) -> list[Found]:
    picked = pick(js, stream_name(pool, number), deferred_filter_of(pool, number, ident))
    return [found async for batch in picked for message in batch for found in _found(message, ident)]


async def _scan(js: JetStream, pool: str, number: int, ident: str, since_ms: int) -> list[Found]:
    """Look through a stream's ready items; only those that hold the id are decoded."""
    stream, subjects = stream_name(pool, number), ready_filter_all(pool, number)
    start = datetime.fromtimestamp(max(0, since_ms) / 1000, UTC).isoformat(timespec="milliseconds")
    found: list[Found] = []
    seen = 0
    batch = await js.read_since(stream, subjects, start)
    while batch:
        seen += len(batch)
        found += [each for message in batch if ident.encode() in message.payload for each in _found(message, ident)]
        if len(batch) < BATCH or seen >= READY_READ_MAX:
            break
        batch = await js.read(stream, subjects, start_seq=batch[-1].seq + 1)
    return found


def _found(message: Message, ident: str) -> list[Found]:
    try:
        deliveries = decode(message.payload)[0].deliveries
    except (UnknownFormatError, WireError) as error:
        LOG.warning("an item cannot be read", subject=message.subject, seq=message.seq, error=str(error))
        return []
    tokens = message.subject.split(".")
    is_ready = tokens[3] == "r"
    split = is_ready and tokens[-1] == SPLIT
    return [Found(delivery, is_ready, split) for delivery in deliveries if delivery.id == ident]
