"""What an alarm leads to: as far as evidence and policy go, and orders that are like those of people."""

import asyncio
import time
from dataclasses import replace

import pytest

from paquebot.mail.order import Action, Order, only
from paquebot.mail.origin import Origin
from paquebot.mail.record import Kind
from paquebot.mail.verdict import Reason
from paquebot.policy.takeover import TakeoverAction
from paquebot.queue.events import EventWriter, read_records
from paquebot.queue.jetstream import JetStream
from paquebot.queue.orders import give_order, read_orders
from paquebot.spamfilter.history.response import SUSPENDED_MS, Response, allowed, orders_for
from paquebot.spamfilter.history.standing import Standing, Step
from queue_fixtures import Connect

ORIGIN = Origin("id", "shop", "orders")
NOW_MS = 1_700_000_000_000
STANDING = Standing(
    behaviour=(Reason("own_rate", 2.0, "It sent 90 messages."),), alarm=Step.CANCEL, since_s=NOW_MS / 1000
)


@pytest.mark.parametrize(
    ("evidence", "action", "step"),
    [
        (None, TakeoverAction.CANCEL, None),
        (Step.CANCEL, TakeoverAction.OBSERVE, None),
        (Step.SLOW, TakeoverAction.HOLD, Step.SLOW),
        (Step.CANCEL, TakeoverAction.HOLD, Step.HOLD),
        (Step.CANCEL, TakeoverAction.SUSPEND, Step.SUSPEND),
        (Step.HOLD, TakeoverAction.CANCEL, Step.HOLD),
        (Step.CANCEL, TakeoverAction.CANCEL, Step.CANCEL),
    ],
)
def test_no_step_goes_beyond_the_evidence_or_the_policy(
    evidence: Step | None, action: TakeoverAction, step: Step | None
) -> None:
    assert allowed(replace(STANDING, alarm=evidence), action) == step


def test_holding_needs_no_order_and_cancelling_is_what_came_since_the_change() -> None:
    assert orders_for(ORIGIN, STANDING.since_s, Step.HOLD, NOW_MS) == ()
    (alone,) = orders_for(ORIGIN, STANDING.since_s, Step.SUSPEND, NOW_MS)
    assert (alone.action, alone.what, alone.ends_ms) == (
        Action.SUSPEND,
        "credential shop.orders",
        NOW_MS + SUSPENDED_MS,
    )
    suspension, cancellation = orders_for(ORIGIN, NOW_MS / 1000 - 60, Step.CANCEL, NOW_MS)
    assert (cancellation.action, cancellation.selector.younger_ms) == (Action.CANCEL, 61_000)
    assert cancellation.id.startswith("takeover.")
    assert cancellation.ends_ms > suspension.ends_ms


async def test_the_filter_suspends_a_credential_and_says_so(js: JetStream, connect: Connect) -> None:
    own = await connect("spamfilter")
    response = Response(own, EventWriter(own))
    response.to(ORIGIN, STANDING, Step.CANCEL)
    await response.background.drain(30)
    await response.events.drain(30)
    given = await read_orders(js, int(time.time() * 1000))
    assert {order.action for order in given} == {Action.SUSPEND, Action.CANCEL}
    records = [record async for record in read_records(js, 0)]
    assert {(each.kind, each.credential, each.author) for each in records} == {
        (Kind.ALARMED, "orders", "the spam filter"),
        (Kind.SUSPENDED, "orders", "the spam filter"),
    }
    assert "It sent 90 messages." in {each.reason for each in records}


async def test_without_a_step_it_is_told_and_nothing_done(js: JetStream, connect: Connect) -> None:
    own = await connect("spamfilter")
    response = Response(own, EventWriter(own))
    response.to(ORIGIN, STANDING, None)
    await response.events.drain(30)
    assert await read_orders(js, int(time.time() * 1000)) == ()
    assert [record.kind async for record in read_records(js, 0)] == [Kind.ALARMED]


async def test_a_longer_suspension_by_a_person_stays(js: JetStream, connect: Connect) -> None:
    now_ms = int(time.time() * 1000)
    longer = Order(
        id="1",
        action=Action.SUSPEND,
        selector=only("credential", "shop.orders"),
        author="ann",
        reason="on leave",
        given_ms=now_ms,
        ends_ms=now_ms + 2 * SUSPENDED_MS,
    )
    await give_order(js, longer)
    own = await connect("spamfilter")
    response = Response(own, EventWriter(own))
    response.to(ORIGIN, STANDING, Step.SUSPEND)
    await asyncio.gather(response.background.drain(30), response.events.drain(30))
    assert await read_orders(js, now_ms) == (longer,)
