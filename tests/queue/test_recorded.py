"""Whether a delivery was settled is read from the events, and never taken for granted."""

from dataclasses import replace

import pytest

from paquebot.mail.record import Kind, about
from paquebot.queue import recorded as module
from paquebot.queue.events import EventWriter
from paquebot.queue.jetstream import JetStream
from paquebot.queue.recorded import Recorded
from queue_making import delivery, now_ms


async def told(js: JetStream, *records) -> None:
    writer = EventWriter(js)
    for stored in [writer.add(each) for each in records]:
        await stored


def outcome(item, kind: Kind = Kind.DELIVERED, attempt: int = 1, at_ms: int = 0):
    return replace(about(item, kind, at_ms or now_ms()), attempt=attempt)


@pytest.mark.parametrize("kind", [Kind.DELIVERED, Kind.DEFERRED, Kind.FAILED])
async def test_an_outcome_of_the_attempt_settles_it(js: JetStream, kind: Kind) -> None:
    began = now_ms()
    await told(js, outcome(delivery("m1"), kind), outcome(delivery("m2"), kind, attempt=3))
    recorded = Recorded(js)
    assert await recorded.is_settled(delivery("m1"), began)
    assert not await recorded.is_settled(delivery("m1", attempts=1), began)
    assert await recorded.is_settled(delivery("m2", attempts=2), began)
    assert not await recorded.is_settled(delivery("m1", n=2), began)


async def test_what_is_recorded_between_two_questions_is_known(js: JetStream) -> None:
    recorded, began = Recorded(js), now_ms()
    assert not await recorded.is_settled(delivery(), began)
    await told(js, outcome(delivery("m2")))
    assert not await recorded.is_settled(delivery(), began)
    await told(js, outcome(delivery()))
    assert await recorded.is_settled(delivery(), began)


async def test_who_asks_about_an_earlier_time_is_told_of_it(js: JetStream, monkeypatch) -> None:
    monkeypatch.setattr(module, "CLOCKS_MS", 0)
    began = now_ms()
    await told(js, outcome(delivery()))
    recorded = Recorded(js)
    await told(js, outcome(delivery("m2")))
    assert not await recorded.is_settled(delivery("m3"), now_ms() + 1000)
    assert await recorded.is_settled(delivery(), began)


async def test_the_last_outcome_counts_though_an_earlier_one_was_stored_later(js: JetStream) -> None:
    now = now_ms()
    await told(js, outcome(delivery(), Kind.DELIVERED, attempt=2, at_ms=now))
    await told(js, outcome(delivery(), Kind.DEFERRED, attempt=1, at_ms=now - 500))
    assert await Recorded(js).is_settled(delivery(attempts=1, next_ms=now - 100), now)


async def test_other_events_settle_nothing(js: JetStream) -> None:
    kinds = set(Kind) - {Kind.DELIVERED, Kind.DEFERRED, Kind.FAILED}
    await told(js, *(outcome(delivery(), kind) for kind in kinds))
    assert not await Recorded(js).is_settled(delivery(), now_ms() - 60_000)


async def test_what_was_recorded_before_its_time_had_come_is_an_earlier_story(js: JetStream) -> None:
    """An attempt whose report cannot be submitted is recorded and does not count."""
    await told(js, outcome(delivery(), Kind.DEFERRED))
    waits = delivery(next_ms=now_ms() + 1000)
    assert not await Recorded(js).is_settled(waits, now_ms() - 60_000)


async def test_what_a_person_has_steered_is_never_taken_for_settled(js: JetStream) -> None:
    await told(js, outcome(delivery()))
    assert not await Recorded(js).is_settled(delivery(steered_ms=1), now_ms() - 60_000)


async def test_only_so_many_outcomes_are_kept(js: JetStream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RECORDED_MAX", 2)
    began, recorded = now_ms(), Recorded(js)
    await told(js, *(outcome(delivery(f"m{number}")) for number in range(3)))
    assert [await recorded.is_settled(delivery(f"m{number}"), began) for number in range(3)] == [False, True, True]
    recorded._forget()
    assert not recorded.last
    assert await recorded.is_settled(delivery("m2"), began)
