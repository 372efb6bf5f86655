"""Records are stored in batches, repeated until they are, and read back by time."""

import asyncio
import time

from paquebot.mail.record import Kind, Record
from paquebot.queue import events
from paquebot.queue.events import RECORDS_MAX, EventWriter, follow_records, read_about, read_records
from paquebot.queue.jetstream import JetStream
from paquebot.queue.server import NatsServer


def record(number: int, kind: Kind = Kind.DELIVERED) -> Record:
    return Record(kind, number, f"id{number}", 1, "shop", ("a@b.example",))


async def test_records_of_a_tenant_and_kind_travel_together(js: JetStream) -> None:
    writer = EventWriter(js)
    await asyncio.gather(*(writer.add(record(number)) for number in range(100)), writer.add(record(7, Kind.FAILED)))
    state = (await js.request("STREAM.INFO.EV"))["state"]
    assert state["messages"] == 2
    found = [each async for each in read_records(js, 0, "ev.shop.delivered")]
    assert found == [record(number) for number in range(100)]


async def test_records_outlive_a_killed_server(js: JetStream, nats: NatsServer) -> None:
    writer = EventWriter(js)
    nats.kill()
    stored = writer.add(record(1))
    await asyncio.sleep(0.5)
    assert not stored.done()
    await asyncio.to_thread(nats.start)
    await asyncio.wait_for(stored, 20)
    assert [each async for each in read_records(js, 0)] == [record(1)]


async def test_who_stops_waiting_takes_nobody_elses_record_along(js: JetStream) -> None:
    writer = EventWriter(js)
    impatient, patient = writer.add(record(1)), writer.add(record(2))
    impatient.cancel()
    await asyncio.wait_for(patient, 10)
    assert [each async for each in read_records(js, 0)] == [record(1), record(2)]


async def test_more_records_than_a_batch_holds_are_all_stored_in_order(js: JetStream) -> None:
    writer = EventWriter(js)
    await asyncio.gather(*(writer.add(record(number)) for number in range(2 * RECORDS_MAX + 1)))
    assert (await js.request("STREAM.INFO.EV"))["state"]["messages"] == 3
    found = [each.at_ms async for each in read_records(js, 0)]
    assert sorted(found) == list(range(2 * RECORDS_MAX + 1))


async def test_draining_stores_what_is_still_gathered(js: JetStream) -> None:
    writer = EventWriter(js)
    stored = writer.add(record(1))
    await writer.drain(5)
    assert stored.done()


async def test_reading_starts_at_a_time_and_keeps_to_kinds(js: JetStream) -> None:
    writer = EventWriter(js)
    await writer.add(record(1))
    await asyncio.sleep(0.05)
    middle_ms = time.time_ns() // 1_000_000
    await asyncio.gather(writer.add(record(2)), writer.add(record(3, Kind.FAILED)))
    assert {each.id async for each in read_records(js, middle_ms)} == {"id2", "id3"}
    assert [each.id async for each in read_records(js, middle_ms, "ev.*.failed")] == ["id3"]
    assert [each async for each in read_records(js, middle_ms + 60_000)] == []


async def test_a_follower_sees_what_comes(js: JetStream) -> None:
    writer = EventWriter(js)
    await writer.add(record(1))
    following = follow_records(js)
    first = asyncio.ensure_future(anext(following))
    await asyncio.sleep(0.3)
    await writer.add(record(2))
    assert (await asyncio.wait_for(first, 10)).id == "id2"
    await following.aclose()


async def test_what_is_about_a_message_and_its_reports_is_found_among_others(js: JetStream) -> None:
    writer = EventWriter(js)
    for number in range(20):  # each in a message of its own, as over time
        await writer.add(record(100 + number))
    await writer.add(record(1))
    await writer.add(Record(Kind.ACCEPTED, 2, "report", 1, "shop", ("a@b.example",), report_of="id1.1"))
    await writer.add(Record(Kind.DELIVERED, 3, "report", 1, "shop", ("a@b.example",)))
    stretches = [each async for each in read_about(js, "id1", 0)]
    assert [(each.id, each.kind) for stretch in stretches for each in stretch.records] == [
        ("id1", Kind.DELIVERED),
        ("report", Kind.ACCEPTED),
        ("report", Kind.DELIVERED),
    ]
    assert abs(stretches[-1].until_ms - time.time_ns() // 1_000_000) < 60_000


async def test_while_nothing_can_be_stored_what_nobody_waits_for_is_left_out_beyond_a_limit(
    js: JetStream, nats: NatsServer, monkeypatch
) -> None:
    monkeypatch.setattr(events, "UNSTORED_MAX", 3)
    writer = EventWriter(js)
    nats.kill()
    for number in range(5):
        writer.note(record(number))
    stored = writer.add(record(7))
    assert writer.fullness() == {"records not stored yet": (4, 3)}
    await asyncio.to_thread(nats.start)
    await asyncio.wait_for(stored, 20)
    assert [each.at_ms async for each in read_records(js, 0)] == [0, 1, 2, 7]
    assert writer.unstored == 0
