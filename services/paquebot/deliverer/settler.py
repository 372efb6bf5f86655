"""Seeing items through to their end: reports go out first, then the queue makes the outcome lasting.

It knows nothing of sites, lines and connections: what an attempt gathered comes in as a value.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import structlog

from paquebot.deliverer import metrics
from paquebot.deliverer.courier import Attempted
from paquebot.deliverer.doubts import crash_behind, lost_reply
from paquebot.deliverer.suppression import Suppression
from paquebot.mail.delivery import Delivery
from paquebot.mail.doubt import HELD_FOR_MS, InDoubt, hold_doubt
from paquebot.mail.dsn import report
from paquebot.mail.order import Order, due
from paquebot.mail.outcome import IN_DOUBT, Kind, Outcome, Scope, of_conclusion
from paquebot.mail.record import Kind as RecordKind
from paquebot.mail.record import Record, about
from paquebot.mail.report import Action, DsnRequest, Report
from paquebot.mail.retry import Retry
from paquebot.mail.settle import Attempt, late, settle
from paquebot.mail.settlement import Settlement
from paquebot.mail.steering import carry_out, parked
from paquebot.queue.background import Background
from paquebot.queue.bodies import BodyLostError
from paquebot.queue.jetstream import ApiError, QueueUnavailableError
from paquebot.queue.poolqueue import PoolQueue
from paquebot.queue.taken import Taken

SPREAD = 0.2  # of a wait, so that what is put back together does not come back together
SPREAD_MAX_S = 60.0
GIVE_UP_S = 0.5
DRAIN_S = 2.0
LOG = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Settler:
    """Everything that is being settled."""

    queue: PoolQueue
    hostname: str
    submit: Callable[[Report, Delivery], Awaitable[bool]]  # False: it cannot be submitted now
    chance: random.Random
    retry: Retry = field(default_factory=Retry)  # the pool's, as last heard
    in_doubt: InDoubt = InDoubt.RETRY  # the pool's too
    orders: tuple[Order, ...] = ()
    suppression: Suppression | None = None
    under_way: Background = field(default_factory=Background)

    def finish(self, taken: Taken, attempted: Attempted, retry: Retry, content: bytes) -> "asyncio.Task[None]":
        """Begin to settle what an attempt gathered; the task ends when it is lasting.

        `content` is for the reports: b"" when it was not read yet.
        """
        attempt = Attempt(
            taken.delivery,
            attempted.outcomes,
            now_ms(),
            retry,
            self.chance.random(),
            self.hostname,
            attempted.host,
            attempted.tls,
            int(attempted.took_s * 1000),
            attempted.dsn_passed,
        )
        return self.under_way.spawn(self._settle(taken, attempt, content))

    def defer(self, taken: Taken, wait_s: float, reason: str) -> None:
        """Put an item back untried: its attempts stay, its reason and time are new."""
        spread = wait_s + min(SPREAD * wait_s, SPREAD_MAX_S) * self.chance.random()
        if taken.delivery.reason.startswith(IN_DOUBT):
            reason = f"{IN_DOUBT}; {reason}"  # the same host comes first all the same
        held = taken.delivery.held and taken.delivery.is_moving  # what is moved while it is held stays so
        again = replace(taken.delivery, held=held, next_ms=now_ms() + int(spread * 1000), reason=reason)
        self.under_way.spawn(self._put_back_late(taken, again))

    def hold(self, taken: Taken, held: Delivery) -> None:
        """Hold an item as it is given; that it is held is recorded once, not at each look."""
        told = _record(held, RecordKind.HELD, now_ms(), held.recipients, held.reason)
        self.put_back(taken, held, *(() if taken.delivery.held else (told,)))

    def put_back(self, taken: Taken, again: Delivery, *records: Record) -> None:
        """Let an item wait as it is now."""
        self.under_way.spawn(self._apply(taken, Settlement(records, again=again)))

    async def _put_back_late(self, taken: Taken, again: Delivery) -> None:
        """Let an untried item wait; tell its sender if it is late, as after an attempt."""
        try:
            report = late(again, self.retry, now_ms(), self.hostname)
            if report is not None and not await self._tell(taken, (report,), b""):
                again = replace(again, delay_told=True)
        except Exception:
            LOG.exception("a report cannot be made", delivery=taken.name)  # the item must not stay in hand for ever
        await self._apply(taken, Settlement((), again=again))

    def obey(self, taken: Taken, order: Order) -> None:
        """Carry a person's order out."""
        self.under_way.spawn(self._apply(taken, carry_out(order, taken.delivery, now_ms())))

    def park(self, taken: Taken, order: Order) -> None:
        """Let an item wait until a suspension ends."""
        self.under_way.spawn(self._put_back_late(taken, parked(order, taken.delivery, self.chance.random())))

    def give_back(self, taken: Taken) -> None:
        """Hand an item to its next owner, untouched."""
        self.under_way.spawn(self.queue.give_back(taken))

    async def give_up(self, taken: Taken) -> None:
        """Hand back what broke us, as a crash: the journal's note stays, and the third one holds it (DESIGN §7)."""
        taken.begun = False
        await asyncio.sleep(GIVE_UP_S)
        await self.queue.give_back(taken)

    async def drain(self) -> None:
        """Let what is under way end."""
        await self.under_way.drain(DRAIN_S)

    async def _settle(self, taken: Taken, attempt: Attempt, content: bytes) -> None:
        """Submit the reports if there are any, then let the queue make the outcome lasting."""
        try:
            settlement = settle(attempt)
            unsent = await self._tell(taken, settlement.reports, content)
            if unsent:
                settlement = settle(attempt, unsent)
        except Exception:
            LOG.exception("an outcome cannot be settled", delivery=taken.name)
            reason = "the deliverer could not settle its last attempt: look at its log, then release or cancel it"
            held = replace(taken.delivery, held=True, next_ms=attempt.now_ms + HELD_FOR_MS, reason=reason)
            settlement = Settlement((), again=held)
        if self.suppression is not None:
            await self.suppression.learn(taken.delivery, attempt.outcomes)
        lost = lost_reply(taken.delivery, attempt.outcomes, attempt.host, attempt.now_ms)
        if lost:
            settlement = replace(settlement, records=(*settlement.records, *lost))
            settlement = settlement if self.in_doubt is InDoubt.RETRY else hold_doubt(settlement, now_ms())
        await self._apply(taken, settlement)

    async def _tell(self, taken: Taken, reports: tuple[DsnRequest, ...], content: bytes) -> frozenset[Action]:
        """Submit reports; return the kinds that cannot be submitted now."""
        if reports and not content:
            content = await self._content(taken)
        return frozenset(
            {each.action for each in reports if not await self.submit(report(each, content), taken.delivery)}
        )

    async def _content(self, taken: Taken) -> bytes:
        """Return what was sent; b"" when it cannot be read: a report without it is better than none."""
        try:
            return await self.queue.content(taken)
        except (BodyLostError, QueueUnavailableError, ApiError) as error:
            LOG.warning("a report goes without what was sent", delivery=taken.name, error=str(error))
            return b""

    async def _apply(self, taken: Taken, settlement: Settlement) -> None:
        """Let the queue make an outcome lasting; what cannot be stored must not stay in hand for ever."""
        doubts = crash_behind(taken, now_ms())
        for doubt in doubts:
            metrics.IN_DOUBT.labels(self.queue.pool, "crash").inc(len(doubt.recipients))
        if doubts:
            settlement = replace(settlement, records=(*doubts, *settlement.records))
        try:
            await self.queue.settle(taken, self._obeyed(settlement))
        except Exception:
            LOG.exception("an outcome cannot be stored", delivery=taken.name)
            await self.give_up(taken)

    def _obeyed(self, settlement: Settlement) -> Settlement:
        """Carry out what was ordered while the item was in hand: else it would wait for its next try."""
        again = settlement.again
        order = None if again is None else due(self.orders, again, now_ms())
        if again is None or order is None:
            return settlement
        carried = carry_out(order, again, now_ms())
        return replace(settlement, records=(*settlement.records, *carried.records), again=carried.again)


def now_ms() -> int:
    """Return the time as deliveries tell it: Unix milliseconds."""
    return time.time_ns() // 1_000_000


def expired(delivery: Delivery) -> Attempted:
    """Return outcomes that settling turns into failures: the time is over."""
    reason = delivery.reason or "it was never tried"
    last = delivery.last_reply
    outcome = of_conclusion(Kind.DEFERRED, 451, "4.4.7", reason) if last is None else None
    told = outcome or Outcome(Kind.DEFERRED, Scope.MESSAGE, reason, last)
    return Attempted(dict.fromkeys(delivery.recipients, told))


def _record(delivery: Delivery, kind: RecordKind, at_ms: int, recipients: tuple[str, ...], reason: str) -> Record:
    next_ms = delivery.next_ms if kind is RecordKind.HELD else 0
    return replace(about(delivery, kind, at_ms), recipients=recipients, reason=reason, next_ms=next_ms)
