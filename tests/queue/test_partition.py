"""A partition pulls all its lanes, makes its consumers again, and remembers what it settled."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from paquebot.mail.delivery import Lane
from paquebot.queue.jetstream import JetStream, Message
from paquebot.queue.ownership import Fence, read_owner, take_over
from paquebot.queue.partition import Partition
from paquebot.queue.subjects import consumer_name, ready_subject, stream_of
from queue_making import POOL, delivery
from tests_support import wait_for

P = delivery().partition


class Owned:
    """A partition and what it handed over."""

    def __init__(self, js: JetStream, fence: Fence) -> None:
        self.took: list[Message] = []
        self.partition = Partition(
            js, fence, 0, lambda _partition, message: self.took.append(message), lambda _lane: True
        )


@pytest.fixture
async def owned(js: JetStream, connect) -> AsyncIterator[Owned]:
    mine = await connect("deliverer")
    fence = await take_over(mine, POOL, P, "pod-1", await read_owner(js, POOL, P))
    assert fence is not None
    made = Owned(mine, fence)
    await made.partition.start()
    yield made
    await made.partition.stop_pulling()


async def test_every_lane_is_pulled(js: JetStream, owned: Owned) -> None:
    for lane in Lane:
        await js.publish(ready_subject(delivery(lane=lane)), lane.name.encode())
    await wait_for(lambda: {each.payload for each in owned.took} == {lane.name.encode() for lane in Lane})


async def test_consumers_that_go_are_made_again_and_pulled(js: JetStream, owned: Owned) -> None:
    for lane in Lane:
        await js.request(f"CONSUMER.DELETE.{stream_of(POOL, P)}.{consumer_name(P, lane)}")
    for lane in Lane:
        await js.publish(ready_subject(delivery(lane=lane)), b"x")
    await wait_for(lambda: len(owned.took) == len(Lane))


async def test_what_stops_takes_nothing_more_and_unpins_for_the_next(js: JetStream, owned: Owned, connect) -> None:
    await owned.partition.stop_pulling()
    await owned.partition.unpin()
    fence = await take_over(js, POOL, P, "pod-2", await read_owner(js, POOL, P))
    assert fence is not None
    following = Owned(await connect("deliverer"), fence)
    await following.partition.start()
    await js.publish(ready_subject(delivery()), b"x")
    await wait_for(lambda: following.took)
    assert owned.took == []
    await following.partition.stop_pulling()


async def test_all_lanes_stop_at_once_though_one_is_slow_to_drain(owned: Owned) -> None:
    stopping = asyncio.create_task(owned.partition.stop_pulling())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert all(pull.stopped for pull in owned.partition.pulls)
    await stopping


async def test_after_letting_go_no_consumer_is_made_again(js: JetStream, owned: Owned) -> None:
    await owned.partition.stop_pulling()
    await js.request(f"CONSUMER.DELETE.{stream_of(POOL, P)}.{consumer_name(P, Lane.NORMAL)}")
    owned.partition.reconnected()
    assert owned.partition.mending is None
