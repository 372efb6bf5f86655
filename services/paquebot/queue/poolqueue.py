"""The deliverer's face of the queue: which partitions are ours, what is in hand, and settling it.

Owning: members of the pool share its partitions by rendezvous hashing; the owner record decides.
Taking: items come by callback. Settling: schedule what waits, store the records, then ack, in this order.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace

import structlog

from paquebot.mail.delivery import Delivery
from paquebot.mail.settlement import Settlement
from paquebot.queue import bodies
from paquebot.queue.events import EventWriter
from paquebot.queue.expansion import expand
from paquebot.queue.jetstream import (
    ApiError,
    FenceLostError,
    JetStream,
    Message,
    QueueFullError,
    QueueUnavailableError,
)
from paquebot.queue.members import Heartbeat, Member, members
from paquebot.queue.ownership import let_go, read_owner, take_over
from paquebot.queue.partition import Partition
from paquebot.queue.payload import UnknownFormatError, decode, encode
from paquebot.queue.rendezvous import owner_of
from paquebot.queue.schedule import schedule_headers
from paquebot.queue.subjects import PARTITIONS, deferred_subject, doubt_subject, slice_of, stream_of
from paquebot.queue.taken import Taken
from paquebot.wire.delivery import Item
from paquebot.wire.method import WireError

LOOK_S = 1.0
PROGRESS_S = 20.0  # a third of the consumers' ack_wait
LET_GO_MAX_S = 4.0  # for what is under way, before a partition is let go
IN_HAND_MAX = 4000
IN_HAND_MAX_BYTES = 128 << 20
POISON_CRASHES = 3
HELD_FOR_MS = 7 * 86_400_000
SETTLE_AGAIN_S = 1.0
LOG = structlog.get_logger()


@dataclass(slots=True, eq=False)
class PoolQueue:
    """One pool's queue as one deliverer sees it."""

    js: JetStream
    events: EventWriter
    pool: str
    pod: str
    on_item: Callable[[Taken], None]
    on_letting_go: Callable[[int], None]  # a partition's items that are not begun must be given back
    owned: dict[int, Partition] = field(default_factory=dict)
    heartbeat: Heartbeat = field(init=False)
    held_bytes: int = 0
    in_hand: int = 0
    draining: bool = False
    tasks: "set[asyncio.Task[None]]" = field(default_factory=set)

    def __post_init__(self) -> None:
        self.heartbeat = Heartbeat(self.js, Member(self.pod, "deliverer", pool=self.pool))
        self.js.on_reconnect.append(self._reconnected)

    @property
    def partitions(self) -> tuple[int, ...]:
        """The partitions that are ours now."""
        return tuple(sorted(number for number, each in self.owned.items() if not each.lost))

    async def run(self) -> None:
        """Own and take until drained."""
        beating = asyncio.create_task(self.heartbeat.run())
        progress = asyncio.create_task(self._report_progress())
        try:
            while not self.draining:
                try:
                    await self._look()
                except (QueueUnavailableError, QueueFullError, ApiError) as error:
                    LOG.warning("ownership cannot be looked at", error=str(error))
                await asyncio.sleep(LOOK_S)
        finally:
            for task in (beating, progress):
                task.cancel()

    async def drain(self, grace_s: float) -> None:
        """Let all partitions go: nothing new, give back what is not begun, finish the rest."""
        self.draining = True
        self.heartbeat.member = replace(self.heartbeat.member, draining=True)
        await self.heartbeat.leave()
        await asyncio.gather(*(self._release(partition, grace_s) for partition in list(self.owned.values())))
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=2)

    def owns(self, taken: Taken) -> bool:
        """Say whether the partition is still ours, as far as this process knows."""
        partition = self.owned.get(taken.fence.partition)
        return partition is not None and not partition.lost and partition.fence == taken.fence

    async def begin(self, taken: Taken) -> None:
        """Note in the journal that an attempt begins, so that a crash in it is known."""
        taken.begun = True
        delivery = taken.delivery
        note = json.dumps({"attempts": delivery.attempts, "crashes": delivery.crashes}).encode()
        await self.js.send(doubt_subject(self.pool, delivery.id, delivery.n), note)

    async def content(self, taken: Taken) -> bytes:
        """Return the delivery's content; raise bodies.BodyLostError when it is gone."""
        body = taken.delivery.body
        return taken.inline if body is None else await bodies.load(self.js, taken.delivery, body)

    async def settle(self, taken: Taken, settlement: Settlement) -> None:
        """Make an attempt's outcome lasting; tries until it is, or until the fence is lost."""
        while True:
            try:
                if settlement.again is not None:
                    await self._put_back(taken, settlement.again)
                await asyncio.gather(*(self.events.add(record) for record in settlement.records))
                await self._acknowledge(taken, done=settlement.again is None)
            except FenceLostError:
                self._lose(taken)
                return
            except (QueueUnavailableError, QueueFullError, ApiError) as error:
                LOG.warning("an outcome cannot be stored yet", delivery=taken.name, error=str(error))
                await asyncio.sleep(SETTLE_AGAIN_S)
            else:
                return

    async def give_back(self, taken: Taken) -> None:
        """Hand an item back untouched; its next owner gets it at once."""
        self._forget(taken)
        await self.js.send(taken.reply, b"-NAK")

    async def _put_back(self, taken: Taken, again: Delivery) -> None:
        """Store what waits as a schedule under its own name: a repeat replaces itself."""
        content = taken.inline
        fence = taken.fence.headers
        if stream_of(self.pool, again.partition) != stream_of(self.pool, taken.fence.partition):
            # It moves to a stream where our record does not lie: the Msg-Id absorbs a repeat instead.
            fence = {"Nats-Msg-Id": f"{again.name}.{again.attempts}.{again.partition}"}
        if again.body is None and len(content) > bodies.DEFERRED_INLINE_MAX_BYTES:
            stream = slice_of(again.partition)
            again = replace(again, body=await bodies.store(self.js, stream, (again,), content, {}))
        payload = encode(Item((again,)), b"" if again.body is not None else content)
        await self.js.publish(deferred_subject(again), payload, fence | schedule_headers(again))

    async def _acknowledge(self, taken: Taken, *, done: bool) -> None:
        await self.js.send(taken.reply, b"+ACK")
        self._forget(taken)
        if done and taken.delivery.body is not None:
            with contextlib.suppress(QueueUnavailableError, ApiError):
                await bodies.release(self.js, taken.delivery, taken.delivery.body)

    async def _look(self) -> None:
        """Compare who should own with who does, and move what differs."""
        now = asyncio.get_running_loop().time()
        for pull in [pull for each in self.owned.values() for pull in each.pulls]:
            await pull.look(now)
        alive = {
            member.pod
            for member in await members(self.js)
            if member.service == "deliverer" and member.pool == self.pool and not member.draining
        }
        alive.add(self.pod)
        for number in range(PARTITIONS):
            mine = owner_of(number, alive) == self.pod
            partition = self.owned.get(number)
            if partition is not None and partition.lost:
                del self.owned[number]
            elif partition is not None and not mine and not partition.letting_go:
                partition.letting_go = True
                self._spawn(self._release(partition, LET_GO_MAX_S))
            elif partition is None and mine and not self.draining:
                await self._take_over(number, alive)

    async def _take_over(self, number: int, alive: set[str]) -> None:
        current = await read_owner(self.js, self.pool, number)
        if not current.released and current.pod in alive and current.pod != self.pod:
            return  # it sees the same members and will let go
        fence = await take_over(self.js, self.pool, number, self.pod, current)
        if fence is None:
            return
        suspect = 0
        if not current.released:
            stream = stream_of(self.pool, number)
            suspect = (await self.js.request(f"STREAM.INFO.{stream}"))["state"]["last_seq"]
        partition = Partition(self.js, fence, suspect, self._on_message, self._wanted)
        self.owned[number] = partition
        await partition.start()
        LOG.info("partition taken", partition=number, after=current.pod or "nobody", clean=current.released)

    async def _release(self, partition: Partition, grace_s: float) -> None:
        await partition.stop_pulling()
        self.on_letting_go(partition.fence.partition)
        end = asyncio.get_running_loop().time() + grace_s
        while partition.in_hand and not partition.lost and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110  (settled one by one)
            await asyncio.sleep(0.02)
        if self.owned.get(partition.fence.partition) is partition:
            del self.owned[partition.fence.partition]
        with contextlib.suppress(QueueUnavailableError, QueueFullError, ApiError):
            if not partition.lost:
                await partition.unpin()
                await let_go(self.js, partition.fence, self.pod)
        LOG.info("partition let go", partition=partition.fence.partition, unfinished=len(partition.in_hand))

    def _on_message(self, partition: Partition, message: Message) -> None:
        try:
            item, content = decode(message.payload)
        except (UnknownFormatError, WireError) as error:
            LOG.error("an item cannot be read and stays", subject=message.subject, error=str(error))  # noqa: TRY400
            return
        if item.split:
            self._spawn(self._expand(partition, message, item, content))
            return
        delivery = item.deliveries[0]
        known = partition.in_hand.get(delivery.name)
        if known is not None:
            known.reply = message.reply  # redelivered while in hand: only the ack's place is new
            return
        taken = Taken(delivery, content, message.reply, partition.fence)
        partition.in_hand[taken.name] = taken
        self.in_hand += 1
        self.held_bytes += taken.size
        if message.delivered > 1 or message.seq <= partition.suspect_until:
            self._spawn(self._clear_up(taken))
        else:
            self.on_item(taken)

    async def _clear_up(self, taken: Taken) -> None:
        """Find out whether an item that was in other hands is settled already, in doubt, or poison."""
        delivery = taken.delivery
        try:
            stream = stream_of(self.pool, delivery.partition)
            waiting = await self.js.get_last(stream, deferred_subject(delivery))
            if waiting is not None and decode(waiting.payload)[0].deliveries[0].attempts >= delivery.attempts:
                await self._acknowledge(taken, done=False)
                return
            note = await self.js.get_last("DOUBT", doubt_subject(self.pool, delivery.id, delivery.n))
        except (QueueUnavailableError, ApiError):
            await self.give_back(taken)
            return
        if note is not None and json.loads(note.payload)["attempts"] == delivery.attempts:
            crashes = json.loads(note.payload)["crashes"] + 1
            taken.delivery = replace(delivery, crashes=crashes)
            taken.doubtful = True
            if crashes >= POISON_CRASHES:
                await self._hold_poison(taken)
                return
        self.on_item(taken)

    async def _hold_poison(self, taken: Taken) -> None:
        until = time.time_ns() // 1_000_000 + HELD_FOR_MS
        reason = f"poison: {taken.delivery.crashes} attempts ended in a crash; look at it, then release or cancel it"
        held = replace(taken.delivery, held=True, next_ms=until, reason=reason)
        LOG.error("held as poison", delivery=taken.name)
        await self.settle(taken, Settlement((), again=held))

    async def _expand(self, partition: Partition, message: Message, item: Item, content: bytes) -> None:
        """Turn a split item into its deliveries, then acknowledge it; Msg-Ids absorb a repeat after a crash."""
        try:
            await expand(self.js, partition.fence, item, content)
            await self.js.send(message.reply, b"+ACK")
        except FenceLostError:
            partition.lost = True
        except (QueueUnavailableError, QueueFullError, ApiError) as error:
            LOG.warning("a message cannot be expanded yet", error=str(error))
            await asyncio.sleep(SETTLE_AGAIN_S)
            await self.js.send(message.reply, b"-NAK")

    def _wanted(self) -> bool:
        return not self.draining and self.in_hand < IN_HAND_MAX and self.held_bytes < IN_HAND_MAX_BYTES

    def _forget(self, taken: Taken) -> None:
        partition = self.owned.get(taken.fence.partition)
        if partition is None or partition.in_hand.pop(taken.name, None) is None:
            return
        self.in_hand -= 1
        self.held_bytes -= taken.size

    def _lose(self, taken: Taken) -> None:
        """Drop a partition whose fence is gone: its new owner will try what we have in hand."""
        LOG.warning("the partition was taken by somebody else", partition=taken.fence.partition)
        partition = self.owned.get(taken.fence.partition)
        if partition is None or partition.fence != taken.fence:
            return
        partition.lost = True
        self._spawn(partition.stop_pulling())
        self.on_letting_go(taken.fence.partition)
        for other in list(partition.in_hand.values()):
            self._forget(other)

    async def _report_progress(self) -> None:
        """Tell the server that what is in hand is still in hand."""
        while True:
            await asyncio.sleep(PROGRESS_S)
            for partition in list(self.owned.values()):
                for taken in list(partition.in_hand.values()):
                    await self.js.send(taken.reply, b"+WPI")

    def _reconnected(self) -> None:
        for partition in self.owned.values():
            partition.reconnected()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
