"""Steering what waits in the queue: each delivery by compare-and-set, so that whoever comes second is told.

A settlement says what is wanted; what is ready or in a deliverer's hands is steered by an order instead.
"""

import asyncio
import contextlib
from dataclasses import replace

from paquebot.mail.delivery import Delivery
from paquebot.mail.selector import READY
from paquebot.mail.settlement import Settlement
from paquebot.queue import bodies
from paquebot.queue.events import EventWriter
from paquebot.queue.inspection import Waiting
from paquebot.queue.jetstream import ApiError, JetStream, QueueUnavailableError
from paquebot.queue.payload import encode
from paquebot.queue.schedule import schedule_headers
from paquebot.queue.subjects import ready_subject, stream_of
from paquebot.wire.delivery import Item


class AlreadyReadyError(Exception):
    """A delivery that does not wait for its time cannot be steered."""


class MovingError(Exception):
    """Two pools may hold a delivery: only who moves it may change that."""


async def steer(js: JetStream, events: EventWriter, waiting: Waiting, settlement: Settlement) -> None:
    """Make what was decided about a waiting delivery lasting; raise FenceLostError when it has moved meanwhile.

    `again` waits in its place, or becomes ready in one step when its time is 0; without it the delivery goes.
    What is being moved to another pool is left alone: MovingError.
    """
    if waiting.delivery.is_moving:
        raise MovingError("it is being moved to another pool: `paquebot queue reroute` ends that")
    again = settlement.again
    if again is None:
        await _take_away(js, events, waiting, settlement)
        return
    if again.body is not None and bodies.outlived(waiting.delivery, again):
        await bodies.renew(js, again, again.body, {})
    if again.next_ms:
        await put_in_place(js, waiting, again)
    else:
        await _make_ready(js, waiting, again)
    await asyncio.gather(*(events.add(record) for record in settlement.records))


async def put_in_place(js: JetStream, waiting: Waiting, again: Delivery) -> int:
    """Let a changed delivery wait in its place; return its sequence. Raise FenceLostError when it has moved."""
    _refuse_ready(waiting)
    headers = schedule_headers(again) | unmoved(waiting)
    return (await js.publish(waiting.subject, encode(Item((again,)), waiting.content), headers)).seq


def unmoved(waiting: Waiting) -> dict[str, str]:
    """Return headers with which a publish is refused when the delivery has moved meanwhile."""
    return {
        "Nats-Expected-Last-Subject-Sequence": str(waiting.seq),
        "Nats-Expected-Last-Subject-Sequence-Subject": waiting.subject,
    }


async def _make_ready(js: JetStream, waiting: Waiting, again: Delivery) -> None:
    _refuse_ready(waiting)
    headers = {"Nats-Schedule-Next": "purge", "Nats-Scheduler": waiting.subject} | unmoved(waiting)
    await js.publish(ready_subject(again), encode(Item((again,)), waiting.content), headers)


async def _take_away(js: JetStream, events: EventWriter, waiting: Waiting, settlement: Settlement) -> None:
    """Hold it, record that it goes, then purge: a crash in between leaves it held, and a repeat ends the work."""
    (record,) = settlement.records
    reason = f"being cancelled by {record.author}: cancel it again, it was not finished"
    going = replace(waiting.delivery, held=True, next_ms=record.at_ms + bodies.HOLD_MAX_S * 1000, reason=reason)
    seq = await put_in_place(js, waiting, going)
    await asyncio.gather(*(events.add(record) for record in settlement.records))
    await purge(js, waiting, seq)


async def purge(js: JetStream, waiting: Waiting, seq: int) -> bool:
    """Take a delivery out of its place, and its content when nothing else needs it.

    `seq` is its place at last: what was put there later stays. Return False when it was gone already.
    """
    stream = stream_of(waiting.delivery.pool, waiting.delivery.partition)
    purged = await js.request(f"STREAM.PURGE.{stream}", {"filter": waiting.subject, "seq": seq + 1})
    if not purged["purged"]:
        return False
    if waiting.delivery.body is not None:
        with contextlib.suppress(ApiError, QueueUnavailableError):
            await bodies.release(js, waiting.delivery, waiting.delivery.body)
    return True


def _refuse_ready(waiting: Waiting) -> None:
    """Refuse what is ready: a ready subject is shared by all of its site: nothing may be replaced or purged there."""
    if waiting.state == READY:
        raise AlreadyReadyError(f"{waiting.delivery.name} is ready: a deliverer has it or takes it next")
