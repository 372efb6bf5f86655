"""Labels reach the delta once, whoever reads them; releases of a family let it through, for its tenant alone."""

import asyncio
from dataclasses import replace

import pytest

from paquebot.mail.record import Kind, Record
from paquebot.queue.events import EventWriter
from paquebot.queue.jetstream import JetStream
from paquebot.queue.reputation import Shelf
from paquebot.spamfilter.judged import Judged, Label
from paquebot.spamfilter.learning import JUDGED, NOTES_MAX, Learning, Notes
from queue_fixtures import connect, identities, js, nats
from tests_support import wait_for

__all__ = ["connect", "identities", "js", "nats"]
WORDS = tuple(range(200))
RELEASED = Label(is_wanted=True, weight=1.0)


@pytest.fixture
async def learning(js: JetStream, connect) -> Learning:
    """As the spam filter's own identity, which may do no more."""
    del js
    return Learning.of(await connect("spamfilter"))


async def kept(learning: Learning, ident: str, tenant: str = "shop", **more: bool) -> None:
    learning.notes.take(tenant, ident, Judged(2.5, WORDS, **more), 60)
    await learning.notes.store()


async def learned(learning: Learning, tenant: str = "shop") -> float:
    await learning.taught.catch_up()
    return learning.taught.of(tenant).logit(WORDS)


async def test_a_release_teaches_its_tenant_and_nobody_else(learning: Learning) -> None:
    await kept(learning, "m1")
    assert await learning.teacher.learn("shop", "m1", RELEASED)
    assert await learned(learning) < -0.5
    assert await learned(learning, "news") == 0.0


async def test_a_message_is_learned_once_whoever_reads_of_it(learning: Learning, connect) -> None:
    await kept(learning, "m1")
    other = Learning.of(await connect("spamfilter")).teacher
    done = await asyncio.gather(*(each.learn("shop", "m1", RELEASED) for each in (learning.teacher, other) * 3))
    assert sum(done) == 1
    await learning.taught.catch_up()
    assert learning.taught.of("shop").lessons == 1


async def test_a_weightier_word_is_heard_after_a_lighter_one(learning: Learning) -> None:
    await kept(learning, "m1")
    assert await learning.teacher.learn("shop", "m1", Label(is_wanted=False, weight=0.5))
    assert await learning.teacher.learn("shop", "m1", RELEASED)
    assert not await learning.teacher.learn("shop", "m1", Label(is_wanted=False, weight=0.5))


async def test_what_was_released_under_an_alarm_or_is_not_known_teaches_nothing(learning: Learning) -> None:
    await kept(learning, "m1", alarmed=True)
    assert not await learning.teacher.learn("shop", "m1", RELEASED)
    assert not await learning.teacher.learn("shop", "m2", RELEASED)
    assert await learned(learning) == 0.0


async def test_two_replicas_that_teach_one_tenant_lose_no_lesson(learning: Learning, connect) -> None:
    for number in range(4):
        await kept(learning, f"m{number}")
    teachers = (learning.teacher, Learning.of(await connect("spamfilter")).teacher)
    await asyncio.gather(*(teachers[n % 2].learn("shop", f"m{n}", RELEASED) for n in range(4)))
    await learning.taught.catch_up()
    assert learning.taught.of("shop").lessons == 4


async def test_what_the_events_say_is_learned_and_seen_by_every_replica(learning: Learning, js: JetStream) -> None:
    await kept(learning, "m1")
    events = EventWriter(js)
    record = Record(Kind.RELEASED, 1, "m1", 1, "shop", ("a@b.example",), author="ann")
    for each in (replace(record, author=""), record, replace(record, n=2)):
        await events.add(each)
    running = asyncio.create_task(learning.run())
    await wait_for(lambda: learning.taught.of("shop").lessons == 1, 20)
    running.cancel()


async def test_a_repeat_of_a_message_does_not_undo_what_it_taught(learning: Learning) -> None:
    await kept(learning, "m1")
    await learning.teacher.learn("shop", "m1", RELEASED)
    await kept(learning, "m1")
    assert not await learning.teacher.learn("shop", "m1", RELEASED)


async def test_a_tenant_that_is_forgotten_has_taught_nothing(learning: Learning, js: JetStream) -> None:
    await kept(learning, "m1")
    await learning.teacher.learn("shop", "m1", RELEASED)
    assert await learned(learning) < 0.0
    await js.publish("$KV.deltas.shop", b"", {"KV-Operation": "DEL"})
    assert await learned(learning) == 0.0


def test_notes_that_nobody_can_store_are_bounded(js: JetStream) -> None:
    notes = Notes(Shelf(js, JUDGED))
    for number in range(NOTES_MAX + 5):
        notes.take("shop", f"m{number}", Judged(0.0, (1,)), 0)
    assert len(notes.waiting) == NOTES_MAX
