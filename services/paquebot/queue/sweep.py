"""Finding schedules that did not fire: the server forgets those that fell due while its store was full.

Publishing such a delivery again in its own place releases it. The expected sequence of that place makes it
harmless: what fired, moved or was cancelled meanwhile is refused. It is read one by one, with pauses: while the server
reads a batch and counts what lies behind it, nobody can publish.
"""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import structlog

from paquebot.queue.jetstream import ApiError, FenceLostError, JetStream, QueueFullError, QueueUnavailableError
from paquebot.queue.payload import UnknownFormatError, decode_head
from paquebot.queue.scan import end_of, next_of
from paquebot.queue.schedule import schedule_headers
from paquebot.queue.subjects import deferred_filter_in, stream_of
from paquebot.wire.method import WireError

OVERDUE_MS = 120_000
PAUSE_AFTER = 64
PAUSE_S = 0.1
AGAIN_S = 30.0
LOG = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Sweeper:
    """Sweeps partitions one after the other, as they are asked for."""

    js: JetStream
    pool: str
    asked: dict[int, None] = field(default_factory=dict)  # in order
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def ask(self, partitions: Iterable[int]) -> None:
        """Have partitions swept soon: after a take-over, and after the store was full."""
        self.asked |= dict.fromkeys(partitions)
        self.news.set()

    async def run(self) -> None:
        """Sweep what is asked for, for ever."""
        while True:
            await self.news.wait()
            self.news.clear()
            while self.asked:
                partition = next(iter(self.asked))
                try:
                    found = await sweep(self.js, self.pool, partition, time.time_ns() // 1_000_000)
                except (QueueUnavailableError, QueueFullError, ApiError) as error:
                    LOG.warning("a partition cannot be swept yet", partition=partition, error=str(error))
                    await asyncio.sleep(AGAIN_S)
                    continue
                self.asked.pop(partition, None)
                if found:
                    LOG.warning("overdue deliveries were scheduled again", partition=partition, found=found)


async def sweep(js: JetStream, pool: str, partition: int, now_ms: int) -> int:
    """Schedule again what of a partition is overdue; return how many deliveries that were."""
    stream, subjects = stream_of(pool, partition), deferred_filter_in(pool, partition)
    end = await end_of(js, stream)  # not what the sweep itself publishes
    found = seen = 0
    message = await next_of(js, stream, subjects, 1)
    while message is not None and message.seq <= end:
        found += await _again(js, message.subject, message.payload, message.seq, now_ms)
        seen += 1
        if seen % PAUSE_AFTER == 0:
            await asyncio.sleep(PAUSE_S)
        message = await next_of(js, stream, subjects, message.seq + 1)
    return found


async def _again(js: JetStream, subject: str, payload: bytes, seq: int, now_ms: int) -> bool:
    """Publish a waiting delivery again if it is overdue and still in its place."""
    try:
        delivery = decode_head(payload).deliveries[0]
        if delivery.next_ms > now_ms - OVERDUE_MS:
            return False
        headers = schedule_headers(delivery) | {"Nats-Expected-Last-Subject-Sequence": str(seq)}
        await js.publish(subject, payload, headers)
    except (UnknownFormatError, WireError, FenceLostError):
        return False
    return True
