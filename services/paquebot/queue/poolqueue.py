"""The deliverer's face of the queue: which partitions are ours, what is in hand, and settling it.

Owning: members of the pool share its partitions by rendezvous hashing; the owner record decides.
Taking: items come by callback. Settling: schedule what waits, store the records, then ack, in this order.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace

import structlog

from paquebot.mail.doubt import POISON_CRASHES, held_as_poison
from paquebot.mail.settlement import Settlement
from paquebot.queue import bodies, metrics
from paquebot.queue.aftermath import Aftermath
from paquebot.queue.background import Background
from paquebot.queue.events import EventWriter
from paquebot.queue.expansion import expand
from paquebot.queue.hand import Hand
from paquebot.queue.jetstream import (
    ApiError,
    FenceLostError,
    JetStream,
    Message,
    QueueFullError,
    QueueUnavailableError,
)
from paquebot.queue.journal import Journal
from paquebot.queue.lease import LAPSE_S, LEASE_S, Lease
from paquebot.queue.members import Heartbeat, Member, is_present, members, staying
from paquebot.queue.notes import UNTOUCHED, Past
from paquebot.queue.ownership import disown, last_seq, let_go, read_owner, take_over
from paquebot.queue.partition import Partition
from paquebot.queue.payload import UnknownFormatError, decode
from paquebot.queue.putback import put_back, set_apart
from paquebot.queue.rendezvous import owner_of
from paquebot.queue.settled import Settled
from paquebot.queue.subjects import PARTITIONS, stream_of
from paquebot.queue.sweep import Sweeper
from paquebot.queue.taken import Taken
from paquebot.queue.ways import Way, way_of
from paquebot.wire.delivery import Item
from paquebot.wire.method import WireError

LOOK_S = 1.0
PROGRESS_S = 20.0  # a third of the consumers' ack_wait
LET_GO_MAX_S = 2.0  # for what is under way, before it is broken off and a partition is let go
SETTLE_MAX_S = 1.0  # for what was broken off
CRASH_REST_S = 2.0  # behind an owner that ended without a word: its connections are closed by then
SETTLE_AGAIN_S = 1.0
PUT_OFF = b'-NAK {"delay": 2000000000}'  # of nanoseconds
LOG = structlog.get_logger()


@dataclass(slots=True, eq=False)
class PoolQueue:
    """One pool's queue as one deliverer sees it."""

    js: JetStream
    events: EventWriter
    pool: str
    pod: str
    on_item: Callable[[Taken], None] = field(default=lambda _taken: None)
    on_letting_go: Callable[[int], None] = field(default=lambda _partition: None)  # give back what is not begun
    on_cut: Callable[[int], Awaitable[None]] = lambda _partition: asyncio.sleep(0)  # break off the rest
    owned: dict[int, Partition] = field(default_factory=dict)
    settled: Settled = field(default_factory=Settled)
    heartbeat: Heartbeat = field(init=False)
    sweeper: Sweeper = field(init=False)
    journal: Journal = field(init=False)
    aftermath: Aftermath = field(init=False)
    lease: Lease = field(default_factory=Lease)
    hand: Hand = field(default_factory=Hand)
    draining: bool = False
    unsure: set[int] = field(default_factory=lambda: set(range(PARTITIONS)))  # may stand in our name, though not ours
    beside: Background = field(default_factory=Background)

    def __post_init__(self) -> None:
        self.heartbeat = Heartbeat(self.js, Member(self.pod, "deliverer", pool=self.pool))
        self.sweeper = Sweeper(self.js, self.pool)
        self.journal = Journal(self.js, self.pool, self.pod)
        self.aftermath = Aftermath(self.js, self.pool)
        self.js.on_reconnect.append(self._reconnected)

    @property
    def partitions(self) -> tuple[int, ...]:
        """The partitions that are ours now."""
        return tuple(sorted(number for number, each in self.owned.items() if not each.lost))

    @property
    def in_hand(self) -> int:
        """How many items are in memory."""
        return self.hand.count

    async def run(self) -> None:
        """Own and take until drained. Nothing is taken over before others can see that we are there."""
        await self.heartbeat.try_to_beat()
        beside = (self.heartbeat.run(), self._report_progress(), self.sweeper.run())
        running = [asyncio.create_task(work) for work in beside]
        try:
            while not self.draining:
                try:
                    await self._look()
                except (QueueUnavailableError, QueueFullError, ApiError) as error:
                    LOG.warning("ownership cannot be looked at", error=str(error))
                await asyncio.sleep(LOOK_S)
        finally:
            for task in running:
                task.cancel()

    async def drain(self, grace_s: float) -> None:
        """Let all partitions go: nothing new, give back what is not begun, finish the rest.

        We stay a member, marked, until all is let go: the others wait for that, and not for one that is not there.
        """
        self.draining = True
        self.heartbeat.member = replace(self.heartbeat.member, draining=True)
        await self.heartbeat.try_to_beat()
        await asyncio.gather(*(self._release(partition, grace_s) for partition in list(self.owned.values())))
        await self.heartbeat.leave()
        await self.beside.drain(2)

    def owns(self, taken: Taken) -> bool:
        """Say whether the partition is still ours; not for sure for longer than LEASE_S without the queue."""
        partition, fence = self.owned.get(taken.fence.partition), taken.fence
        ours = partition is not None and not partition.lost and (partition.fence is fence or partition.fence == fence)
        return ours and self.lease.holds(asyncio.get_running_loop().time())

    @property
    def is_sure(self) -> bool:
        """Say whether nobody can have taken a partition of ours over unseen: only then may an attempt begin."""
        return self.lease.is_sure(asyncio.get_running_loop().time(), self.heartbeat.beaten)

    def since(self, number: int) -> float:
        """Return the loop time from which a partition is ours alone: a former owner's connections are closed."""
        return self.owned[number].since if number in self.owned else asyncio.get_running_loop().time()

    async def begin(self, taken: Taken) -> None:
        """Note in the journal that an attempt begins; when this returns, a crash in it will be known."""
        taken.begin()
        await self.journal.begin(taken.note)

    async def content(self, taken: Taken) -> bytes:
        """Return the delivery's content; raise bodies.BodyLostError when it is gone."""
        body = taken.delivery.body
        return taken.inline if body is None else await bodies.load(self.js, taken.delivery, body)

    async def settle(self, taken: Taken, settlement: Settlement) -> None:
        """Make an attempt's outcome lasting; tries until it is, or until the fence is lost."""
        again = settlement.again
        while True:
            try:
                if again is not None:
                    again = await set_apart(self.js, taken, again)  # once: a repeat must not fill a full store
                    await put_back(self.js, taken, again)
                tell = self.events.keep if again is None else self.events.add  # what is done with makes room
                for told in [tell(record) for record in settlement.records]:
                    await told
                self.settled.ended(taken.delivery, settlement.again)
                await self._acknowledge(taken, done=again is None)
            except FenceLostError:
                self.journal.forget(taken.note)
                self._lose(taken)
                return
            except (QueueUnavailableError, QueueFullError, ApiError) as error:
                LOG.warning("an outcome cannot be stored yet", delivery=taken.name, error=str(error))
                self._notice_full(error)
                await asyncio.sleep(SETTLE_AGAIN_S)
            else:
                return

    async def give_back(self, taken: Taken) -> None:
        """Hand an item back untouched; its next owner gets it at once."""
        if taken.begun:  # it ended before the final dot: no crash
            await self.journal.end(taken.note)
        self.journal.forget(taken.note)
        self._forget(taken)
        self.js.send(taken.reply, b"-NAK")

    async def _acknowledge(self, taken: Taken, *, done: bool) -> None:
        self.settled.remember(taken.fence.partition, taken.seq, taken.name)
        self.js.send(taken.reply, b"+ACK")
        self.journal.forget(taken.note)
        self._forget(taken)
        if done and taken.delivery.body is not None:
            with contextlib.suppress(QueueUnavailableError, ApiError):
                await bodies.release(self.js, taken.delivery, taken.delivery.body)

    async def _look(self) -> None:
        """Compare who should own with who does, and move what differs."""
        await self.journal.ensure()
        now = asyncio.get_running_loop().time()
        for pull in [pull for each in self.owned.values() for pull in each.pulls]:
            pull.look(now)
        alive = staying(await members(self.js), self.pool) | {self.pod}
        await self._confirm()
        for number in range(PARTITIONS):
            mine = owner_of(number, alive) == self.pod
            partition = self.owned.get(number)
            if partition is not None and not (mine or partition.letting_go or partition.lost):
                partition.letting_go = True
                self.beside.spawn(self._release(partition, LET_GO_MAX_S))
            elif partition is None and mine and not self.draining and self.is_sure:
                await self._take_over(number)
            elif partition is None and not mine and number in self.unsure:
                await disown(self.js, self.pool, number, self.pod)
                self.unsure.discard(number)

    async def _take_over(self, number: int) -> None:
        current = await read_owner(self.js, self.pool, number)
        if not current.released and current.pod != self.pod and await is_present(self.js, current.pod):
            return  # it sees the same members, or drains, and will let go
        fence = await take_over(self.js, self.pool, number, self.pod, current)
        if fence is None:
            return
        suspect = 0 if current.released else await last_seq(self.js, stream_of(self.pool, number))
        partition = Partition(self.js, fence, suspect, self._on_message, self._wanted)
        partition.since = asyncio.get_running_loop().time() + (0.0 if current.released else CRASH_REST_S)
        self.owned[number] = partition
        try:
            await partition.start()
        except (QueueUnavailableError, QueueFullError, ApiError):
            self._drop(partition)
            raise
        if self.draining:
            await self._release(partition, 0)
            return
        self.sweeper.ask((number,))
        LOG.info("partition taken", partition=number, after=current.pod or "nobody", clean=current.released)

    async def _release(self, partition: Partition, grace_s: float) -> None:
        await partition.stop_pulling()
        self.on_letting_go(partition.fence.partition)
        await partition.wait_empty(grace_s)
        await self.on_cut(partition.fence.partition)
        await partition.wait_empty(SETTLE_MAX_S)
        unfinished = len(partition.in_hand)
        for taken in list(partition.in_hand.values()):
            self._forget(taken)
        if self.owned.get(partition.fence.partition) is partition:
            del self.owned[partition.fence.partition]
        with contextlib.suppress(QueueUnavailableError, QueueFullError, ApiError):
            if not partition.lost:
                await partition.unpin()
                await let_go(self.js, partition.fence, self.pod)
        self.unsure.add(partition.fence.partition)
        LOG.info("partition let go", partition=partition.fence.partition, unfinished=unfinished)

    def _on_message(self, partition: Partition, message: Message) -> None:
        if partition.lost:  # it was on its way when the partition was dropped
            self.js.send(message.reply, PUT_OFF)
            return
        try:
            item, content = decode(message.payload)
        except (UnknownFormatError, WireError) as error:
            LOG.error("an item cannot be read and stays", subject=message.subject, error=str(error))  # noqa: TRY400
            return
        delivery = item.deliveries[0]
        if self.settled.has(partition.fence.partition, message.seq, item):
            metrics.AGAIN.labels(self.pool).inc()
            self.js.send(message.reply, b"+ACK")
            return
        if item.split:
            self.beside.spawn(self._expand(partition, message, item, content))
            return
        known = partition.in_hand.get(delivery.name)
        if known is not None:
            if known.seq == message.seq:
                known.reply = message.reply  # redelivered while in hand: only the ack's place is new
            else:  # its successor fired before it is settled: acks must not be mixed up
                self.js.send(message.reply, PUT_OFF)
            return
        taken = Taken(delivery, content, message.reply, partition.fence, message.seq)
        partition.in_hand[taken.name] = taken
        self.hand.take(taken.way, taken.size)
        if message.delivered > 1 or message.seq <= partition.suspect_until:
            self.beside.spawn(self._clear_up(taken, self.aftermath.past_of(delivery, message.stored_ms)))
        elif partition.may_have_come_back(message, delivery):
            self.beside.spawn(self._clear_up(taken, self.aftermath.outcome_of(delivery, message.stored_ms)))
        else:
            self.on_item(taken)

    async def _clear_up(self, taken: Taken, finding_out: Coroutine[None, None, Past]) -> None:
        """Find out whether an item that was in other hands is settled already, in doubt, or poison."""
        try:
            past = await finding_out
        except (QueueUnavailableError, ApiError) as error:
            LOG.warning("what became of an item is not known yet", delivery=taken.name, error=str(error))
            await asyncio.sleep(SETTLE_AGAIN_S)
            await self.give_back(taken)
            return
        except (UnknownFormatError, WireError) as error:
            LOG.error("what waits cannot be read", delivery=taken.name, error=str(error))  # noqa: TRY400
            self._forget(taken)  # comes again after ack_wait
            return
        if past != UNTOUCHED:
            taken.learn(past)
            self.journal.later(taken.note)  # not forgotten before it is settled
        if past.is_settled:
            await self._acknowledge(taken, done=False)
        elif past.crashes >= POISON_CRASHES and not past.delivered:
            LOG.error("held as poison", delivery=taken.name)
            metrics.POISON.labels(self.pool).inc()
            await self.settle(taken, held_as_poison(taken.delivery, time.time_ns() // 1_000_000))
        elif self.owns(taken) and not self.owned[taken.fence.partition].letting_go:
            self.on_item(taken)
        else:
            await self.give_back(taken)

    async def _expand(self, partition: Partition, message: Message, item: Item, content: bytes) -> None:
        """Turn a split item into its deliveries, then acknowledge it; Msg-Ids absorb a repeat after a crash."""
        way = way_of(item.deliveries[0])
        self.hand.take(way, len(content))
        try:
            await expand(self.js, partition.fence, item, content)
            self.settled.remember(partition.fence.partition, message.seq, item.deliveries[0].name)
            self.js.send(message.reply, b"+ACK")
        except FenceLostError:
            self._drop(partition)
        except (QueueUnavailableError, QueueFullError, ApiError) as error:
            LOG.warning("a message cannot be expanded yet", error=str(error))
            self._notice_full(error)
            await asyncio.sleep(SETTLE_AGAIN_S)
            self.js.send(message.reply, b"-NAK")
        finally:
            self.hand.drop(way, len(content))

    def _notice_full(self, error: Exception) -> None:
        """After a full store, look for schedules that fell due meanwhile: they never fire by themselves."""
        if isinstance(error, QueueFullError):
            self.sweeper.ask(self.owned)

    def _wanted(self, way: Way) -> bool:
        return not self.draining and self.hand.free(way) > 0

    def _forget(self, taken: Taken) -> None:
        partition = self.owned.get(taken.fence.partition)
        if partition is None or partition.in_hand.get(taken.name) is not taken:
            return
        del partition.in_hand[taken.name]
        self.hand.drop(taken.way, taken.size)

    def _lose(self, taken: Taken) -> None:
        """Drop a partition whose fence is gone, unless it was taken again since."""
        partition = self.owned.get(taken.fence.partition)
        if partition is not None and partition.fence == taken.fence:
            self._drop(partition)

    def _drop(self, partition: Partition) -> None:
        """Forget a partition that is not ours any more: its next owner will try what we have in hand."""
        if partition.lost:
            return
        LOG.warning("the partition is dropped", partition=partition.fence.partition)
        metrics.HANDOVERS.labels(self.pool, "lost").inc()
        partition.lost = True
        for taken in list(partition.in_hand.values()):
            self._forget(taken)
        self.beside.spawn(self._abandon(partition))

    async def _abandon(self, partition: Partition) -> None:
        """Give back only after the pulls: what comes again at once would go to an inbox that nobody reads."""
        await partition.stop_pulling()
        self.on_letting_go(partition.fence.partition)
        await self.on_cut(partition.fence.partition)
        if self.owned.get(partition.fence.partition) is partition:
            del self.owned[partition.fence.partition]
        self.unsure.add(partition.fence.partition)

    async def _confirm(self) -> None:
        """Note that the queue answers; after a lapse, find out whether others took over meanwhile."""
        now = asyncio.get_running_loop().time()
        lapse = self.lease.lapse(now)
        if lapse > LAPSE_S:
            for partition in list(self.owned.values()):
                record = await read_owner(self.js, self.pool, partition.fence.partition)
                if lapse > LEASE_S or record.seq != partition.fence.seq:
                    self._drop(partition)
        self.lease.confirmed = now

    async def _report_progress(self) -> None:
        """Tell the server that what is in hand is still in hand, and the journal what is under way."""
        while True:
            await self._extend()
            await asyncio.sleep(PROGRESS_S)

    async def _extend(self) -> None:
        for partition in list(self.owned.values()):
            for taken in list(partition.in_hand.values()):
                self.js.send(taken.reply, b"+WPI")
        self.journal.repeat()

    def _reconnected(self) -> None:
        self.journal.is_there = False
        for partition in self.owned.values():
            partition.reconnected()
        self.beside.spawn(self._extend())
