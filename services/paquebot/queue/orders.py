"""Orders in the bucket `orders`: given by commands, followed by deliverers, gone by themselves when they end.

An order that cannot be read whole is not obeyed: a field that is passed over would widen its selector.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from typing import Any

import structlog

from paquebot.mail.order import Action, Order, target
from paquebot.mail.selector import Selector
from paquebot.queue.buckets import Bucket
from paquebot.queue.jetstream import ApiError, JetStream, QueueFullError, QueueUnavailableError
from paquebot.queue.members import Heartbeat, members
from paquebot.queue.subjects import site_token

BUCKET = "orders"
ORDERS_MAX = 1000
LINGER_S = 60  # clocks differ
ACT_FOR_MS = 24 * 3_600_000  # how long an order waits for what is ready, or in a deliverer's hands
LOOK_S = 0.1
LOG = structlog.get_logger()


class TooManyOrdersError(Exception):
    """More orders are in force than a deliverer should look at for each delivery."""


def key_of(order: Order) -> str:
    """Return where an order lies: a suspension has one place, so that repeating it makes no second."""
    if order.action is not Action.SUSPEND:
        return order.id
    field, value = target(order.selector)
    return f"suspend.{field}.{site_token(value)}"


async def give_order(js: JetStream, order: Order) -> int:
    """Write an order; return the sequence from which on it is known. Raise TooManyOrdersError."""
    bucket = Bucket(js, BUCKET)
    key = key_of(order)
    known = await bucket.snapshot()
    if key not in known and len(known) >= ORDERS_MAX:
        raise TooManyOrdersError(f"{len(known)} orders are in force: withdraw some, or let them end")
    ttl_s = max(1, (order.ends_ms - order.given_ms) // 1000) + LINGER_S
    return await bucket.put(key, json.dumps(asdict(order)).encode(), ttl_s)


async def withdraw_order(js: JetStream, order: Order) -> int:
    """Take an order away; return the sequence from which on that is known. A repeat is harmless."""
    return await Bucket(js, BUCKET).delete(key_of(order))


async def read_orders(js: JetStream, now_ms: int) -> tuple[Order, ...]:
    """Return the orders that are in force, in the order they were given."""
    orders = _decode((await Bucket(js, BUCKET).snapshot()).items())
    return tuple(order for order in orders if order.ends_ms > now_ms)


async def follow_orders(js: JetStream, heartbeat: Heartbeat, on_orders: Callable[[tuple[Order, ...]], None]) -> None:
    """Hand over the orders now and after each change, for ever; tell the members at once how far we know them."""
    async for entries, seq in Bucket(js, BUCKET).changes():
        on_orders(_decode(entries.items()))
        heartbeat.knows_orders(seq)
        with contextlib.suppress(QueueUnavailableError, QueueFullError, ApiError):
            await heartbeat.beat()


async def known_everywhere(js: JetStream, seq: int, timeout_s: float) -> bool:
    """Wait until every deliverer obeys the orders up to `seq`; return False when one does not in time."""
    end = asyncio.get_running_loop().time() + timeout_s
    while any(member.orders < seq for member in await members(js) if member.service == "deliverer"):
        if asyncio.get_running_loop().time() > end:
            return False
        await asyncio.sleep(LOOK_S)
    return True


def _decode(entries: Iterable[tuple[str, bytes]]) -> tuple[Order, ...]:
    orders = []
    for key, value in entries:
        try:
            entry = json.loads(value)
            selector = _selector(entry.pop("selector"))
            orders.append(Order(action=Action(entry.pop("action")), selector=selector, **entry))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            LOG.error("an order cannot be read and is not obeyed", key=key, error=str(error))  # noqa: TRY400
    return tuple(sorted(orders, key=lambda order: order.given_ms))


def _selector(entry: dict[str, Any]) -> Selector:
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()}
    return replace(Selector(), **values)  # type: ignore[arg-type]  # a TypeError for a field that we do not know
