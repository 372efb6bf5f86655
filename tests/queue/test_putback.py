"""What is put back waits once, its content once, and only as long as the fence stands."""

from dataclasses import replace

import pytest

from paquebot.queue.bodies import DEFERRED_INLINE_MAX_BYTES, load
from paquebot.queue.inspection import list_waiting
from paquebot.queue.jetstream import FenceLostError, JetStream
from paquebot.queue.ownership import read_owner, take_over
from paquebot.queue.putback import put_back, set_apart
from paquebot.queue.subjects import chunk_filter, slice_of, stream_of
from paquebot.queue.taken import Taken
from queue_making import POOL, delivery, now_ms

ITEM = delivery()
AGAIN = replace(ITEM, attempts=1, next_ms=now_ms() + 3_600_000, reason="greylisted")


async def taken(js: JetStream, content: bytes, seq: int = 5) -> Taken:
    fence = await take_over(js, POOL, ITEM.partition, "pod-1", await read_owner(js, POOL, ITEM.partition))
    assert fence is not None
    return Taken(ITEM, content, "reply", fence, seq)


async def stored(js: JetStream) -> list[str]:
    number = slice_of(ITEM.partition)
    stream = stream_of(POOL, ITEM.partition)
    return [message.subject for message in await js.read_all(stream, chunk_filter(POOL, number, "m1"))]


async def test_a_repeat_is_absorbed_and_another_items_is_not(js: JetStream) -> None:
    first = await taken(js, b"content")
    await put_back(js, first, AGAIN)
    await put_back(js, first, replace(AGAIN, attempts=9))
    assert [each.delivery.attempts for each in await list_waiting(js, POOL)] == [1]
    first.seq += 1
    await put_back(js, first, replace(AGAIN, attempts=2))
    assert [each.delivery.attempts for each in await list_waiting(js, POOL)] == [2]


async def test_a_small_content_waits_inline(js: JetStream) -> None:
    small = await taken(js, b"x" * DEFERRED_INLINE_MAX_BYTES)
    again = await set_apart(js, small, AGAIN)
    await put_back(js, small, again)
    (found,) = await list_waiting(js, POOL)
    assert (again, found.content) == (AGAIN, small.inline)
    assert await stored(js) == []


async def test_a_large_content_is_set_apart_once_however_often_it_is_asked(js: JetStream) -> None:
    large = await taken(js, b"x" * (DEFERRED_INLINE_MAX_BYTES + 1))
    again = await set_apart(js, large, AGAIN)
    assert await set_apart(js, large, again) == again
    assert len(await stored(js)) == 2  # a chunk and its marker
    assert again.body is not None
    assert await load(js, again, again.body) == large.inline
    await put_back(js, large, again)
    (found,) = await list_waiting(js, POOL)
    assert (found.delivery, found.content) == (again, b"")


async def test_who_was_overtaken_puts_back_neither_delivery_nor_content(js: JetStream) -> None:
    old = await taken(js, b"x" * (DEFERRED_INLINE_MAX_BYTES + 1))
    await taken(js, b"")
    with pytest.raises(FenceLostError):
        await set_apart(js, old, AGAIN)
    with pytest.raises(FenceLostError):
        await put_back(js, old, AGAIN)
    assert await stored(js) == []
    assert await list_waiting(js, POOL) == []


async def test_a_delivery_may_move_to_a_stream_where_our_record_does_not_lie(js: JetStream) -> None:
    moved = delivery(site="moved.example", next_ms=AGAIN.next_ms)
    assert slice_of(moved.partition) != slice_of(ITEM.partition)
    await put_back(js, await taken(js, b"content"), moved)
    assert [each.delivery for each in await list_waiting(js, POOL)] == [moved]
