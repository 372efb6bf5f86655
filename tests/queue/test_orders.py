"""Orders are kept, followed, and end."""

import asyncio
import json
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from paquebot.mail.order import Action, Order, only
from paquebot.mail.selector import Selector
from paquebot.queue import orders as door
from paquebot.queue.buckets import Bucket
from paquebot.queue.jetstream import JetStream
from paquebot.queue.members import Heartbeat, Member
from paquebot.queue.orders import (
    TooManyOrdersError,
    follow_orders,
    give_order,
    known_everywhere,
    read_orders,
    withdraw_order,
)
from queue_making import now_ms


def suspension(name: str = "shop", lasts_ms: int = 60_000, **changes: object) -> Order:
    given = now_ms()
    values = {"id": f"o-{name}", "author": "ann", "reason": "incident 42", "given_ms": given}
    values |= {"action": Action.SUSPEND, "selector": only("tenant", name), "ends_ms": given + lasts_ms}
    return Order(**(values | changes))


def cancellation(ident: str = "o-1") -> Order:
    selector = Selector(domains=("b.example",), tags=("campaign=spring",), older_ms=5)
    return suspension(id=ident, action=Action.CANCEL, selector=selector)


async def test_an_order_is_read_as_it_was_given(js: JetStream) -> None:
    first, second = suspension(), replace(cancellation(), given_ms=now_ms() + 5)
    await give_order(js, second)
    await give_order(js, first)
    assert await read_orders(js, now_ms()) == (first, second)


async def test_an_order_ends_at_its_time(js: JetStream) -> None:
    order = suspension(lasts_ms=1000)
    await give_order(js, order)
    assert await read_orders(js, order.ends_ms) == ()
    stored = await js.get_last("KV_orders", "$KV.orders.suspend.tenants.shop")
    assert stored is not None
    assert stored.headers["Nats-TTL"] == "61s"


async def test_a_suspension_that_is_repeated_stands_once_and_one_that_is_withdrawn_is_gone(js: JetStream) -> None:
    await give_order(js, suspension())
    longer = suspension(lasts_ms=90_000)
    await give_order(js, longer)
    assert await read_orders(js, now_ms()) == (longer,)
    await withdraw_order(js, longer)
    await withdraw_order(js, longer)
    assert await read_orders(js, now_ms()) == ()


@pytest.mark.parametrize("field", ["order", "selector"])
async def test_an_order_that_cannot_be_read_whole_is_not_obeyed(js: JetStream, field: str) -> None:
    await give_order(js, cancellation())
    bucket = Bucket(js, "orders")
    entry = json.loads(await bucket.get("o-1") or b"")
    (entry if field == "order" else entry["selector"])["weekday"] = "monday"
    await bucket.put("o-1", json.dumps(entry).encode())
    with capture_logs() as logs:
        assert await read_orders(js, now_ms()) == ()
    assert logs[0]["event"] == "an order cannot be read and is not obeyed"


async def test_more_orders_than_a_deliverer_should_look_at_are_refused(js: JetStream, monkeypatch) -> None:
    monkeypatch.setattr(door, "ORDERS_MAX", 1)
    await give_order(js, suspension())
    await give_order(js, suspension(lasts_ms=90_000))  # in place of the first
    with pytest.raises(TooManyOrdersError, match="1 orders are in force"):
        await give_order(js, suspension("news"))


async def test_a_deliverer_follows_them_and_tells_how_far(js: JetStream, connect) -> None:
    heartbeat = Heartbeat(await connect("deliverer"), Member("pod-1", "deliverer"))
    await heartbeat.beat()
    seen: list[tuple[Order, ...]] = []
    seq = await give_order(js, suspension())
    assert not await known_everywhere(js, seq, 0.1)
    following = asyncio.create_task(follow_orders(heartbeat.js, heartbeat, seen.append))
    assert await known_everywhere(js, seq, 10)
    assert [order.id for order in seen[-1]] == ["o-shop"]
    assert await known_everywhere(js, await withdraw_order(js, suspension()), 10)
    assert seen[-1] == ()
    following.cancel()


async def test_where_nobody_delivers_nobody_needs_to_know(js: JetStream) -> None:
    await Heartbeat(js, Member("pod-1", "router")).beat()
    assert await known_everywhere(js, 7, 0)
