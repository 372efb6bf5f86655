"""Looking at a pool's queue from outside, and steering single deliveries."""

import contextlib
from dataclasses import dataclass, replace

import structlog

from paquebot.mail.delivery import Delivery
from paquebot.queue import bodies
from paquebot.queue.jetstream import ApiError, FenceLostError, JetStream, Message
from paquebot.queue.payload import UnknownFormatError, decode, encode
from paquebot.queue.schedule import schedule_headers
from paquebot.queue.subjects import (
    SLICES,
    deferred_filter,
    deferred_filter_of,
    ready_filter_all,
    ready_subject,
    stream_name,
)
from paquebot.wire.delivery import Item
from paquebot.wire.method import WireError

LOG = structlog.get_logger()


class AlreadyReadyError(Exception):
    """A delivery that does not wait for its time cannot be steered."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A stored delivery: `state` is ready, deferred or held; `seq` its place, good for compare-and-set only."""

    delivery: Delivery
    state: str
    subject: str
    seq: int
    content: bytes


async def list_waiting(js: JetStream, pool: str, limit: int = 10_000) -> list[Waiting]:
    """Return what waits in a pool, deferred and held before ready; what is in a deliverer's hands counts as ready."""
    found: list[Waiting] = []
    for pattern in (deferred_filter, ready_filter_all):
        for number in range(SLICES):
            room = limit - len(found)
            if room <= 0:
                return found
            for message in await js.read_all(stream_name(pool, number), pattern(pool, number), room):
                found += _waiting(message)
    return found


async def find(js: JetStream, pool: str, ident: str, n: str = "*") -> list[Waiting]:
    """Return the waiting deliveries of a message, deferred and held ones at once, ready ones by a scan."""
    found: list[Waiting] = []
    for number in range(SLICES):
        messages = await js.read_all(stream_name(pool, number), deferred_filter_of(pool, number, ident, n))
        found += [waiting for message in messages for waiting in _waiting(message)]
    if found:
        return found
    return [
        waiting
        for waiting in await list_waiting(js, pool)
        if waiting.delivery.id == ident and n in {"*", str(waiting.delivery.n)}
    ]


async def hold(js: JetStream, waiting: Waiting, until_ms: int, reason: str) -> None:
    """Hold a deferred delivery until a time; raise FenceLostError when it has moved meanwhile."""
    held = replace(waiting.delivery, held=True, next_ms=until_ms, reason=reason)
    await _replace(js, waiting, held)


async def release(js: JetStream, waiting: Waiting, now_ms: int) -> None:
    """Let a held delivery be tried now."""
    free = replace(waiting.delivery, held=False, next_ms=now_ms, hold_until_ms=now_ms, reason="released")
    await _replace(js, waiting, free)


async def retry_now(js: JetStream, waiting: Waiting) -> None:
    """Let a deferred delivery be tried now: its schedule becomes the ready item in one step."""
    _refuse_ready(waiting)
    over = min(waiting.delivery.hold_until_ms, 1)  # a hold that has begun is over
    ready = replace(waiting.delivery, held=False, next_ms=0, hold_until_ms=over)
    headers = {"Nats-Schedule-Next": "purge", "Nats-Scheduler": waiting.subject} | _unmoved(waiting)
    await js.publish(ready_subject(ready), encode(Item((ready,)), waiting.content), headers)


async def cancel(js: JetStream, waiting: Waiting) -> None:
    """Take a deferred or held delivery away for good; raise FenceLostError when it has moved meanwhile."""
    _refuse_ready(waiting)
    stream = stream_name(waiting.delivery.pool, int(waiting.subject.split(".")[2]))
    purged = await js.request(f"STREAM.PURGE.{stream}", {"filter": waiting.subject})
    if not purged["purged"]:
        raise FenceLostError(f"{waiting.delivery.name} has moved meanwhile")
    if waiting.delivery.body is not None:
        with contextlib.suppress(ApiError):
            await bodies.release(js, waiting.delivery, waiting.delivery.body)


async def _replace(js: JetStream, waiting: Waiting, delivery: Delivery) -> None:
    _refuse_ready(waiting)
    headers = schedule_headers(delivery) | _unmoved(waiting)
    await js.publish(waiting.subject, encode(Item((delivery,)), waiting.content), headers)


def _refuse_ready(waiting: Waiting) -> None:
    """Refuse what is ready: a ready subject is shared by all of its site: nothing may be replaced or purged there."""
    if waiting.state == "ready":
        raise AlreadyReadyError(f"{waiting.delivery.name} is ready: a deliverer has it or takes it next")


def _unmoved(waiting: Waiting) -> dict[str, str]:
    return {
        "Nats-Expected-Last-Subject-Sequence": str(waiting.seq),
        "Nats-Expected-Last-Subject-Sequence-Subject": waiting.subject,
    }


def _waiting(message: Message) -> list[Waiting]:
    try:
        item, content = decode(message.payload)
    except (UnknownFormatError, WireError) as error:  # one of another release must not hide all others
        LOG.warning("an item cannot be read", subject=message.subject, seq=message.seq, error=str(error))
        return []
    is_ready = message.subject.split(".")[3] == "r"
    return [
        Waiting(
            delivery,
            "ready" if is_ready else ("held" if delivery.held else "deferred"),
            message.subject,
            message.seq,
            content,
        )
        for delivery in item.deliveries
    ]
