"""A message with several deliveries, committed as one item, becomes one item for each delivery."""

import asyncio
from dataclasses import replace

from paquebot.queue.bodies import DEFERRED_INLINE_MAX_BYTES, store
from paquebot.queue.jetstream import JetStream
from paquebot.queue.ownership import Fence
from paquebot.queue.payload import encode
from paquebot.queue.schedule import schedule_headers
from paquebot.queue.subjects import deferred_subject, ready_subject, slice_of, stream_of
from paquebot.wire.delivery import Item


async def expand(js: JetStream, fence: Fence, item: Item, content: bytes) -> None:
    """Publish each delivery under its own Msg-Id. The caller acknowledges the split item afterwards.

    A content over 32 KiB is stored once and shared. The fence holds within the owner's stream; in the pool's
    other streams its record does not lie, and Msg-Ids alone absorb a repeat.
    """
    deliveries = item.deliveries
    if deliveries[0].body is None and len(content) > DEFERRED_INLINE_MAX_BYTES:
        stream = slice_of(fence.partition)
        body = await store(js, stream, deliveries, content, fence.headers)
        deliveries = tuple(replace(delivery, body=body) for delivery in deliveries)
    own = stream_of(fence.pool, fence.partition)
    publishes = []
    for delivery in deliveries:
        headers = {"Nats-Msg-Id": delivery.name}
        if stream_of(delivery.pool, delivery.partition) == own:
            headers |= fence.headers
        subject = ready_subject(delivery)
        if delivery.next_ms:
            subject = deferred_subject(delivery)
            headers |= schedule_headers(delivery) | {"Nats-Msg-Id": f"{delivery.name}.at"}
        payload = encode(Item((delivery,)), b"" if delivery.body is not None else content)
        publishes.append(js.publish(subject, payload, headers))
    await asyncio.gather(*publishes)
