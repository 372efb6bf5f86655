"""A pool's streams go only when nothing waits in them, and nothing slips in while they go."""

import asyncio
from collections.abc import Callable

import pytest

from paquebot.mail.delivery import Plan
from paquebot.queue.acceptance import Acceptance
from paquebot.queue.jetstream import ApiError, JetStream, QueueUnavailableError
from paquebot.queue.removal import count_waiting, remove_streams
from paquebot.queue.subjects import SLICES, stream_name
from queue_making import POOL, delivery, now_ms
from queue_owner import accept


async def test_what_waits_is_counted_ready_and_deferred(js: JetStream) -> None:
    assert await count_waiting(js, POOL) == 0
    for number in range(3):
        await accept(js, delivery(f"ready-{number}"))
    await accept(js, delivery("later", next_ms=now_ms() + 3_600_000))
    await accept(js, delivery("large"), content=b"x" * 400_000)  # its content lies beside it and is not counted
    assert await count_waiting(js, POOL) == 5
    assert await count_waiting(js, "no_pool") == 0


async def test_a_pool_with_mail_is_left_as_it_was(js: JetStream, owner: Callable) -> None:
    await accept(js, delivery("later", next_ms=now_ms() + 1000))
    assert await remove_streams(js, POOL) == 1
    await accept(js, delivery("more"))
    one = await owner()
    while {taken.delivery.id for taken in one.taken} != {"later", "more"}:
        await asyncio.sleep(0.05)


async def test_an_empty_pools_streams_are_gone_and_who_publishes_hears_it(js: JetStream) -> None:
    assert await remove_streams(js, POOL) == 0
    for number in range(SLICES):
        with pytest.raises(ApiError, match="not found"):
            await js.request(f"STREAM.INFO.{stream_name(POOL, number)}")
    with pytest.raises(QueueUnavailableError):
        await Acceptance(js, deadline_s=0.5).accept(Plan((delivery(),)), b"content")
    assert await remove_streams(js, POOL) == 0  # again: nothing there


async def test_what_comes_while_the_streams_go_is_kept_or_refused(js: JetStream) -> None:
    kept: list[str] = []

    async def keep_coming() -> None:
        for number in range(400):
            try:
                await js.publish(f"mq.{POOL}.0.r.0.1.other.x", b"", {"Nats-Msg-Id": str(number)})
            except QueueUnavailableError:
                return
            kept.append(str(number))

    coming = asyncio.create_task(keep_coming())
    while len(kept) < 5:
        await asyncio.sleep(0)
    waiting = await remove_streams(js, POOL)
    await coming
    assert 0 < waiting <= len(kept) == await count_waiting(js, POOL)
