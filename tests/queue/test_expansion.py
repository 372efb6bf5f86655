"""A split item becomes its deliveries once, however often its owner dies in the middle."""

import asyncio
from typing import Any

import pytest

from paquebot.mail.delivery import Delivery
from paquebot.queue.bodies import DEFERRED_INLINE_MAX_BYTES
from paquebot.queue.expansion import expand
from paquebot.queue.inspection import list_waiting
from paquebot.queue.jetstream import FenceLostError, JetStream
from paquebot.queue.ownership import Fence, read_owner, take_over
from paquebot.wire.delivery import Item
from queue_making import POOL, delivery, now_ms

COUNT = 12


def deliveries(**changes: object) -> tuple[Delivery, ...]:
    return tuple(delivery(n=n, site=f"d{n}.example", **changes) for n in range(1, COUNT + 1))


async def own(js: JetStream, partition: int, pod: str = "pod-1") -> Fence:
    fence = await take_over(js, POOL, partition, pod, await read_owner(js, POOL, partition))
    assert fence is not None
    return fence


async def numbers(js: JetStream, state: str = "ready") -> list[int]:
    return sorted(each.delivery.n for each in await list_waiting(js, POOL) if each.state == state)


async def test_a_repeat_after_a_crash_adds_only_what_was_missing(js: JetStream, connect) -> None:
    item = Item(deliveries(), split=True)
    fence = await own(js, item.deliveries[0].partition)
    dying = await connect("deliverer")
    post, left = dying.client.post, [5]

    def dies(*arguments: Any) -> None:
        if left[0]:  # else it was killed between two publishes
            left[0] -= 1
            post(*arguments)

    dying.client.post = dies  # type: ignore[method-assign]
    expanding = asyncio.create_task(expand(dying, fence, item, b"content"))
    while len(await numbers(js)) < 5:
        await asyncio.sleep(0.02)
    expanding.cancel()
    await asyncio.gather(expanding, return_exceptions=True)
    assert len(await numbers(js)) == 5
    await expand(js, await own(js, fence.partition, "pod-2"), item, b"content")
    assert await numbers(js) == list(range(1, COUNT + 1))


async def test_who_was_overtaken_puts_nothing_into_the_stream_of_its_record(js: JetStream) -> None:
    item = Item(tuple(delivery(n=n) for n in range(1, 4)), split=True)
    old = await own(js, item.deliveries[0].partition)
    await own(js, item.deliveries[0].partition, "pod-2")
    with pytest.raises(FenceLostError):
        await expand(js, old, item, b"content")
    assert await numbers(js) == []


async def test_held_deliveries_wait_and_the_others_are_ready(js: JetStream) -> None:
    held = delivery(n=2, site="c.example", held=True, next_ms=now_ms() + 3_600_000)
    item = Item((delivery(), held), split=True)
    await expand(js, await own(js, item.deliveries[0].partition), item, b"content")
    assert await numbers(js) == [1]
    assert await numbers(js, "held") == [2]


@pytest.mark.parametrize(("size", "apart"), [(DEFERRED_INLINE_MAX_BYTES, False), (DEFERRED_INLINE_MAX_BYTES + 1, True)])
async def test_a_content_is_shared_only_above_the_limit(js: JetStream, size: int, apart: bool) -> None:
    item = Item(deliveries(), split=True)
    await expand(js, await own(js, item.deliveries[0].partition), item, b"x" * size)
    found = await list_waiting(js, POOL)
    assert len(found) == COUNT
    assert {each.delivery.body is not None for each in found} == {apart}
    assert {len(each.content) for each in found} == {0 if apart else size}
