"""A process's journal: in few messages, in a ring, on their way before anything depends on them."""

import asyncio

from paquebot.queue import journal as journals
from paquebot.queue.jetstream import JetStream
from paquebot.queue.journal import RING, Journal
from paquebot.queue.notes import Note, Past, read_batch
from paquebot.queue.subjects import journal_filter
from queue_making import POOL, delivery
from queue_owner import stored
from tests_support import wait_for

MX = "b.mx [127.0.0.2]"


async def told(js: JetStream) -> list[list[str]]:
    """Return the names in each message of the pool's journals."""
    await stored(js)
    found = await js.read_all("DOUBT", journal_filter(POOL))
    return [[name for name, _attempts, _past in read_batch(each.payload)] for each in found]


async def newest(js: JetStream) -> dict[str, Past]:
    await stored(js)
    found = await js.read_all("DOUBT", journal_filter(POOL))
    return {name: past for each in found for name, _attempts, past in read_batch(each.payload)}


def note(number: int = 1) -> Note:
    return Note(delivery(f"m{number}"))


async def test_what_many_note_at_once_is_one_message(js: JetStream) -> None:
    journal = Journal(js, POOL, "pod-1")
    await asyncio.gather(*(journal.begin(note(number)) for number in range(50)))
    assert [len(names) for names in await told(js)] == [50]


async def test_a_note_is_with_the_kernel_before_who_waits_goes_on(js: JetStream) -> None:
    journal = Journal(js, POOL, "pod-1")
    await journal.dot(note(), MX)
    assert js.client.pending_data_size == 0
    assert await newest(js) == {"m1.1": Past(crashes=1, doubt=MX, host=MX)}


async def test_what_nobody_waits_for_goes_too(js: JetStream) -> None:
    journal, one = Journal(js, POOL, "pod-1"), note()
    await journal.dot(one, MX)
    journal.answered(one, one.delivery.recipients)
    await wait_for(lambda: not journal._fresh)
    await wait_for(lambda: journal._writing is None)
    assert await newest(js) == {"m1.1": Past(False, 1, None, (0,), MX)}


async def test_an_answer_without_a_final_dot_is_not_noted(js: JetStream) -> None:
    journal, one = Journal(js, POOL, "pod-1"), note()
    await journal.begin(one)
    journal.answered(one, ())
    assert not journal._fresh


async def test_an_attempt_that_ended_in_order_left_no_crash(js: JetStream) -> None:
    journal, one = Journal(js, POOL, "pod-1"), note()
    await journal.begin(one)
    await journal.end(one)
    assert await newest(js) == {"m1.1": Past()}
    assert not journal.under_way


async def test_a_second_final_dot_leaves_the_first_in_doubt(js: JetStream) -> None:
    journal, one = Journal(js, POOL, "pod-1"), note()
    await journal.dot(one, MX)
    await journal.dot(one, "c.mx [127.0.0.3]")
    journal.answered(one, ())
    await journal.begin(note(2))
    assert (await newest(js))["m1.1"].doubt == MX


async def test_the_ring_is_bounded_and_forgets_nothing_that_is_under_way(js: JetStream) -> None:
    journal, long, over = Journal(js, POOL, "pod-1"), note(1), note(2)
    await journal.dot(long, MX)
    await journal.begin(over)
    journal.forget(over)
    for number in range(3, RING + 9):
        each = note(number)
        await journal.begin(each)
        journal.forget(each)
    messages = await told(js)
    assert len(messages) == RING
    assert sum("m1.1" in names for names in messages) == 1
    assert not any("m2.1" in names for names in messages)
    assert (await newest(js))["m1.1"].doubt == MX


async def test_a_pod_that_starts_again_overwrites_nothing(js: JetStream) -> None:
    await Journal(js, POOL, "pod.1").dot(note(1), MX)
    await Journal(js, POOL, "pod.1").begin(note(2))
    assert (await newest(js))["m1.1"].doubt == MX


async def test_what_is_under_way_is_told_again(js: JetStream) -> None:
    journal, one, done = Journal(js, POOL, "pod-1"), note(1), note(2)
    await asyncio.gather(journal.begin(one), journal.begin(done))
    journal.forget(done)
    await stored(js)
    await js.request("STREAM.PURGE.DOUBT")
    journal.repeat()
    await wait_for(lambda: not journal._fresh)
    await wait_for(lambda: journal._writing is None)
    assert await told(js) == [["m1.1"]]


async def test_without_a_connection_nobody_waits_for_ever(js: JetStream, monkeypatch) -> None:
    monkeypatch.setattr(journals, "LINGER_S", 0)
    journal = Journal(js, POOL, "pod-1")
    await js.close()
    async with asyncio.timeout(5):
        await journal.begin(note())
