"""Carrying orders out: an order and a delivery in, a Settlement out. Pure.

Deliverers apply it to what they have in hand, commands to what waits in the queue: both mean the same by it.
"""

from dataclasses import replace

from paquebot.mail.delivery import Delivery
from paquebot.mail.order import Action, Order
from paquebot.mail.outcome import IN_DOUBT
from paquebot.mail.record import Kind, Record, about
from paquebot.mail.settlement import Settlement

GRACE_MS = 3_600_000  # what is released or requeued has time for an attempt, however old it is
ASIDE_MS = 7 * 86_400_000  # what is moved, or moved while it was held, waits so long for a person
SPREAD_MS = 60_000  # what a suspension kept waiting does not come back all at once

_KINDS = {
    Action.HOLD: Kind.HELD,
    Action.RELEASE: Kind.RELEASED,
    Action.REFUSE: Kind.REFUSED,
    Action.CANCEL: Kind.CANCELLED,
    Action.RETRY: Kind.RETRIED,
    Action.REQUEUE: Kind.REQUEUED,
}


def carry_out(order: Order, delivery: Delivery, now_ms: int) -> Settlement:
    """Return what must be done with a delivery that an order is about; RETRY and REQUEUE make it ready."""
    if order.action is Action.REROUTE:
        return Settlement((), leaving(order, delivery, now_ms))  # recorded when it has arrived
    again = _steered(order, delivery, now_ms)
    next_ms = 0 if again is None else again.next_ms
    return Settlement((record_of(order, _KINDS[order.action], delivery, now_ms, next_ms),), again)


def parked(order: Order, delivery: Delivery, chance: float) -> Delivery:
    """Return a delivery that waits for a suspension's end, or for its own expiry; `chance` is between 0 and 1."""
    end_ms = min(order.ends_ms, delivery.expires_ms)
    return replace(
        delivery,
        next_ms=end_ms + int(chance * SPREAD_MS),
        reason=_reason(delivery, order.why),
        order=order.id,
    )


def leaving(order: Order, delivery: Delivery, now_ms: int) -> Delivery:
    """Return a delivery that is set aside for another pool: nobody tries it any more where it is.

    Why it waited stays in its reason: a repeat finds it by the same words.
    """
    reason = f"being moved to pool {order.pool} by {order.said}; if it stays so, repeat `paquebot queue reroute`"
    if delivery.reason and not delivery.is_moving:
        reason += f"; it waited before because: {delivery.reason}"
    return replace(
        delivery,
        moving_to=order.pool,
        next_ms=now_ms + ASIDE_MS,
        reason=_reason(delivery, reason),
        steered_ms=order.given_ms,
        order="",
    )


def arriving(delivery: Delivery) -> Delivery:
    """Return its copy in the other pool, which nobody tries while the first pool may still hold it."""
    return replace(delivery, pool=delivery.moving_to, moving_to="", moving_from=delivery.pool)


def arrived(order: Order, delivery: Delivery, now_ms: int) -> Delivery:
    """Return a delivery that only the other pool holds: what was held stays held, the rest is tried at once."""
    next_ms = now_ms + ASIDE_MS if delivery.held else now_ms
    word = f"{'held; ' if delivery.held else ''}moved from pool {delivery.moving_from}"
    here = replace(delivery, moving_from="", next_ms=next_ms)
    return replace(here, reason=_reason(delivery, f"{word} by {order.said}"))


def record_of(order: Order, kind: Kind, delivery: Delivery, now_ms: int, next_ms: int = 0) -> Record:
    """Return the record of an order that was carried out."""
    record = about(delivery, kind, now_ms)
    return replace(record, attempt=delivery.attempts, reason=order.reason, next_ms=next_ms, author=order.author)


def _steered(order: Order, delivery: Delivery, now_ms: int) -> Delivery | None:
    """Return the delivery as the order wants it; None: it is taken away."""
    match order.action:
        case Action.HOLD:
            refuse_ms = order.hold_ms if delivery.refuse_ms else 0
            return _changed(order, delivery, "held", held=True, next_ms=order.hold_ms, refuse_ms=refuse_ms)
        case Action.RELEASE:
            expires_ms = max(delivery.expires_ms, now_ms + GRACE_MS)
            free = replace(delivery, hold_until_ms=now_ms, expires_ms=expires_ms, refuse_ms=0)
            return _changed(order, free, "released", held=False, next_ms=now_ms)
        case Action.REFUSE:
            return _changed(order, delivery, "refused", held=False, next_ms=now_ms, refuse_ms=now_ms)
        case Action.RETRY:
            return _changed(order, _held_no_more(delivery), "to be tried at once, as wanted", held=False, next_ms=0)
        case Action.REQUEUE:
            return _requeued(order, delivery, now_ms)
        case Action.CANCEL:
            return None
        case _:
            raise AssertionError(f"{order.action} is not carried out delivery by delivery")


def _requeued(order: Order, delivery: Delivery, now_ms: int) -> Delivery:
    """Forget attempts and what hosts said; when the first try comes, its hosts are looked up anew."""
    lifetime_ms = delivery.expires_ms - delivery.accepted_ms
    fresh = replace(
        _held_no_more(delivery), attempts=0, crashes=0, last_reply=None, last_host="", delay_told=False, reason=""
    )
    expires_ms = now_ms + lifetime_ms if order.fresh_expiry else max(delivery.expires_ms, now_ms + GRACE_MS)
    return _changed(order, fresh, "requeued", held=False, next_ms=0, expires_ms=expires_ms)


def _held_no_more(delivery: Delivery) -> Delivery:
    """End a hold that a route or the filter has begun: 0 would let a route begin anew."""
    return replace(delivery, hold_until_ms=min(delivery.hold_until_ms, 1), refuse_ms=0)


def _changed(order: Order, delivery: Delivery, word: str, **changes: int) -> Delivery:
    reason = _reason(delivery, f"{word} by {order.said}")
    return replace(delivery, reason=reason, steered_ms=order.given_ms, order="", **changes)  # type: ignore[arg-type]


def _reason(delivery: Delivery, told: str) -> str:
    """Keep the word that a reply is missing in front: the same host comes first all the same."""
    return f"{IN_DOUBT}; {told}" if delivery.reason.startswith(IN_DOUBT) else told
