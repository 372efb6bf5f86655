"""Suspended credentials say so in a condition, for as long as they are, with the cure."""

import time
from dataclasses import replace

from paquebot.mail.order import Action, Order, only
from paquebot.queue.jetstream import JetStream, QueueUnavailableError
from paquebot.queue.orders import give_order, withdraw_order
from paquebot_operator.conditions import Report
from paquebot_operator.credentials.suspensions import LOOK_S, ORDERS, Suspensions
from paquebot_operator.names import Key

NOW_MS = int(time.time() * 1000)
ORDER = Order(
    id="1",
    action=Action.SUSPEND,
    selector=only("credential", "shop.orders"),
    author="the spam filter",
    reason="its mail is unlike what it sent before",
    given_ms=NOW_MS,
    ends_ms=NOW_MS + 3_600_000,
)
ENTRY = {"metadata": {"namespace": "shop", "name": "orders"}}
KEY = Key("SMTPCredential", "shop", "orders")


async def test_a_suspension_is_told_while_it_stands(js: JetStream) -> None:
    changed: list[Key] = []

    async def connected() -> JetStream:
        return js

    suspensions = Suspensions(connected, changed.append)
    assert await suspensions.look(ORDERS) == LOOK_S
    assert (suspensions.report(ENTRY), changed) == (Report(), [])
    await give_order(js, ORDER)
    await give_order(js, replace(ORDER, id="2", selector=only("tenant", "news")))
    await suspensions.look(ORDERS)
    (condition,) = suspensions.report(ENTRY).conditions
    assert (condition.type, condition.status, condition.reason) == ("Active", "False", "Suspended")
    assert "by the spam filter: its mail is unlike what it sent before" in condition.message
    assert "`paquebot resume credential shop.orders`" in condition.message
    await suspensions.look(ORDERS)
    assert changed == [KEY]
    await withdraw_order(js, ORDER)
    await suspensions.look(ORDERS)
    assert (suspensions.report(ENTRY), changed) == (Report(), [KEY, KEY])


async def test_without_a_queue_what_was_known_stays() -> None:
    async def connected() -> JetStream:
        raise QueueUnavailableError("nobody")

    suspensions = Suspensions(connected, lambda _key: None)
    assert await suspensions.look(ORDERS) == LOOK_S
