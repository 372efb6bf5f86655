"""Records are stored in batches, repeated until they are, and read back by time."""

import asyncio

from paquebot.mail.record import Kind, Record
from paquebot.queue.events import EventWriter, follow_records, read_records
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


async def test_a_follower_sees_what_comes(js: JetStream) -> None:
    writer = EventWriter(js)
    await writer.add(record(1))
    following = follow_records(js)
    first = asyncio.ensure_future(anext(following))
    await asyncio.sleep(0.3)
    await writer.add(record(2))
    assert (await asyncio.wait_for(first, 10)).id == "id2"
    await following.aclose()
