"""Schedules that the server forgot fire after a sweep; what is not overdue is left alone."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from paquebot.queue.inspection import list_waiting
from paquebot.queue.jetstream import JetStream, QueueFullError
from paquebot.queue.payload import encode
from paquebot.queue.provision import stream_config
from paquebot.queue.schedule import schedule_headers
from paquebot.queue.server import NatsServer, find_nats_server
from paquebot.queue.subjects import SLICES, deferred_subject, stream_name
from paquebot.queue.sweep import OVERDUE_MS, Sweeper, sweep
from paquebot.queue.users import ServerPlace
from paquebot.wire.delivery import Item
from queue_fixtures import free_port
from queue_making import POOL, delivery, now_ms

STORE_BYTES = 24 << 20


async def put(js: JetStream, item, at_ms: int) -> None:
    """Store a delivery whose schedule says something else than itself: as if it had been forgotten."""
    headers = schedule_headers(replace(item, next_ms=at_ms))
    await js.publish(deferred_subject(item), encode(Item((item,)), b"content"), headers)


async def states(js: JetStream) -> list[str]:
    return [each.state for each in await list_waiting(js, POOL)]


async def becomes(js: JetStream, wanted: list[str]) -> None:
    for _ in range(100):
        if await states(js) == wanted:
            return
        await asyncio.sleep(0.1)
    assert await states(js) == wanted


async def test_what_is_overdue_fires(js: JetStream) -> None:
    item = delivery(next_ms=now_ms() - OVERDUE_MS - 1000)
    await put(js, item, now_ms() + 3_600_000)
    assert await sweep(js, POOL, item.partition, now_ms()) == 1
    await becomes(js, ["ready"])


async def test_what_may_still_fire_by_itself_is_left_alone(js: JetStream) -> None:
    item = delivery(next_ms=now_ms() - OVERDUE_MS + 60_000)
    await put(js, item, now_ms() + 3_600_000)
    assert await sweep(js, POOL, item.partition, now_ms()) == 0
    assert await states(js) == ["deferred"]


async def test_a_sweeper_goes_through_all_that_it_is_asked(js: JetStream) -> None:
    items = [delivery(f"m{n}", site=f"d{n}.example", next_ms=now_ms() - 2 * OVERDUE_MS) for n in range(5)]
    for item in items:
        await put(js, item, now_ms() + 3_600_000)
    sweeper = Sweeper(js, POOL)
    sweeping = asyncio.create_task(sweeper.run())
    sweeper.ask(item.partition for item in items)
    await becomes(js, ["ready"] * 5)
    assert not sweeper.asked
    sweeping.cancel()
    await asyncio.gather(sweeping, return_exceptions=True)


@pytest.fixture
async def small(identities: Path, tmp_path: Path) -> AsyncIterator[JetStream]:
    """Return a connection to a server whose store is soon full."""
    place = ServerPlace(tmp_path / "s", identities / "nats", free_port(), STORE_BYTES)
    server = NatsServer(find_nats_server(), place, tmp_path / "n")
    server.start()
    js = await JetStream.connect(server.url, identities / "admin", "admin")
    for number in range(SLICES):
        await js.request(f"STREAM.CREATE.{stream_name(POOL, number)}", stream_config(POOL, number))
    yield js
    await js.close()
    server.stop()


async def fill(js: JetStream, *sizes: int) -> None:
    for size in sizes:
        full = False
        while not full:
            try:
                await js.publish(f"mq.{POOL}.0.b.filler.0", b"x" * size)
            except QueueFullError:
                full = True


async def test_what_fell_due_while_the_store_was_full_fires_after_it(small: JetStream) -> None:
    room = f"mq.{POOL}.0.b.room.0"
    await small.publish(room, b"x" * 2048)
    await fill(small, 1 << 20, 1 << 16, 1 << 12, 500)
    await small.request(f"STREAM.PURGE.{stream_name(POOL, 0)}", {"filter": room})
    item = delivery(next_ms=now_ms() + 5000)
    await put(small, item, item.next_ms)
    await fill(small, 500, 1)  # a few writes: it is full before the delivery falls due
    assert now_ms() < item.next_ms
    await asyncio.sleep(max(0.0, item.next_ms / 1000 - now_ms() / 1000) + 1.5)
    assert await states(small) == ["deferred"]
    await small.request(f"STREAM.PURGE.{stream_name(POOL, 0)}", {"filter": f"mq.{POOL}.0.b.>"})
    await asyncio.sleep(1)
    assert await states(small) == ["deferred"]  # as of 2.15.2; a server for which this fails needs no sweep
    assert await sweep(small, POOL, item.partition, now_ms() + OVERDUE_MS) == 1
    await becomes(small, ["ready"])
