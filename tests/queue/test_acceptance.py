"""One publish commits a message; it is stored once, however often it is tried."""

import asyncio

import pytest

from paquebot.mail.delivery import Plan
from paquebot.queue.acceptance import Acceptance
from paquebot.queue.bodies import CHUNK_MAX_BYTES, DEFERRED_INLINE_MAX_BYTES, INLINE_MAX_BYTES, load
from paquebot.queue.inspection import list_waiting
from paquebot.queue.jetstream import JetStream, QueueUnavailableError
from paquebot.queue.server import NatsServer
from queue_making import POOL, delivery, now_ms
from tests_support import wait_for


async def test_a_single_delivery_is_one_ready_item(js: JetStream) -> None:
    await Acceptance(js).accept(Plan((delivery(),)), b"content")
    (found,) = await list_waiting(js, POOL)
    assert (found.state, found.delivery, found.content) == ("ready", delivery_like(found.delivery), b"content")


def delivery_like(found):
    return delivery(accepted_ms=found.accepted_ms, expires_ms=found.expires_ms)


async def test_several_deliveries_are_one_item_too(js: JetStream) -> None:
    plan = Plan((delivery(), delivery(n=2, site="c.example"), delivery(n=3, site="d.example")))
    await Acceptance(js).accept(plan, b"content")
    found = await list_waiting(js, POOL)
    assert [each.delivery.n for each in found] == [1, 2, 3]
    assert len({each.seq for each in found}) == 1


async def test_a_held_delivery_waits_from_the_beginning(js: JetStream) -> None:
    held = delivery(held=True, next_ms=now_ms() + 3_600_000, reason="looks like spam")
    await Acceptance(js).accept(Plan((held,)), b"content")
    (found,) = await list_waiting(js, POOL)
    assert (found.state, found.delivery.reason) == ("held", "looks like spam")


@pytest.mark.parametrize(("size", "apart"), [(DEFERRED_INLINE_MAX_BYTES, False), (DEFERRED_INLINE_MAX_BYTES + 1, True)])
async def test_what_waits_from_the_beginning_keeps_a_large_content_apart(js: JetStream, size: int, apart: bool) -> None:
    held = delivery(held=True, next_ms=now_ms() + 3_600_000)
    await Acceptance(js).accept(Plan((held,)), b"x" * size)
    (found,) = await list_waiting(js, POOL)
    body = found.delivery.body
    assert (body is not None) is apart
    assert (await load(js, found.delivery, body) if body else found.content) == b"x" * size


async def test_a_large_content_is_stored_apart_before_the_commit(js: JetStream) -> None:
    content = bytes(range(256)) * 4096 * 2 + b"end"
    assert len(content) > CHUNK_MAX_BYTES > INLINE_MAX_BYTES
    await Acceptance(js).accept(Plan((delivery(),)), content)
    (found,) = await list_waiting(js, POOL)
    assert found.content == b""
    body = found.delivery.body
    assert body is not None
    assert body.chunks == 3
    assert await load(js, found.delivery, body) == content


async def test_accepting_twice_stores_once(js: JetStream) -> None:
    for _ in range(2):
        await Acceptance(js).accept(Plan((delivery(),)), b"content")
    assert len(await list_waiting(js, POOL)) == 1


async def test_a_server_that_is_killed_and_comes_back_has_it_once(js: JetStream, nats: NatsServer) -> None:
    nats.kill()
    accepting = asyncio.create_task(Acceptance(js).accept(Plan((delivery(),)), b"content"))
    await asyncio.sleep(1)
    await asyncio.to_thread(nats.start)
    await accepting
    assert len(await list_waiting(js, POOL)) == 1


async def test_a_kill_in_the_middle_of_many_keeps_each_once(js: JetStream, nats: NatsServer) -> None:
    contents = {f"m{number}": b"x" * (300_000 if number % 50 == 0 else 2_000) for number in range(300)}
    plans = [Plan((delivery(ident, site=f"d{ident}.example"),)) for ident in contents]
    accepting = [asyncio.create_task(Acceptance(js).accept(plan, contents[plan.deliveries[0].id])) for plan in plans]
    await wait_for(lambda: any(each.done() for each in accepting))
    nats.kill()
    assert not all(each.done() for each in accepting)
    await asyncio.to_thread(nats.start)
    await asyncio.gather(*accepting)
    found = await list_waiting(js, POOL)
    assert sorted(each.delivery.id for each in found) == sorted(contents)
    for each in found:
        content = await load(js, each.delivery, each.delivery.body) if each.delivery.body else each.content
        assert content == contents[each.delivery.id]


async def test_without_a_server_the_deadline_ends_it(js: JetStream, nats: NatsServer) -> None:
    nats.kill()
    with pytest.raises(QueueUnavailableError):
        await Acceptance(js, deadline_s=1).accept(Plan((delivery(),)), b"content")
