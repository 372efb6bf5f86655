"""What the events say of outcomes: whether somebody has settled what comes again.

Outcomes are recorded when what waits is stored, and before their item is acknowledged. A nats-server that was killed
may bring back what was acknowledged; the process that did so may be gone, its journal went with the server's memory.
"""

import asyncio
import math
import time
from dataclasses import dataclass, field

from paquebot.mail.delivery import Delivery
from paquebot.mail.record import Kind
from paquebot.queue.events import rfc3339
from paquebot.queue.jetstream import BATCH, JetStream, Message
from paquebot.wire.record import decode_records

LOOK_BACK_MAX_MS = 3_600_000  # no event before that is read
CLOCKS_MS = 10_000  # that processes and the server may differ by
RECORDED_MAX = 200_000  # deliveries of which the last outcome is kept in memory
FORGET_S = 60.0  # after the last question: it takes a server's end for anybody to ask
OUTCOMES = (Kind.DELIVERED, Kind.DEFERRED, Kind.FAILED)


@dataclass(slots=True, eq=False)
class Recorded:
    """The last outcome of each delivery, of some stretch of the events up to now."""

    js: JetStream
    last: dict[str, tuple[int, int]] = field(default_factory=dict)  # by name: attempt, and when (Unix ms)
    since_ms: float = math.inf  # from when on the events were read
    next_seq: int = 0
    _wanted_ms: float = math.inf  # of those who wait for the next reading, the earliest
    _next: "asyncio.Task[None] | None" = None  # a reading that has not begun
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    _forgetting: asyncio.TimerHandle | None = None

    async def is_settled(self, delivery: Delivery, since_ms: int) -> bool:
        """Say whether an attempt of what a delivery is here has an outcome, recorded since a time (Unix ms).

        What somebody has steered is not looked for: its attempts may have begun anew. Raises what reading raises.
        """
        if delivery.steered_ms:
            return False
        await self._read_up(min(since_ms, delivery.next_ms or since_ms) - CLOCKS_MS)
        attempt, at_ms = self.last.get(delivery.name, (0, 0))
        return attempt > delivery.attempts and at_ms >= delivery.next_ms

    async def _read_up(self, since_ms: int) -> None:
        """Read once for all who ask before the reading begins."""
        self._wanted_ms = min(self._wanted_ms, max(since_ms, time.time_ns() // 1_000_000 - LOOK_BACK_MAX_MS))
        if self._next is None:
            self._next = asyncio.create_task(self._read())
        await asyncio.shield(self._next)

    async def _read(self) -> None:
        async with self._reading:
            wanted_ms, self._wanted_ms, self._next = self._wanted_ms, math.inf, None
            if self._forgetting is not None:
                self._forgetting.cancel()
            if wanted_ms < self.since_ms:
                self._forget()
                batch = await self.js.read_since("EV", "ev.>", rfc3339(int(wanted_ms)))
                self.since_ms = wanted_ms if batch else math.inf
            else:
                batch = await self.js.read("EV", "ev.>", start_seq=self.next_seq)
            while batch:
                for message in batch:
                    self._note(message)
                self.next_seq = batch[-1].seq + 1
                batch = await self.js.read("EV", "ev.>", start_seq=self.next_seq) if len(batch) == BATCH else []
            self._forgetting = asyncio.get_running_loop().call_later(FORGET_S, self._forget)

    def _note(self, message: Message) -> None:
        if not message.subject.endswith(OUTCOMES):
            return
        for record in decode_records(message.payload):
            name = f"{record.id}.{record.n}"
            if record.at_ms >= self.last.get(name, (0, 0))[1]:  # what had no room for a while comes later than its next
                self.last[name] = record.attempt, record.at_ms
        while len(self.last) > RECORDED_MAX:
            del self.last[next(iter(self.last))]

    def _forget(self) -> None:
        self.last, self.since_ms, self.next_seq = {}, math.inf, 0
