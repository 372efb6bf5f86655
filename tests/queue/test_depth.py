"""How much waits is told without reading it."""

from paquebot.mail.delivery import Lane, Plan
from paquebot.queue import depth as depth_module
from paquebot.queue.acceptance import Acceptance
from paquebot.queue.depth import count_later, depth, sample
from paquebot.queue.jetstream import JetStream
from paquebot.queue.ownership import read_owner, take_over
from paquebot.queue.subjects import slice_of
from queue_making import POOL, delivery, now_ms

HOUR_MS = 3_600_000


async def accept(js: JetStream, *items) -> None:
    for item in items:
        await Acceptance(js).accept(Plan((item,)), b"content")


async def test_an_empty_pool_has_nothing_in_it(js: JetStream) -> None:
    found = await depth(js, POOL)
    assert (found.ready, found.later, found.oldest_ready_ms) == (0, 0, 0)
    assert await sample(js, POOL) == []


async def test_what_is_ready_and_what_waits_are_counted_over_all_streams_and_lanes(js: JetStream) -> None:
    begun_ms = now_ms()
    sites = [f"s{number}.example" for number in range(8)]  # of several partitions
    await accept(js, *(delivery(f"r{site}", site=site, lane=Lane.BULK) for site in sites))
    later = [delivery(f"l{site}", site=site, next_ms=now_ms() + HOUR_MS, reason="greylisted") for site in sites[:5]]
    await accept(js, *later)
    found = await depth(js, POOL)
    assert (found.ready, found.later) == (8, 5)
    assert begun_ms - 60_000 < found.oldest_ready_ms <= now_ms() + 60_000
    assert {each.id for each in await sample(js, POOL)} == {each.id for each in later}


async def test_a_long_stream_is_counted_by_the_few_others_in_it(js: JetStream, monkeypatch) -> None:
    items = [delivery(f"m{number}", next_ms=now_ms() + HOUR_MS) for number in range(5)]
    await accept(js, *items, delivery("ready"), delivery("ready-too", lane=Lane.BULK))
    await Acceptance(js).accept(Plan((delivery("large", next_ms=now_ms() + HOUR_MS),)), b"x" * 400_000)
    await take_over(js, POOL, items[0].partition, "pod", await read_owner(js, POOL, items[0].partition))
    for counted_max in (depth_module.COUNTED_MAX, 0):
        monkeypatch.setattr(depth_module, "COUNTED_MAX", counted_max)
        assert await count_later(js, POOL, slice_of(items[0].partition)) == 6


async def test_a_site_is_counted_alone(js: JetStream) -> None:
    await accept(js, delivery("a"), delivery("b", site="other.example"), delivery("c", site="mail.b.example"))
    await accept(js, delivery("d", next_ms=now_ms() + HOUR_MS), delivery("e", site="x", next_ms=now_ms() + HOUR_MS))
    found = await depth(js, POOL, "b.example")
    assert (found.ready, found.later) == (1, 1)
    assert [each.id for each in await sample(js, POOL, "b.example")] == ["d"]


async def test_a_sample_is_no_larger_than_wanted(js: JetStream) -> None:
    await accept(js, *(delivery(f"m{number}", next_ms=now_ms() + HOUR_MS) for number in range(10)))
    assert len(await sample(js, POOL, limit=12)) == 3  # a quarter of it for each stream, and they lie in one
