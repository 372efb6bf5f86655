"""Single deliveries can be looked at and steered, unless they moved meanwhile."""

import pytest

from paquebot.mail.delivery import Plan
from paquebot.queue.acceptance import Acceptance
from paquebot.queue.inspection import AlreadyReadyError, cancel, find, hold, list_waiting, release, retry_now
from paquebot.queue.jetstream import FenceLostError, JetStream
from paquebot.queue.subjects import ready_subject
from queue_making import POOL, delivery, now_ms


async def waiting(js: JetStream):
    item = delivery(next_ms=now_ms() + 3_600_000, reason="greylisted", attempts=2)
    await Acceptance(js).accept(Plan((item,)), b"content")
    (found,) = await find(js, POOL, "m1")
    return found


async def test_a_waiting_delivery_is_found_by_its_id(js: JetStream) -> None:
    found = await waiting(js)
    assert (found.state, found.delivery.reason, found.content) == ("deferred", "greylisted", b"content")
    assert await find(js, POOL, "m1", "2") == []


async def test_hold_then_release(js: JetStream) -> None:
    await hold(js, await waiting(js), now_ms() + 3_600_000, "incident 42")
    (held,) = await find(js, POOL, "m1")
    assert (held.state, held.delivery.reason) == ("held", "incident 42")
    await release(js, held, now_ms() + 1_000_000)
    (free,) = await find(js, POOL, "m1")
    assert free.state == "deferred"


async def test_retry_now_makes_it_ready_in_one_step(js: JetStream) -> None:
    await retry_now(js, await waiting(js))
    (found,) = await list_waiting(js, POOL)
    assert (found.state, found.delivery.attempts, found.content) == ("ready", 2, b"content")


async def test_cancel_takes_it_away(js: JetStream) -> None:
    await cancel(js, await waiting(js))
    assert await list_waiting(js, POOL) == []


async def test_what_moved_meanwhile_is_not_touched(js: JetStream) -> None:
    found = await waiting(js)
    await hold(js, found, now_ms() + 3_600_000, "first")
    with pytest.raises(FenceLostError):
        await hold(js, found, now_ms() + 3_600_000, "second")


async def test_cancelling_what_fired_meanwhile_is_refused_and_keeps_its_content(js: JetStream) -> None:
    found = await waiting(js)
    await retry_now(js, found)
    with pytest.raises(FenceLostError):
        await cancel(js, found)
    assert len(await list_waiting(js, POOL)) == 1


async def test_what_is_ready_is_not_steered_for_its_subject_is_its_sites(js: JetStream) -> None:
    for ident in ("m1", "m2"):
        await Acceptance(js).accept(Plan((delivery(ident),)), b"content")
    (found,) = await find(js, POOL, "m1")
    with pytest.raises(AlreadyReadyError):
        await cancel(js, found)
    with pytest.raises(AlreadyReadyError):
        await hold(js, found, now_ms() + 3_600_000, "incident 42")
    with pytest.raises(AlreadyReadyError):
        await retry_now(js, found)
    assert [each.state for each in await list_waiting(js, POOL)] == ["ready", "ready"]


async def test_an_item_of_another_release_does_not_hide_the_others(js: JetStream) -> None:
    item = delivery("m2")
    await js.publish(ready_subject(item), b"\xff\x00\x00\x00\x00")
    await waiting(js)
    assert [each.delivery.id for each in await list_waiting(js, POOL)] == ["m1"]
