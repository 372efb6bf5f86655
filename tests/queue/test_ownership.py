"""The owner record fences: who was overtaken can store nothing."""

import pytest

from paquebot.queue.jetstream import FenceLostError, JetStream
from paquebot.queue.ownership import let_go, read_owner, take_over
from paquebot.queue.schedule import schedule_headers
from paquebot.queue.subjects import deferred_subject, owner_subject, ready_subject, stream_of
from queue_making import POOL, delivery, now_ms

ITEM = delivery(next_ms=now_ms() + 3_600_000)
P = ITEM.partition


async def test_of_two_that_take_over_one_wins(js: JetStream) -> None:
    current = await read_owner(js, POOL, P)
    first = await take_over(js, POOL, P, "pod-1", current)
    assert first is not None
    assert await take_over(js, POOL, P, "pod-2", current) is None
    assert (await read_owner(js, POOL, P)).pod == "pod-1"


async def test_who_was_overtaken_stores_neither_plain_messages_nor_schedules(js: JetStream) -> None:
    old = await take_over(js, POOL, P, "pod-1", await read_owner(js, POOL, P))
    assert old is not None
    await js.publish(ready_subject(ITEM), b"x", old.headers)
    await js.publish(deferred_subject(ITEM), b"x", old.headers | schedule_headers(ITEM))
    new = await take_over(js, POOL, P, "pod-2", await read_owner(js, POOL, P))
    assert new is not None
    with pytest.raises(FenceLostError):
        await js.publish(ready_subject(ITEM), b"late", old.headers)
    with pytest.raises(FenceLostError):
        await js.publish(deferred_subject(ITEM), b"late", old.headers | schedule_headers(ITEM))
    await js.publish(deferred_subject(ITEM), b"new", new.headers | schedule_headers(ITEM))
    waiting = await js.get_last(stream_of(POOL, P), deferred_subject(ITEM))
    assert waiting is not None
    assert waiting.payload == b"new"


async def test_one_record_stays_however_often_owners_change(js: JetStream) -> None:
    for number in range(5):
        await take_over(js, POOL, P, f"pod-{number}", await read_owner(js, POOL, P))
    assert len(await js.read_all(stream_of(POOL, P), owner_subject(POOL, P))) == 1


async def test_letting_go_invites_the_next_and_does_nothing_to_a_newer_owner(js: JetStream) -> None:
    old = await take_over(js, POOL, P, "pod-1", await read_owner(js, POOL, P))
    assert old is not None
    await take_over(js, POOL, P, "pod-2", await read_owner(js, POOL, P))
    await let_go(js, old, "pod-1")
    record = await read_owner(js, POOL, P)
    assert (record.pod, record.released) == ("pod-2", False)
