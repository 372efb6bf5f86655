"""A stream is read through in few batches, and its subjects are listed without reading it."""

import asyncio

from paquebot.mail.delivery import Plan
from paquebot.queue import scan
from paquebot.queue.acceptance import Acceptance
from paquebot.queue.jetstream import JetStream
from paquebot.queue.scan import subject_counts
from paquebot.queue.subjects import deferred_filter_in, deferred_subject, partition_of, ready_filter_all, stream_of
from queue_making import POOL, delivery, now_ms

HERE = partition_of("b.example")
STREAM = stream_of(POOL, HERE)
DEFERRED = deferred_filter_in(POOL, HERE)


async def put(js: JetStream, *idents: str, octets: int = 10) -> None:
    for ident in idents:
        item = delivery(ident, next_ms=now_ms() + 3_600_000)
        await Acceptance(js).accept(Plan((item,)), b"x" * octets)


async def batches(js: JetStream) -> list[int]:
    return [len(batch) async for batch in scan.scan(js, STREAM, DEFERRED)]


async def test_a_batch_ends_at_its_number_and_at_its_octets(js: JetStream, monkeypatch) -> None:
    await put(js, *(f"m{number}" for number in range(7)), octets=3000)
    assert await batches(js) == [7]
    monkeypatch.setattr(scan, "OCTETS_MAX", 6000)
    assert await batches(js) == [2, 2, 2, 1]
    monkeypatch.setattr(scan, "BATCH", 1)
    assert await batches(js) == [1] * 7


async def test_nothing_is_read_of_a_stream_that_holds_nothing_of_the_kind(js: JetStream) -> None:
    assert await batches(js) == []
    await Acceptance(js).accept(Plan((delivery("ready"),)), b"content")
    assert await batches(js) == [0]


async def test_what_comes_meanwhile_is_passed_over(js: JetStream, monkeypatch) -> None:
    monkeypatch.setattr(scan, "BATCH", 2)
    await put(js, *(f"m{number}" for number in range(4)))
    seen = 0
    async for batch in scan.scan(js, STREAM, DEFERRED):
        seen += len(batch)
        await put(js, *(f"later{seen}.{number}" for number in range(3)))
    assert seen == 4


async def test_few_subjects_among_others_are_found_at_once_and_many_by_looking(js: JetStream, monkeypatch) -> None:
    monkeypatch.setattr(scan, "BATCH", 2)
    await put(js, *(f"m{number}" for number in range(5)))
    assert [[each.seq for each in batch] async for batch in scan.pick(js, STREAM, DEFERRED)] == [[1, 2, 3, 4, 5]]
    await asyncio.gather(*(put(js, f"more{number}") for number in range(1020)))
    found = [len(batch) async for batch in scan.pick(js, STREAM, DEFERRED)]
    assert found[:2] == [2, 2]
    assert sum(found) == 1025


async def test_the_last_of_each_subject_is_read_at_once_as_long_as_they_are_a_thousand(js: JetStream) -> None:
    await asyncio.gather(*(js.publish(f"doubt.pool.m{number}.1", b"x") for number in range(1024)))
    assert [each.subject for each in await scan.last_of_each(js, "DOUBT", "doubt.*.m7.*") or ()] == ["doubt.pool.m7.1"]
    assert len(await scan.last_of_each(js, "DOUBT", "doubt.>") or ()) == 1024
    assert await scan.last_of_each(js, "DOUBT", "doubt.other.>") == []
    await js.publish("doubt.pool.more.1", b"x")
    assert await scan.last_of_each(js, "DOUBT", "doubt.>") is None


async def test_the_next_message_is_read_alone(js: JetStream) -> None:
    for number in range(3):
        await js.publish(f"doubt.pool.m{number}.1", b"x")
    found = [await scan.next_of(js, "DOUBT", "doubt.*.*.1", seq) for seq in (0, 2, 4)]
    assert [each and each.subject for each in found] == ["doubt.pool.m0.1", "doubt.pool.m1.1", None]


async def test_subjects_are_listed_with_their_numbers(js: JetStream) -> None:
    await put(js, "m1", "m2")
    for ident in ("r1", "r2", "r3"):
        await Acceptance(js).accept(Plan((delivery(ident),)), b"content")
    listed = [page async for page in subject_counts(js, STREAM, DEFERRED)]
    assert listed == [{deferred_subject(delivery(ident)): 1 for ident in ("m1", "m2")}]
    (ready,) = [page async for page in subject_counts(js, STREAM, ready_filter_all(POOL, HERE % 4))]
    assert list(ready.values()) == [3]
    assert [page async for page in subject_counts(js, STREAM, "mq.no.such.>")] == [{}]
