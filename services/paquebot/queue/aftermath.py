"""Finding out what became of an item in other hands: settled, delivered, in doubt, begun, or untouched."""

import asyncio
import json
from dataclasses import dataclass, field

from paquebot.mail.delivery import Delivery
from paquebot.queue import metrics
from paquebot.queue.jetstream import JetStream
from paquebot.queue.notes import UNTOUCHED, Past, joined, read_batch
from paquebot.queue.payload import decode
from paquebot.queue.recorded import Recorded
from paquebot.queue.subjects import deferred_subject, doubt_subject, journal_filter, stream_of

Told = dict[tuple[str, int], list[Past]]  # by name and attempts: what each process told last


@dataclass(slots=True, eq=False)
class Aftermath:
    """What crashes of a pool's deliverers left behind."""

    js: JetStream
    pool: str
    recorded: Recorded = field(init=False)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    _next: "asyncio.Task[Told] | None" = None  # a reading that has not begun

    def __post_init__(self) -> None:
        self.recorded = Recorded(self.js)
        for counter in (metrics.POISON, metrics.AGAIN):
            counter.labels(self.pool)  # its first increase counts

    async def past_of(self, delivery: Delivery, stored_ms: int) -> Past:
        """Find out about an item that was in other hands, and lies in its place since `stored_ms` (Unix ms).

        Raises what reading raises, and what decoding raises when its waiting form cannot be read.
        """
        waiting = await self.js.get_last(stream_of(self.pool, delivery.partition), deferred_subject(delivery))
        if waiting is not None and decode(waiting.payload)[0].deliveries[0].attempts >= delivery.attempts:
            return Past(is_settled=True)
        if (await self.outcome_of(delivery, stored_ms)).is_settled:
            return Past(is_settled=True)
        told = await self._told()
        return joined([*told.get((delivery.name, delivery.attempts), ()), await self._told_before(delivery)])

    async def outcome_of(self, delivery: Delivery, stored_ms: int) -> Past:
        """Find out about an item that a nats-server may have brought back: whether it has an outcome, and no more."""
        if not await self.recorded.is_settled(delivery, stored_ms):
            return UNTOUCHED
        metrics.AGAIN.labels(self.pool).inc()
        return Past(is_settled=True)

    async def _told(self) -> Told:
        """Read the journals once for all who ask before the reading begins."""
        if self._next is None:
            self._next = asyncio.create_task(self._read())
        return await asyncio.shield(self._next)

    async def _read(self) -> Told:
        async with self._reading:
            self._next = None  # who asks from now on asks about what comes later
            newest: dict[tuple[str, str], tuple[int, Past]] = {}
            for message in await self.js.read_all("DOUBT", journal_filter(self.pool)):
                process = message.subject.rpartition(".")[0]
                for name, attempts, past in read_batch(message.payload):
                    newest[process, name] = attempts, past
        told: Told = {}
        for (_process, name), (attempts, past) in newest.items():
            told.setdefault((name, attempts), []).append(past)
        return told

    async def _told_before(self, delivery: Delivery) -> Past:
        """Read what the release before noted, a subject a delivery: that an attempt began, and no more.

        Its final dot may have been sent.
        """
        noted = await self.js.get_last("DOUBT", doubt_subject(self.pool, delivery.id, delivery.n))
        found = {} if noted is None else json.loads(noted.payload)
        if found.get("attempts") != delivery.attempts:
            return UNTOUCHED
        return Past(crashes=found["crashes"] + 1, doubt="")
