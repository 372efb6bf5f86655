"""Moving a delivery to another pool's streams: never lost, never tried twice, however it is cut short.

It is set aside in its pool, copied to the other, purged from the first, and only then may be tried. While both hold
it neither tries it. What was cut short is ended by doing it again: the step that is left is seen from what is there.
"""

from dataclasses import replace

from paquebot.mail.delivery import Delivery
from paquebot.mail.order import Order
from paquebot.mail.record import Kind
from paquebot.mail.steering import arrived, arriving, leaving, record_of
from paquebot.queue import bodies
from paquebot.queue.events import EventWriter
from paquebot.queue.inspection import Waiting, find
from paquebot.queue.jetstream import ApiError, FenceLostError, JetStream, QueueUnavailableError
from paquebot.queue.payload import encode
from paquebot.queue.provision import NOT_FOUND
from paquebot.queue.schedule import schedule_headers
from paquebot.queue.steer import purge, put_in_place
from paquebot.queue.subjects import deferred_subject, marker_subject, slice_of, stream_of
from paquebot.wire.delivery import Item


async def move(js: JetStream, events: EventWriter, order: Order, waiting: Waiting) -> None:
    """Move a waiting delivery to the order's pool, or where it was going already, if that pool is still there.

    Raise FenceLostError when somebody else was faster, bodies.BodyLostError when its content is gone.
    """
    aside, seq = waiting.delivery, waiting.seq
    if not aside.moving_to or await _is_gone(js, stream_of(aside.moving_to, aside.partition)):
        aside = leaving(order, aside, order.given_ms)
        seq = await put_in_place(js, waiting, aside)
    copy = await _copy(js, waiting, aside, seq)
    if not await purge(js, waiting, seq):
        raise FenceLostError(f"{aside.name} has moved meanwhile")
    for here in await find(js, copy.pool, copy.id, str(copy.n)):
        if here.delivery.moving_from:
            await arrive(js, events, order, here)


async def arrive(js: JetStream, events: EventWriter, order: Order, here: Waiting) -> None:
    """Let a copy be tried that is the only one by now; raise FenceLostError when somebody else was faster."""
    now_ms = order.given_ms
    await events.add(record_of(order, Kind.REROUTED, here.delivery, now_ms))
    await put_in_place(js, here, arrived(order, here.delivery, now_ms))


async def is_alone(js: JetStream, here: Waiting) -> bool:
    """Say whether the pool that an arriving copy comes from has let it go."""
    delivery = here.delivery
    stream = stream_of(delivery.moving_from, delivery.partition)
    place = f"mq.{delivery.moving_from}.{here.subject.removeprefix(f'mq.{delivery.pool}.')}"
    try:
        return await js.get_last(stream, place) is None
    except QueueUnavailableError:
        return await _is_gone(js, stream)


async def _is_gone(js: JetStream, stream: str) -> bool:
    """Say whether a pool's stream was taken away, which is only done when nothing is in it."""
    try:
        await js.request(f"STREAM.INFO.{stream}")
    except ApiError as error:
        if error.err_code != NOT_FOUND:
            raise
        return True
    return False


async def _copy(js: JetStream, waiting: Waiting, aside: Delivery, seq: int) -> Delivery:
    """Store the copy, its content first. The Msg-Id names what it is a copy of: a repeat is absorbed."""
    copy = arriving(aside)
    if aside.body is not None:
        content = await bodies.load(js, aside, aside.body)
        stream = slice_of(copy.partition)
        await js.publish(marker_subject(copy.pool, stream, copy.id, copy.n), b"", {"Nats-Rollup": "sub"})
        body = await bodies.store(js, stream, (copy,), content, {"Nats-Rollup": "sub"})
        copy = replace(copy, body=body)
    headers = schedule_headers(copy) | {"Nats-Msg-Id": f"{copy.name}.moved.{aside.pool}.{seq}"}
    await js.publish(deferred_subject(copy), encode(Item((copy,)), waiting.content), headers)
    return copy
