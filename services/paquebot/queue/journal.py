"""The journal of attempts: a note when one begins, so that who comes after a crash knows what is in doubt.

It lies in memory beside the queue (the stream DOUBT): only a deliverer's crash matters.
"""

import json
from dataclasses import dataclass, replace

from paquebot.mail.delivery import Delivery
from paquebot.queue.jetstream import JetStream
from paquebot.queue.payload import decode
from paquebot.queue.subjects import deferred_subject, doubt_subject, stream_of

POISON_CRASHES = 3
HELD_FOR_MS = 7 * 86_400_000
ENDED = -1  # as the attempts of a note: the attempt ended before the final dot, without a crash


@dataclass(frozen=True, slots=True)
class Past:
    """What became of an item in other hands: `crashes` counts the last attempt; 0: it did not end in one."""

    is_settled: bool = False
    crashes: int = 0


async def note(js: JetStream, pool: str, delivery: Delivery, attempts: int | None = None) -> None:
    """Note that an attempt is under way, or with ENDED that it was none."""
    attempts = delivery.attempts if attempts is None else attempts
    written = json.dumps({"attempts": attempts, "crashes": delivery.crashes}).encode()
    await js.send(doubt_subject(pool, delivery.id, delivery.n), written)


async def past_of(js: JetStream, pool: str, delivery: Delivery) -> Past:
    """Find out about an item that was in other hands.

    Raises what reading raises, and what decoding raises when its waiting form cannot be read.
    """
    waiting = await js.get_last(stream_of(pool, delivery.partition), deferred_subject(delivery))
    if waiting is not None and decode(waiting.payload)[0].deliveries[0].attempts >= delivery.attempts:
        return Past(is_settled=True)
    noted = await js.get_last("DOUBT", doubt_subject(pool, delivery.id, delivery.n))
    found = {} if noted is None else json.loads(noted.payload)
    return Past(crashes=found["crashes"] + 1 if found.get("attempts") == delivery.attempts else 0)


def held_as_poison(delivery: Delivery, now_ms: int) -> Delivery:
    """Return a delivery whose attempts crash us, held for people to look at."""
    reason = f"poison: {delivery.crashes} attempts ended in a crash; look at it, then release or cancel it"
    return replace(delivery, held=True, next_ms=now_ms + HELD_FOR_MS, reason=reason)
