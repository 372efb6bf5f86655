"""A delivery moves to another pool whole, once, and however it is cut short."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from paquebot.mail.delivery import Plan
from paquebot.mail.order import Action, Order
from paquebot.mail.record import Kind
from paquebot.mail.selector import Selector
from paquebot.mail.steering import carry_out
from paquebot.policy.values import SendingPool
from paquebot.queue import moving
from paquebot.queue.acceptance import Acceptance
from paquebot.queue.bodies import DEFERRED_INLINE_MAX_BYTES, load
from paquebot.queue.events import EventWriter, read_records
from paquebot.queue.inspection import Waiting, list_waiting
from paquebot.queue.jetstream import FenceLostError, JetStream
from paquebot.queue.moving import arrive, is_alone, move
from paquebot.queue.provision import provision
from paquebot.queue.removal import remove_streams
from paquebot.queue.steer import MovingError, steer
from paquebot.queue.subjects import stream_name
from queue_fixtures import POLICY
from queue_making import POOL, delivery, now_ms

OTHER = SendingPool("mail", "other", "out2.example")
SMALL, LARGE = b"content", b"x" * (DEFERRED_INLINE_MAX_BYTES + 1)
STEPS = ("put_in_place", "_copy", "purge", "arrive")


class CutShortError(Exception):
    """What kill -9 is to a command."""


@pytest.fixture
async def events(js: JetStream) -> AsyncIterator[EventWriter]:
    await provision(js, replace(POLICY, pools={POOL: POLICY.pools[POOL], OTHER.token: OTHER}))
    writer = EventWriter(js)
    yield writer
    await writer.drain(1)


def order() -> Order:
    now = now_ms()
    words = {"author": "ann", "reason": "warm up", "given_ms": now, "ends_ms": now + 60_000, "pool": OTHER.token}
    return Order(id="o1", action=Action.REROUTE, selector=Selector(), **words)


async def waiting(js: JetStream, content: bytes = SMALL, ident: str = "m1", n: int = 1) -> Waiting:
    item = delivery(ident, n, next_ms=now_ms() + 3_600_000, reason="greylisted", attempts=2)
    await Acceptance(js).accept(Plan((item,)), content)
    return next(each for each in await list_waiting(js, POOL) if each.delivery.n == n)


async def repeat(js: JetStream, events: EventWriter) -> None:
    """Do what the command does when it is repeated."""
    for each in await list_waiting(js, POOL):
        await move(js, events, order(), each)
    for each in await list_waiting(js, OTHER.token):
        if each.delivery.moving_from and await is_alone(js, each):
            await arrive(js, events, order(), each)


async def arrived(js: JetStream) -> list[Waiting]:
    """Return what is ready in the other pool, when its schedule has fired."""
    found: list[Waiting] = []
    while not found or found[0].state != "ready":
        found = await list_waiting(js, OTHER.token)
    return found


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
async def test_it_is_ready_in_the_other_pool_and_nothing_of_it_is_left(js, events, content: bytes) -> None:
    await move(js, events, order(), await waiting(js, content))
    (found,) = await arrived(js)
    moved = found.delivery
    assert (moved.pool, moved.attempts, moved.is_moving) == (OTHER.token, 2, False)
    assert moved.reason == "moved from pool mail_main by ann: warm up"
    assert (await load(js, moved, moved.body) if moved.body else found.content) == content
    for number in range(4):
        assert await js.read_all(stream_name(POOL, number), f"mq.{POOL}.>") == []
    records = [(each.kind, each.author) async for each in read_records(js, 0)]
    assert records == [(Kind.REROUTED, "ann")]


async def test_what_is_held_stays_held(js, events) -> None:
    found = await waiting(js)
    held = replace(order(), action=Action.HOLD, hold_ms=now_ms() + 3_600_000)
    await steer(js, events, found, carry_out(held, found.delivery, now_ms()))
    (found,) = await list_waiting(js, POOL)
    await move(js, events, order(), found)
    (there,) = await list_waiting(js, OTHER.token)
    assert (there.state, there.delivery.reason) == ("held", "held; moved from pool mail_main by ann: warm up")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
async def test_cut_short_at_any_step_it_is_neither_tried_nor_lost_and_a_repeat_ends_it(
    js, events, monkeypatch, step: str, when: str
) -> None:
    real = getattr(moving, step)

    async def cut(*arguments: object) -> None:
        if when == "after":
            await real(*arguments)
        raise CutShortError

    found = await waiting(js, LARGE)
    with monkeypatch.context() as patch:
        patch.setattr(moving, step, cut)
        with pytest.raises(CutShortError):
            await move(js, events, order(), found)
    left = [*await list_waiting(js, POOL), *await list_waiting(js, OTHER.token)]
    assert left
    live = [each for each in left if not each.delivery.is_moving]
    assert len(live) <= 1
    await repeat(js, events)
    (there,) = await arrived(js)
    assert there.delivery.body is not None
    assert await load(js, there.delivery, there.delivery.body) == LARGE
    assert await list_waiting(js, POOL) == []


async def test_two_operators_move_it_once(js, events) -> None:
    found = await waiting(js, LARGE)
    results = await asyncio.gather(*(move(js, events, order(), found) for _ in range(2)), return_exceptions=True)
    assert [type(each) for each in results if each is not None] == [FenceLostError]
    assert len(await arrived(js)) == 1


async def test_who_comes_upon_a_move_cut_short_while_another_ends_it_makes_no_second(js, events) -> None:
    found = await waiting(js)
    await moving.put_in_place(js, found, moving.leaving(order(), found.delivery, now_ms()))
    (aside,) = await list_waiting(js, POOL)
    results = await asyncio.gather(*(move(js, events, order(), aside) for _ in range(2)), return_exceptions=True)
    assert [type(each) for each in results if each is not None] == [FenceLostError]
    assert len(await arrived(js)) == 1


async def test_nothing_else_is_done_with_what_two_pools_may_hold(js, events) -> None:
    found = await waiting(js)
    await moving.put_in_place(js, found, moving.leaving(order(), found.delivery, now_ms()))
    (aside,) = await list_waiting(js, POOL)
    with pytest.raises(MovingError):
        await steer(js, events, aside, carry_out(replace(order(), action=Action.CANCEL), aside.delivery, now_ms()))


async def test_what_has_left_a_pool_arrives_though_that_pool_was_taken_away_meanwhile(js, events, monkeypatch) -> None:
    async def cut(*_arguments: object) -> None:
        raise CutShortError

    found = await waiting(js)
    with monkeypatch.context() as patch:
        patch.setattr(moving, "arrive", cut)
        with pytest.raises(CutShortError):
            await move(js, events, order(), found)
    assert await remove_streams(js, POOL) == 0
    (copy,) = await list_waiting(js, OTHER.token)
    assert await is_alone(js, copy)


async def test_what_was_going_to_a_pool_that_was_taken_away_goes_to_another(js, events) -> None:
    third = SendingPool("mail", "third", "out3.example")
    await provision(js, replace(POLICY, pools={third.token: third}))
    found = await waiting(js)
    await moving.put_in_place(js, found, moving.leaving(order(), found.delivery, now_ms()))
    assert await remove_streams(js, OTHER.token) == 0
    (aside,) = await list_waiting(js, POOL)
    await move(js, events, replace(order(), pool=third.token), aside)
    (there,) = await list_waiting(js, third.token)
    assert (there.delivery.pool, there.delivery.is_moving) == (third.token, False)


async def test_a_move_cut_short_is_found_by_the_words_that_began_it(js, events) -> None:
    del events  # they have made the other pool
    found = await waiting(js)
    await moving.put_in_place(js, found, moving.leaving(order(), found.delivery, now_ms()))
    (aside,) = await list_waiting(js, POOL, selector=Selector(replies=("greylisted",)))
    assert aside.delivery.moving_to == OTHER.token
