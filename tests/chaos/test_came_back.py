"""What a nats-server that was killed brings back is not sent again.

Seen with 2.15.2, which now and then compacts its memory of removals away: a schedule that had fired fires again, in a
new place; an item that was acknowledged lies in its place again.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from paquebot.mail.delivery import Delivery
from paquebot.mail.record import Kind
from paquebot.mail.settlement import Settlement
from paquebot.queue.jetstream import JetStream, Message
from paquebot.queue.partition import LATE_MS
from paquebot.queue.payload import encode
from paquebot.queue.schedule import schedule_headers
from paquebot.queue.server import NatsServer
from paquebot.queue.subjects import PARTITIONS, deferred_subject, ready_subject
from paquebot.wire.delivery import Item
from queue_making import delivery, now_ms
from queue_owner import Owner, accept, killed_and_started, nothing_waits, record
from tests_support import wait_for


async def comes_back(js: JetStream, waits: Delivery) -> None:
    """Store a schedule as it was before it fired, so late that it is no first time."""
    await asyncio.sleep(max(0.0, (waits.next_ms + 2 * LATE_MS - now_ms()) / 1000))
    await js.publish(deferred_subject(waits), encode(Item((waits,)), b"content"), schedule_headers(waits))


async def deferred_and_delivered(js: JetStream, one: Owner) -> Delivery:
    """Put a delivery off once, then deliver it; return it as it waited."""
    await accept(js, delivery())
    await wait_for(lambda: one.taken)
    waits = replace(one.taken[0].delivery, attempts=1, next_ms=now_ms() + 300, reason="greylisted")
    told = replace(record(one.taken[0], Kind.DEFERRED), attempt=1)
    await one.queue.settle(one.taken[0], Settlement((told,), again=waits))
    await wait_for(lambda: len(one.taken) == 2)
    await one.queue.settle(one.taken[1], Settlement((replace(record(one.taken[1]), attempt=2),)))
    await nothing_waits(js)
    return waits


async def test_a_schedule_that_fires_once_more_is_only_acknowledged(js: JetStream, owner: Callable) -> None:
    one = await owner()
    waits = await deferred_and_delivered(js, one)
    await comes_back(js, waits)
    await nothing_waits(js)
    assert len(one.taken) == 2


async def test_another_owner_reads_in_the_events_that_it_was_delivered(js: JetStream, owner: Callable) -> None:
    one = await owner("pod-1")
    waits = await deferred_and_delivered(js, one)
    await one.queue.drain(1)
    two = await owner("pod-2")
    await wait_for(lambda: len(two.queue.partitions) == PARTITIONS)
    await comes_back(js, waits)
    await comes_back(js, replace(waits, n=2))  # late too, but nothing became of it
    await wait_for(lambda: two.taken)
    await two.delivered(two.taken[0])
    await nothing_waits(js)
    assert [taken.delivery.n for taken in two.taken] == [2]


async def test_after_a_kill_of_the_server_what_lay_there_before_is_looked_up(
    js: JetStream, owner: Callable, nats: NatsServer
) -> None:
    one = await owner("pod-1")
    await accept(js, delivery())
    await wait_for(lambda: one.taken)
    first = one.taken[0]
    await one.queue.settle(first, Settlement((replace(record(first), attempt=1),)))
    await one.queue.drain(1)
    two = await owner("pod-2")
    await wait_for(lambda: len(two.queue.partitions) == PARTITIONS)
    await killed_and_started(nats, js, two.js)
    partition = two.queue.owned[first.fence.partition]
    await wait_for(lambda: partition.recalled_until)
    item = encode(Item((first.delivery,)), b"content")
    partition.on_message(partition, Message(ready_subject(first.delivery), item, first.seq, {}, first.reply, 1))
    await wait_for(lambda: not two.queue.in_hand)
    assert two.taken == []
