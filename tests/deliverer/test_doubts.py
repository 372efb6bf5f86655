"""Behind an owner that died, what it had sent is known: recorded when it was answered, in doubt when it was not."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from deliverer import test_dispatch
from deliverer.test_dispatch import POLICY, POOL_POLICY, Deliverer, accept, kinds
from paquebot.deliverer.doubts import crash_behind, delivered_before, lost_reply, warrant_of
from paquebot.deliverer.wheel import DeadlineWheel
from paquebot.mail.delivery import Delivery
from paquebot.mail.doubt import InDoubt, unanswered
from paquebot.mail.order import Action, Order
from paquebot.mail.outcome import Kind as OutcomeKind
from paquebot.mail.outcome import Outcome, Scope
from paquebot.mail.record import Kind
from paquebot.mail.selector import Selector
from paquebot.mail.steering import carry_out
from paquebot.queue.events import EventWriter, read_records
from paquebot.queue.inspection import list_waiting
from paquebot.queue.jetstream import JetStream
from paquebot.queue.journal import Journal
from paquebot.queue.notes import Note, Past, Stage
from paquebot.queue.ownership import read_owner, take_over
from paquebot.queue.poolqueue import PoolQueue
from paquebot.queue.steer import steer
from paquebot.queue.subjects import partition_of
from paquebot.queue.taken import Taken
from paquebot.sandbox.internet import Internet
from queue_making import POOL, delivery, now_ms
from queue_owner import nothing_waits, stored
from tests_support import wait_for

PLAIN = "mx.plain.test [127.0.0.2]"


@pytest.fixture
async def heir(js: JetStream, connect) -> AsyncIterator[Deliverer]:
    """Return a deliverer that is not started yet: an owner died before it."""
    partition = partition_of("plain.test")
    assert await take_over(js, POOL, partition, "pod-0", await read_owner(js, POOL, partition))
    internet = Internet()
    await internet.start()
    one = Deliverer(await connect("deliverer"), internet)
    yield one
    await one.stop()
    await internet.stop()


async def test_what_the_dead_had_delivered_is_recorded_and_only_the_rest_is_sent(
    js: JetStream, heir: Deliverer
) -> None:
    journal = Journal(js, POOL, "pod-0")
    both = ("x@plain.test", "y@plain.test")
    items = {ident: delivery(ident, site="plain.test", recipients=both) for ident in ("waits", "dot", "part", "all")}
    await accept(js, *items.values())
    notes = {ident: Note(items[ident]) for ident in ("dot", "part", "all")}
    for note in notes.values():
        await journal.dot(note, PLAIN)
    journal.answered(notes["part"], both[:1])
    journal.answered(notes["all"], both)
    await wait_for(lambda: not journal._fresh)
    await stored(js)
    await heir.start()
    await heir.internet.wait_for(3, 30)
    await wait_for(lambda: heir.queue.in_hand == 0)
    sent = sorted(each.envelope.recipients for each in heir.internet.received)
    assert sent == sorted([both, both, both[1:]])
    told = [record async for record in read_records(js, 0)]
    assert [each.kind for each in told if each.id == "all"] == [Kind.DELIVERED]
    assert [(each.kind, each.recipients) for each in told if each.id == "part"] == [
        (Kind.DELIVERED, both[:1]),
        (Kind.DEFERRED, both[1:]),
        (Kind.DELIVERED, both[1:]),
    ]
    doubts = [each for each in told if each.kind is Kind.IN_DOUBT]
    assert [(each.id, each.host) for each in doubts] == [("dot", PLAIN)]


async def test_what_is_in_doubt_behind_a_crash_says_so_while_it_waits(js: JetStream, heir: Deliverer) -> None:
    await accept(js, item := delivery(site="dead.test", partition=partition_of("plain.test")))
    await Journal(js, POOL, "pod-0").dot(Note(item), "dead.dead.test [127.0.0.99]")
    await stored(js)
    await heir.start()
    put_in_line, reasons = heir.queue.on_item, list[str]()

    def on_item(taken: Taken) -> None:
        put_in_line(taken)
        reasons.append(taken.delivery.reason)

    heir.queue.on_item = on_item
    await wait_for(lambda: reasons)
    assert reasons[0].startswith("in doubt: the deliverer died before dead.dead.test [127.0.0.99] answered")
    await wait_for(lambda: heir.queue.in_hand == 0)
    assert (await kinds(js))[0] is Kind.IN_DOUBT


def test_a_warrant_notes_where_the_dot_goes_and_who_was_delivered_to(taken: Callable) -> None:
    class Noting(Journal):
        def _now(self, note: Note) -> None:  # type: ignore[override]
            del note

        def later(self, note: Note) -> None:
            del note

    queue = PoolQueue.__new__(PoolQueue)
    queue.journal = Noting.__new__(Noting)
    item = taken()
    warrant = warrant_of(queue, item)
    warrant.before_dot(PLAIN)
    assert (item.note.stage, item.note.host) == (Stage.DOT, PLAIN)
    warrant.answered(item.delivery.recipients)
    assert (item.note.stage, item.note.delivered) == (Stage.ANSWERED, (0,))


def test_only_those_without_a_reply_are_recorded_in_doubt() -> None:
    item = delivery(recipients=("x@b.example", "y@b.example"))
    full = Outcome(OutcomeKind.DEFERRED, Scope.RECIPIENT, "full")
    (told,) = lost_reply(item, {"x@b.example": unanswered(PLAIN), "y@b.example": full}, PLAIN, 1)
    assert (told.kind, told.recipients, told.attempt, told.host) == (Kind.IN_DOUBT, ("x@b.example",), 1, PLAIN)
    assert lost_reply(item, {"y@b.example": full}, PLAIN, 1) == ()


def test_a_crash_before_the_final_dot_is_no_doubt(taken: Callable) -> None:
    item = taken()
    item.learn(Past(crashes=1))
    assert crash_behind(item, 1) == ()
    item.learn(Past(crashes=1, doubt=PLAIN))
    (told,) = crash_behind(item, 1)
    assert (told.kind, told.host) == (Kind.IN_DOUBT, PLAIN)


def test_what_was_delivered_before_names_its_host(taken: Callable) -> None:
    item = taken()
    item.learn(Past(False, 1, None, (0,), PLAIN))
    attempted = delivered_before(item)
    assert attempted.host == PLAIN
    assert [each.kind for each in attempted.outcomes.values()] == [OutcomeKind.DELIVERED]


HOLDING = replace(POLICY, pools={POOL: replace(POOL_POLICY, in_doubt=InDoubt.HOLD)})


async def held(js: JetStream) -> Delivery:
    for _ in range(600):
        waiting = [each.delivery for each in await list_waiting(js, POOL) if each.delivery.held]
        if waiting:
            return waiting[0]
        await asyncio.sleep(0.1)
    pytest.fail("nothing is held")


async def test_a_pool_that_holds_sends_nothing_again_behind_a_crash(js: JetStream, heir: Deliverer) -> None:
    await accept(js, item := delivery(site="plain.test"))
    await Journal(js, POOL, "pod-0").dot(Note(item), PLAIN)
    await stored(js)
    await heir.start(HOLDING)
    found = await held(js)
    assert found.reason.startswith(f"in doubt: the deliverer died before {PLAIN} answered")
    assert (found.next_ms, found.last_host) == (item.expires_ms, PLAIN)
    await wait_for(lambda: heir.queue.in_hand == 0)
    assert await kinds(js) == [Kind.IN_DOUBT, Kind.HELD]
    assert heir.internet.received == []


async def test_a_pool_that_holds_keeps_what_a_host_took_in_silence(
    js: JetStream, heir: Deliverer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(test_dispatch, "DeadlineWheel", lambda: DeadlineWheel(0.005))  # ten minutes are three seconds
    await accept(js, delivery(site="silent.test"))
    await heir.start(HOLDING)
    heir.dispatcher.follow(HOLDING)
    found = await held(js)
    assert "did not answer the final dot" in found.reason
    await wait_for(lambda: heir.queue.in_hand == 0)
    assert await kinds(js) == [Kind.DEFERRED, Kind.IN_DOUBT, Kind.HELD]
    assert len(heir.internet.received) == 1


async def test_what_is_held_in_doubt_fails_with_a_report_when_it_expires(js: JetStream, heir: Deliverer) -> None:
    await accept(js, item := delivery(site="plain.test", expires_ms=now_ms() + 8000))
    await Journal(js, POOL, "pod-0").dot(Note(item), PLAIN)
    await stored(js)
    await heir.start(HOLDING)
    assert (await held(js)).next_ms == item.expires_ms
    await wait_for(lambda: heir.reports)
    await nothing_waits(js)
    assert await kinds(js) == [Kind.IN_DOUBT, Kind.HELD, Kind.FAILED]
    assert heir.internet.received == []


async def test_what_is_held_in_doubt_is_sent_once_more_when_somebody_releases_it(
    js: JetStream, heir: Deliverer
) -> None:
    await accept(js, item := delivery(site="plain.test"))
    await Journal(js, POOL, "pod-0").dot(Note(item), PLAIN)
    await stored(js)
    await heir.start(HOLDING)
    await held(js)
    (waiting,) = await list_waiting(js, POOL)
    now = now_ms()
    order = Order(
        id="o1",
        action=Action.RELEASE,
        selector=Selector(names=(item.name,)),
        author="ann",
        reason="it did not arrive",
        given_ms=now,
        ends_ms=now + 60_000,
    )
    await steer(js, EventWriter(js), waiting, carry_out(order, waiting.delivery, now))
    await nothing_waits(js)
    assert len(heir.internet.received) == 1
    assert [each for each in await kinds(js) if each is not Kind.IN_DOUBT] == [
        Kind.HELD,
        Kind.RELEASED,
        Kind.DELIVERED,
    ]
