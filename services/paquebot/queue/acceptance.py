"""Taking responsibility: one publish commits a message, however many deliveries it has.

Bodies too large to travel go first; without the commit they are forgotten by their TTL. A publish that is
not acknowledged is repeated under the same Msg-Id, so that it cannot be stored twice.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from paquebot.mail.delivery import Delivery, Plan
from paquebot.queue.bodies import DEFERRED_INLINE_MAX_BYTES, INLINE_MAX_BYTES, store
from paquebot.queue.jetstream import JetStream, QueueUnavailableError
from paquebot.queue.payload import encode
from paquebot.queue.schedule import schedule_headers
from paquebot.queue.subjects import deferred_subject, ready_subject, slice_of, split_subject
from paquebot.wire.delivery import Item

T = TypeVar("T")
TRIES_TIMEOUT_S = 5.0
BACKOFF_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Stores planned messages."""

    js: JetStream
    deadline_s: float = 20.0

    async def accept(self, plan: Plan, content: bytes) -> None:
        """Return once the message is kept; raise QueueUnavailableError or QueueFullError when it is not."""
        end = asyncio.get_running_loop().time() + self.deadline_s
        deliveries = plan.deliveries
        waits = len(deliveries) == 1 and deliveries[0].next_ms
        if len(content) > (DEFERRED_INLINE_MAX_BYTES if waits else INLINE_MAX_BYTES):
            stream = slice_of(deliveries[0].partition)
            body = await _until(end, lambda _timeout_s: store(self.js, stream, plan.deliveries, content, {}))
            deliveries = tuple(replace(delivery, body=body) for delivery in deliveries)
        first = deliveries[0]
        if len(deliveries) > 1:
            subject = split_subject(first)
        else:
            subject = deferred_subject(first) if first.next_ms else ready_subject(first)
        headers = commit_headers(deliveries)
        payload = encode(Item(deliveries, split=len(deliveries) > 1), b"" if first.body is not None else content)
        await _until(end, lambda timeout_s: self.js.publish(subject, payload, headers, timeout_s))


def commit_headers(deliveries: tuple[Delivery, ...]) -> dict[str, str]:
    """Return the headers of the publish that commits a message; its Msg-Id keeps a repeat from being stored."""
    first = deliveries[0]
    if len(deliveries) > 1:
        return {"Nats-Msg-Id": f"{first.id}.split"}
    if first.next_ms:
        return schedule_headers(first) | {"Nats-Msg-Id": f"{first.name}.at"}
    return {"Nats-Msg-Id": first.name}


async def until(deadline_s: float, attempt: Callable[[float], Awaitable[T]]) -> T:
    """Repeat what the queue did not answer, with back-off, for so long; `attempt` is told how long it may take."""
    return await _until(asyncio.get_running_loop().time() + deadline_s, attempt)


async def _until(end: float, attempt: Callable[[float], Awaitable[T]]) -> T:
    """Repeat what the queue did not answer, with back-off, until loop time `end`."""
    loop = asyncio.get_running_loop()
    tries = 0
    while True:
        try:
            return await attempt(min(TRIES_TIMEOUT_S, max(0.1, end - loop.time())))
        except QueueUnavailableError:
            pause = BACKOFF_S[min(tries, len(BACKOFF_S) - 1)]
            tries += 1
            if loop.time() + pause >= end:
                raise
            await asyncio.sleep(pause)
