"""Who takes an item from other hands learns whether it is settled, in doubt, or was never begun."""

from dataclasses import replace

from paquebot.queue.jetstream import JetStream
from paquebot.queue.journal import ENDED, HELD_FOR_MS, Past, held_as_poison, note, past_of
from paquebot.queue.payload import encode
from paquebot.queue.schedule import schedule_headers
from paquebot.queue.subjects import deferred_subject
from paquebot.wire.delivery import Item
from queue_making import POOL, delivery, now_ms


async def test_of_an_item_that_nobody_began_nothing_is_known(js: JetStream) -> None:
    assert await past_of(js, POOL, delivery()) == Past()


async def test_an_attempt_that_began_and_did_not_end_was_a_crash(js: JetStream) -> None:
    item = delivery(crashes=1)
    await note(js, POOL, item)
    await js.client.flush()
    assert await past_of(js, POOL, item) == Past(crashes=2)
    assert await past_of(js, POOL, replace(item, attempts=1)) == Past()  # the note is of the attempt before


async def test_an_attempt_that_ended_before_the_final_dot_was_none(js: JetStream) -> None:
    await note(js, POOL, delivery())
    await note(js, POOL, delivery(), ENDED)
    await js.client.flush()
    assert await past_of(js, POOL, delivery()) == Past()


async def test_what_waits_for_its_next_try_is_settled(js: JetStream) -> None:
    waits = delivery(attempts=1, next_ms=now_ms() + 3_600_000)
    await js.publish(deferred_subject(waits), encode(Item((waits,)), b""), schedule_headers(waits))
    assert (await past_of(js, POOL, delivery())).is_settled


def test_poison_is_held_for_a_week_and_says_why() -> None:
    held = held_as_poison(delivery(crashes=3), 1000)
    assert (held.held, held.next_ms) == (True, 1000 + HELD_FOR_MS)
    assert held.reason.startswith("poison: 3 attempts ended in a crash")
