"""Who takes an item from other hands learns what became of it, also from the release before."""

import asyncio
import json
from dataclasses import replace

import pytest

from paquebot.queue.aftermath import Aftermath
from paquebot.queue.jetstream import JetStream
from paquebot.queue.journal import Journal
from paquebot.queue.notes import UNTOUCHED, Note, Past
from paquebot.queue.payload import encode
from paquebot.queue.schedule import schedule_headers
from paquebot.queue.subjects import deferred_subject, doubt_subject
from paquebot.wire.delivery import Item
from queue_making import POOL, delivery, now_ms
from queue_owner import stored

MX = "b.mx [127.0.0.2]"


@pytest.fixture
def aftermath(js: JetStream) -> Aftermath:
    return Aftermath(js, POOL)


async def test_of_an_item_that_nobody_began_nothing_is_known(aftermath: Aftermath) -> None:
    assert await aftermath.past_of(delivery(), 0) == UNTOUCHED


async def test_only_the_attempt_that_is_noted_was_a_crash(js: JetStream, aftermath: Aftermath) -> None:
    await Journal(js, POOL, "pod-1").begin(Note(delivery(crashes=1)))
    await stored(js)
    assert await aftermath.past_of(delivery(), 0) == Past(crashes=2)
    assert await aftermath.past_of(delivery(attempts=1), 0) == UNTOUCHED
    assert await aftermath.past_of(delivery("m2"), 0) == UNTOUCHED


async def test_the_newest_of_each_process_counts(js: JetStream, aftermath: Aftermath) -> None:
    one, note = Journal(js, POOL, "pod-1"), Note(delivery())
    await one.begin(note)
    await one.dot(note, MX)
    await stored(js)
    assert await aftermath.past_of(delivery(), 0) == Past(crashes=1, doubt=MX, host=MX)
    heir = Note(delivery(crashes=1), MX)
    await Journal(js, POOL, "pod-2").begin(heir)
    await stored(js)
    assert await aftermath.past_of(delivery(), 0) == Past(crashes=2, doubt=MX, host=MX)


async def test_what_waits_for_its_next_try_is_settled(js: JetStream, aftermath: Aftermath) -> None:
    waits = delivery(attempts=1, next_ms=now_ms() + 3_600_000)
    await js.publish(deferred_subject(waits), encode(Item((waits,)), b""), schedule_headers(waits))
    assert (await aftermath.past_of(delivery(), 0)).is_settled


async def test_many_ask_in_one_reading(js: JetStream, aftermath: Aftermath, monkeypatch) -> None:
    readings: list[str] = []
    read_all = JetStream.read_all

    async def counted(self: JetStream, stream: str, subjects: str, limit: int = 1_000_000) -> list:
        readings.append(subjects)
        return await read_all(self, stream, subjects, limit)

    monkeypatch.setattr(JetStream, "read_all", counted)
    await Journal(js, POOL, "pod-1").begin(Note(delivery("m7")))
    await stored(js)
    pasts = await asyncio.gather(*(aftermath.past_of(delivery(f"m{number}"), 0) for number in range(40)))
    assert [number for number, past in enumerate(pasts) if past.crashes] == [7]
    assert len(readings) < 20


async def test_who_asks_later_is_not_told_what_was_read_before(js: JetStream, aftermath: Aftermath) -> None:
    assert await aftermath.past_of(delivery(), 0) == UNTOUCHED
    await Journal(js, POOL, "pod-1").begin(Note(delivery()))
    await stored(js)
    assert await aftermath.past_of(delivery(), 0) == Past(crashes=1)


@pytest.mark.parametrize(
    ("noted", "past"),
    [
        ({"attempts": 0, "crashes": 1}, Past(crashes=2, doubt="")),
        ({"attempts": -1, "crashes": 1}, UNTOUCHED),  # it had ended before the final dot
        ({"attempts": 3, "crashes": 1}, UNTOUCHED),
    ],
)
async def test_the_release_before_noted_that_attempts_began_and_its_dots_may_be_out(
    js: JetStream, aftermath: Aftermath, noted: dict, past: Past
) -> None:
    item = replace(delivery(), recipients=("x@b.example",))
    await js.publish(doubt_subject(POOL, item.id, item.n), json.dumps(noted).encode())
    assert await aftermath.past_of(item, 0) == past
