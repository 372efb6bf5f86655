"""Single deliveries can be steered, unless they moved meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from paquebot.mail.delivery import Plan
from paquebot.mail.order import Action, Order
from paquebot.mail.record import Kind
from paquebot.mail.selector import Selector
from paquebot.mail.steering import carry_out
from paquebot.queue.acceptance import Acceptance
from paquebot.queue.bodies import DEFERRED_INLINE_MAX_BYTES, load
from paquebot.queue.events import EventWriter, read_records
from paquebot.queue.inspection import Waiting, find, list_waiting
from paquebot.queue.jetstream import FenceLostError, JetStream
from paquebot.queue.steer import AlreadyReadyError, steer
from paquebot.queue.subjects import slice_of, stream_name
from queue_making import POOL, delivery, now_ms

HOUR_MS = 3_600_000


async def waiting(js: JetStream, content: bytes = b"content") -> Waiting:
    item = delivery(next_ms=now_ms() + HOUR_MS, reason="greylisted", attempts=2)
    await Acceptance(js).accept(Plan((item,)), content)
    (found,) = await find(js, POOL, "m1")
    return found


@pytest.fixture
async def events(js: JetStream) -> AsyncIterator[EventWriter]:
    writer = EventWriter(js)
    yield writer
    await writer.drain(1)


def order(action: Action, reason: str = "incident 42") -> Order:
    now = now_ms()
    ends = now + HOUR_MS
    return Order(
        id="o1",
        action=action,
        selector=Selector(),
        author="ann",
        reason=reason,
        given_ms=now,
        ends_ms=ends,
        hold_ms=ends,
    )


async def carried(events: EventWriter, found: Waiting, action: Action, reason: str = "incident 42") -> None:
    await steer(events.js, events, found, carry_out(order(action, reason), found.delivery, now_ms()))


async def kinds(js: JetStream) -> list[tuple[Kind, str]]:
    return [(record.kind, record.author) async for record in read_records(js, 0)]


async def test_hold_then_release(js: JetStream, events: EventWriter) -> None:
    await carried(events, await waiting(js), Action.HOLD)
    (held,) = await find(js, POOL, "m1")
    assert (held.state, held.delivery.reason, held.content) == ("held", "held by ann: incident 42", b"content")
    await carried(events, held, Action.RELEASE)
    free: list[Waiting] = []
    while not free or free[0].state != "ready":  # its schedule fires
        free = await find(js, POOL, "m1")
    assert await kinds(js) == [(Kind.HELD, "ann"), (Kind.RELEASED, "ann")]


async def test_retry_makes_it_ready_in_one_step(js: JetStream, events: EventWriter) -> None:
    await carried(events, await waiting(js), Action.RETRY)
    (found,) = await list_waiting(js, POOL)
    assert (found.state, found.delivery.attempts, found.content) == ("ready", 2, b"content")


async def test_cancel_takes_it_away_with_its_content(js: JetStream, events: EventWriter) -> None:
    found = await waiting(js, b"x" * (DEFERRED_INLINE_MAX_BYTES + 1))
    await carried(events, found, Action.CANCEL)
    assert await list_waiting(js, POOL) == []
    assert await js.read_all(stream_name(POOL, slice_of(found.delivery.partition)), "mq.*.*.b.>") == []
    assert await kinds(js) == [(Kind.CANCELLED, "ann")]


async def test_a_cancel_cut_short_leaves_it_held_and_a_repeat_ends_it(js, events, monkeypatch) -> None:
    async def stored(_self: EventWriter, _record: object) -> None:
        raise asyncio.CancelledError

    found = await waiting(js)
    with monkeypatch.context() as patch:
        patch.setattr(EventWriter, "add", stored)
        with pytest.raises(asyncio.CancelledError):
            await carried(events, found, Action.CANCEL)
    (left,) = await find(js, POOL, "m1")
    assert (left.state, left.delivery.reason) == (
        "held",
        "being cancelled by ann: cancel it again, it was not finished",
    )
    await carried(events, left, Action.CANCEL)
    assert await list_waiting(js, POOL) == []


@pytest.mark.parametrize("first", [Action.HOLD, Action.RETRY, Action.CANCEL])
@pytest.mark.parametrize("second", [Action.HOLD, Action.RETRY, Action.REQUEUE, Action.CANCEL])
async def test_of_two_operators_the_second_is_told(js, events, first: Action, second: Action) -> None:
    found = await waiting(js)
    await carried(events, found, first)
    before = await list_waiting(js, POOL)
    with pytest.raises(FenceLostError):
        await carried(events, found, second)
    assert await list_waiting(js, POOL) == before
    assert len(await kinds(js)) == 1


async def test_two_operators_at_once_are_one_after_the_other(js, events) -> None:
    found = await waiting(js)
    both = [carried(events, found, Action.HOLD, reason) for reason in ("ours", "theirs")]
    results = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(each).__name__ for each in results) == ["FenceLostError", "NoneType"]
    assert len(await kinds(js)) == 1


async def test_what_is_ready_is_not_steered_for_its_subject_is_its_sites(js, events) -> None:
    for ident in ("m1", "m2"):
        await Acceptance(js).accept(Plan((delivery(ident),)), b"content")
    (found,) = await find(js, POOL, "m1")
    for action in (Action.CANCEL, Action.HOLD, Action.RETRY):
        with pytest.raises(AlreadyReadyError):
            await carried(events, found, action)
    assert [each.state for each in await list_waiting(js, POOL)] == ["ready", "ready"]
    assert await kinds(js) == []


async def test_what_was_requeued_begins_again(js, events) -> None:
    await carried(events, await waiting(js), Action.REQUEUE)
    (found,) = await list_waiting(js, POOL)
    expected = replace(found.delivery, attempts=0, next_ms=0, reason="requeued by ann: incident 42")
    assert found.delivery == expected


async def test_a_longer_life_keeps_the_content_as_long(js, events) -> None:
    content = b"x" * (DEFERRED_INLINE_MAX_BYTES + 1)
    found = await waiting(js, content)
    stream = stream_name(POOL, slice_of(found.delivery.partition))
    ttls = [message.headers["Nats-TTL"] for message in await js.read_all(stream, "mq.*.*.b.>")]
    later = replace(order(Action.REQUEUE), fresh_expiry=True)
    again = carry_out(later, found.delivery, found.delivery.accepted_ms + 1_800_000)
    await steer(js, events, found, again)
    renewed = [message.headers["Nats-TTL"] for message in await js.read_all(stream, "mq.*.*.b.>")]
    assert [int(after[:-1]) - int(before[:-1]) for before, after in zip(ttls, renewed, strict=True)] == [1800, 1800]
    (ready,) = await list_waiting(js, POOL)
    assert ready.delivery.body is not None
    assert await load(js, ready.delivery, ready.delivery.body) == content
