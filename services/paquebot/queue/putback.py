"""Putting a delivery back: it waits as a schedule under its own name, a large content apart from it.

The fence holds only where its record lies: in the stream of the partition that the delivery comes from.
"""

from dataclasses import replace

from paquebot.mail.delivery import Delivery
from paquebot.queue.bodies import DEFERRED_INLINE_MAX_BYTES, outlived, renew, store
from paquebot.queue.jetstream import JetStream
from paquebot.queue.payload import encode
from paquebot.queue.schedule import schedule_headers
from paquebot.queue.subjects import deferred_subject, slice_of
from paquebot.queue.taken import Taken
from paquebot.wire.delivery import Item


async def set_apart(js: JetStream, taken: Taken, again: Delivery) -> Delivery:
    """Store a content that is too large to wait inline; return the delivery that names it.

    Its own step, so that who repeats the rest does not store the content again: the store may be full.
    """
    if again.body is not None and outlived(taken.delivery, again):
        await renew(js, again, again.body, _fence(taken, again))
    if again.body is not None or len(taken.inline) <= DEFERRED_INLINE_MAX_BYTES:
        return again
    body = await store(js, slice_of(again.partition), (again,), taken.inline, _fence(taken, again))
    return replace(again, body=body)


async def put_back(js: JetStream, taken: Taken, again: Delivery) -> None:
    """Store what waits.

    The Msg-Id names the item it comes from: a repeat is absorbed, also when the schedule has fired meanwhile,
    yet a delivery that moves away and back again is not.
    """
    payload = encode(Item((again,)), b"" if again.body is not None else taken.inline)
    headers = {"Nats-Msg-Id": f"{again.name}.{slice_of(taken.fence.partition)}.{taken.seq}"}
    headers |= schedule_headers(again) | _fence(taken, again)
    await js.publish(deferred_subject(again), payload, headers)


def _fence(taken: Taken, again: Delivery) -> dict[str, str]:
    same = slice_of(again.partition) == slice_of(taken.fence.partition)
    return taken.fence.headers if same else {}
