"""What waits fires into its ready subject; publishing again replaces it."""

import asyncio
from dataclasses import replace

from paquebot.queue.jetstream import JetStream
from paquebot.queue.payload import decode, encode
from paquebot.queue.schedule import schedule_headers
from paquebot.queue.subjects import deferred_subject, ready_subject, stream_of
from paquebot.wire.delivery import Item
from queue_making import POOL, delivery, now_ms


async def put(js: JetStream, item, **headers: str) -> None:
    await js.publish(deferred_subject(item), encode(Item((item,)), b"content"), schedule_headers(item) | headers)


async def ready(js: JetStream, item, timeout_s: float = 60) -> tuple:
    stream, subject = stream_of(POOL, item.partition), ready_subject(item)
    for _ in range(int(timeout_s / 0.05)):
        message = await js.get_last(stream, subject)
        if message is not None:
            return decode(message.payload)
        await asyncio.sleep(0.05)
    raise AssertionError("it did not fire")


async def test_it_fires_with_its_content_and_is_gone_from_the_waiting(js: JetStream) -> None:
    item = delivery(next_ms=now_ms() + 600)
    await put(js, item)
    assert await js.get_last(stream_of(POOL, item.partition), ready_subject(item)) is None
    assert await ready(js, item) == (Item((item,)), b"content")
    assert await js.get_last(stream_of(POOL, item.partition), deferred_subject(item)) is None


async def test_a_time_in_the_past_fires_at_once(js: JetStream) -> None:
    item = delivery(next_ms=now_ms() - 10_000)
    await put(js, item)
    assert (await ready(js, item))[1] == b"content"


async def test_publishing_again_replaces_what_waits(js: JetStream) -> None:
    item = delivery(next_ms=now_ms() + 3_600_000)
    await put(js, item)
    sooner = replace(item, next_ms=now_ms() + 300, attempts=7)
    await put(js, sooner)
    assert (await ready(js, sooner))[0].deliveries[0].attempts == 7


async def test_a_repeated_msg_id_does_not_replace(js: JetStream) -> None:
    item = delivery(next_ms=now_ms() + 3_600_000)
    await put(js, item, **{"Nats-Msg-Id": "x"})
    await put(js, replace(item, attempts=9), **{"Nats-Msg-Id": "x"})
    message = await js.get_last(stream_of(POOL, item.partition), deferred_subject(item))
    assert message is not None
    assert decode(message.payload)[0].deliveries[0].attempts == 0
