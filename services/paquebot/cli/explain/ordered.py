"""What people ordered, as it concerns what is explained: suspensions, and orders that are still to be carried out."""

from collections.abc import Iterable

from paquebot.cli.explain.facts import Around, Sentence, do, when, why
from paquebot.cli.explain.words import ahead
from paquebot.mail.delivery import Delivery
from paquebot.mail.order import Order, due, suspended_by, target


def ordered(delivery: Delivery, around: Around) -> tuple[Sentence, ...]:
    """Return what orders say about a delivery that is ready: () when there are none."""
    order = due(around.orders, delivery, around.now_ms)
    if order is not None:
        told = f": {order.reason}" if order.reason else ""
        return (
            why(f"{order.author} ordered to {order.action} it{told}. A deliverer does so when it touches it."),
            do(f"To take that back: `paquebot orders --withdraw {order.id}`."),
        )
    standing = suspended_by(around.orders, delivery, around.now_ms)
    if standing is None:
        return ()
    return (
        why(suspended(standing)),
        when(f"It is tried when that ends, {ahead(standing.ends_ms, around.now_ms)}, or when somebody resumes it."),
        do(resume(standing)),
    )


def parked(delivery: Delivery, around: Around) -> str:
    """Return how what waits for the end of a suspension is freed; the suspension may have ended meanwhile."""
    order = next((each for each in around.orders if each.id == delivery.order), None)
    if order is None:
        return "That suspension is over. To let go what waited for it: `paquebot resume` with what was suspended."
    return resume(order)


def hindrances(orders: Iterable[Order]) -> list[Sentence]:
    """Return a sentence for each suspension."""
    return [why(suspended(order)) for order in orders]


def suspended(order: Order) -> str:
    """Say what is suspended, by whom, and why."""
    return f"{order.why[:1].upper()}{order.why[1:]}."


def resume(order: Order) -> str:
    """Say how a suspension is ended."""
    field, value = target(order.selector)
    return f"To send again sooner: `paquebot resume {field.removesuffix('s')} {value}`."
