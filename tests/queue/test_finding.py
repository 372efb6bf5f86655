"""A message is found in the queue wherever it waits, among any number of others."""

from paquebot.mail.delivery import Plan
from paquebot.queue.acceptance import Acceptance
from paquebot.queue.finding import Found, find_ready, find_waiting
from paquebot.queue.jetstream import BATCH, JetStream
from queue_making import POOL, delivery, now_ms


async def accept(js: JetStream, *plans: Plan) -> None:
    for plan in plans:
        await Acceptance(js).accept(plan, b"content")


async def test_what_waits_for_its_time_is_found_by_its_id_alone(js: JetStream) -> None:
    wanted = delivery("m1", reason="greylisted", attempts=2, next_ms=now_ms() + 3_600_000)
    other = delivery("m2", next_ms=now_ms() + 3_600_000)
    await accept(js, Plan((wanted,)), Plan((other,)))
    assert await find_waiting(js, (POOL,), "m1") == [Found(wanted, ready=False)]
    assert await find_waiting(js, (POOL,), "m3") == []
    assert await find_ready(js, (POOL,), "m1", 0) == []


async def test_what_is_ready_is_found_behind_many_others(js: JetStream) -> None:
    begun_ms = now_ms()
    others = [Plan((delivery(f"x{number}"),)) for number in range(BATCH + 10)]
    await accept(js, *others, Plan((wanted := delivery("m1"),)))
    assert await find_ready(js, (POOL,), "m1", begun_ms) == [Found(wanted, ready=True)]
    assert await find_ready(js, (POOL,), "m1", now_ms() + 60_000) == []
    assert await find_waiting(js, (POOL,), "m1") == []


async def test_a_message_that_is_not_expanded_yet_is_one_split_item(js: JetStream) -> None:
    await accept(js, Plan((delivery("m1", 1), delivery("m1", 2, site="c.example"))))
    found = await find_ready(js, (POOL,), "m1", 0)
    assert [(each.delivery.n, each.ready, each.split) for each in found] == [(1, True, True), (2, True, True)]
