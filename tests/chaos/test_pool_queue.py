"""Crashes, a full store, and messages that come too late: nothing is lost, doubled, or counted for ever."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import structlog.testing
from nats.aio.msg import Msg

from paquebot.mail.record import Kind
from paquebot.mail.settlement import Settlement
from paquebot.queue import lease, members, poolqueue, provision
from paquebot.queue.buckets import Bucket
from paquebot.queue.events import read_records
from paquebot.queue.hand import Hand
from paquebot.queue.inspection import list_waiting
from paquebot.queue.jetstream import JetStream, Message, QueueFullError
from paquebot.queue.ownership import read_owner, take_over
from paquebot.queue.payload import encode
from paquebot.queue.schedule import schedule_headers
from paquebot.queue.server import NatsServer, find_nats_server
from paquebot.queue.subjects import PARTITIONS, chunk_filter, deferred_subject, marker_filter, slice_of, stream_of
from paquebot.queue.users import ServerPlace
from paquebot.wire.delivery import Item
from queue_fixtures import POLICY, free_port
from queue_making import POOL, delivery, now_ms
from queue_owner import Owner, accept, record
from tests_support import wait_for

STORE_BYTES = 24 << 20


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let unacknowledged items come back after 3 s instead of 60."""
    monkeypatch.setattr(provision, "ACK_WAIT_S", 3)
    monkeypatch.setattr(poolqueue, "PROGRESS_S", 1.0)


async def states(js: JetStream) -> list[str]:
    return [each.state for each in await list_waiting(js, POOL)]


async def becomes(js: JetStream, wanted: list[str]) -> None:
    for _ in range(200):
        if await states(js) == wanted:
            return
        await asyncio.sleep(0.1)
    assert await states(js) == wanted


@pytest.mark.usefixtures("quick")
async def test_an_orderly_hand_over_waits_for_nobody_to_be_given_up(js: JetStream, owner: Callable) -> None:
    one = await owner("pod-1")
    await wait_for(lambda: len(one.queue.partitions) == PARTITIONS)
    for number in range(50):
        await accept(js, delivery(f"a{number}", site=f"d{number}.example"))
    await wait_for(lambda: len(one.taken) == 50)
    with structlog.testing.capture_logs() as lines:
        two = await owner("pod-2", at_once=True)
        await wait_for(lambda: two.queue.partitions)
        draining = asyncio.create_task(one.queue.drain(4))
        await wait_for(lambda: len(two.queue.partitions) == PARTITIONS)
        await draining
    taken_over = [line["clean"] for line in lines if line["event"] == "partition taken" and line["after"] == "pod-1"]
    assert set(taken_over) == {True}
    await wait_for(lambda: len(two.taken) == 50)
    assert not any(taken.doubtful for taken in two.taken)


@pytest.mark.usefixtures("quick")
async def test_after_a_crash_the_next_owner_takes_all_and_doubts_what_was_not_answered(
    js: JetStream, owner: Callable
) -> None:
    one = await owner("pod-1")
    await wait_for(lambda: len(one.queue.partitions) == PARTITIONS)
    for ident in ("waits", "begun", "dot", "taken"):
        await accept(js, delivery(ident))
    await wait_for(lambda: len(one.taken) == 4)
    for taken in one.taken:
        if taken.delivery.id != "waits":
            await one.queue.begin(taken)
        if taken.delivery.id in {"dot", "taken"}:
            await one.queue.journal.dot(taken.note, "mx.b.example [192.0.2.1]")
        if taken.delivery.id == "taken":
            one.queue.journal.answered(taken.note, taken.delivery.recipients)
    await wait_for(lambda: not one.queue.journal._fresh)
    await one.crash()
    two = await owner("pod-2")
    await wait_for(lambda: len(two.queue.partitions) == PARTITIONS, 30)
    await wait_for(lambda: len(two.taken) == 4, 30)
    found = {taken.delivery.id: taken for taken in two.taken}
    assert [ident for ident, taken in found.items() if taken.doubtful] == ["dot"]
    assert found["dot"].past.doubt == "mx.b.example [192.0.2.1]"
    assert {ident for ident, taken in found.items() if taken.delivery.crashes} == {"begun", "dot", "taken"}
    assert [ident for ident, taken in found.items() if taken.past.delivered] == ["taken"]
    for taken in two.taken:
        await two.delivered(taken)
    await becomes(js, [])


@pytest.mark.usefixtures("quick")
async def test_an_item_that_crashes_three_owners_is_held(js: JetStream, owner: Callable) -> None:
    await accept(js, delivery())
    for count in range(3):
        each = await owner(f"pod-{count}")
        await wait_for(lambda each=each: each.taken, 30)
        assert each.taken[0].delivery.crashes == count
        await each.queue.begin(each.taken[0])
        await each.js.client.flush()
        await each.crash()
        await Bucket(js, "members").delete(f"pod-{count}")  # its time to live would do so
    last = await owner("pod-3")
    await becomes(js, ["held"])
    (found,) = await list_waiting(js, POOL)
    assert found.delivery.reason.startswith("poison: 3 attempts ended in a crash")
    assert last.taken == []


@pytest.mark.usefixtures("quick")
async def test_what_is_in_hand_longer_than_ack_wait_is_not_handed_out_again(js: JetStream, owner: Callable) -> None:
    one = await owner()
    await accept(js, delivery())
    await wait_for(lambda: one.taken)
    reply = one.taken[0].reply
    await asyncio.sleep(7)
    assert len(one.taken) == 1
    assert one.taken[0].reply == reply  # it never came again


async def test_what_was_delivered_is_recorded_and_gone_though_the_fence_is_lost(js: JetStream, owner: Callable) -> None:
    one = await owner()
    await accept(js, delivery())
    await wait_for(lambda: one.taken)
    number = one.taken[0].fence.partition
    assert await take_over(js, POOL, number, "pod-2", await read_owner(js, POOL, number))
    one.queue._drop(one.queue.owned[number])
    await one.delivered(one.taken[0])
    assert [each.kind async for each in read_records(js, 0)] == [Kind.DELIVERED]
    await becomes(js, [])
    assert one.queue.hand == Hand()


async def test_what_a_lost_partition_gives_back_goes_out_after_its_pulls_have_ended(
    js: JetStream, owner: Callable
) -> None:
    one = await owner()
    await accept(js, delivery())
    await wait_for(lambda: one.taken)
    number = one.taken[0].fence.partition
    partition = one.queue.owned[number]
    reading: list[bool] = []
    one.queue.on_letting_go = lambda _: reading.append(any(pull.subscription for pull in partition.pulls))
    one.queue._drop(partition)
    assert not one.queue.owns(one.taken[0])
    await wait_for(lambda: reading)
    assert reading == [False]
    await wait_for(lambda: number in one.queue.partitions)


async def test_what_comes_to_a_dropped_partition_is_handed_back_and_not_counted(js: JetStream, owner: Callable) -> None:
    one = await owner()
    item = delivery()
    await wait_for(lambda: len(one.queue.partitions) == PARTITIONS)
    partition = one.queue.owned[item.partition]
    one.queue._drop(partition)
    reply = f"$JS.ACK.{stream_of(POOL, item.partition)}.late.1.1.1.1.0"
    seen: list[bytes] = []

    async def on_ack(message: Msg) -> None:
        seen.append(message.data)

    await js.client.subscribe(reply, cb=on_ack)
    await js.client.flush()
    partition.on_message(partition, Message("", encode(Item((item,)), b"content"), 1, {}, reply, 1))
    assert (one.taken, one.queue.hand) == ([], Hand())
    assert partition.in_hand == {}
    await wait_for(lambda: [each.split()[0] for each in seen] == [b"-NAK"])


async def test_an_item_whose_waiting_form_cannot_be_read_is_not_kept_in_hand(js: JetStream, owner: Callable) -> None:
    item = delivery()
    later = schedule_headers(replace(item, next_ms=now_ms() + 3_600_000))
    await js.publish(deferred_subject(item), b"\xff\x00\x00\x00\x00", later)
    await accept(js, item)
    assert await take_over(js, POOL, item.partition, "crashed", await read_owner(js, POOL, item.partition))
    with structlog.testing.capture_logs() as lines:
        one = await owner()
        await wait_for(lambda: any(line["event"] == "what waits cannot be read" for line in lines))
    assert (one.taken, one.queue.hand) == ([], Hand())
    assert await states(js) == ["ready"]


@pytest.fixture
async def small(identities: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable]:
    """Return what connects to a provisioned server whose store is soon full."""
    monkeypatch.setattr(provision, "EVENTS_BYTES_MAX", 4 << 20)
    place = ServerPlace(tmp_path / "s", identities / "nats", free_port(), STORE_BYTES)
    server = NatsServer(find_nats_server(), place, tmp_path / "n")
    server.start()
    opened: list[JetStream] = []

    async def connect(identity: str) -> JetStream:
        opened.append(await JetStream.connect(server.url, identities / identity, identity))
        return opened[-1]

    await provision.provision(await connect("admin"), POLICY)
    yield connect
    for js in opened:
        await js.close()
    server.stop()


async def fill(js: JetStream, subject: str, *sizes: int) -> None:
    for size in sizes:
        full = False
        while not full:
            try:
                await js.publish(subject, b"x" * size)
            except QueueFullError:
                full = True


async def purge(js: JetStream, pattern: str) -> None:
    await js.request(f"STREAM.PURGE.MQ_{POOL}_0", {"filter": pattern})


async def test_what_cannot_be_settled_in_a_full_store_is_settled_when_there_is_room(small: Callable) -> None:
    js = await small("admin")
    one = Owner(await small("deliverer"), "pod-1")
    await wait_for(lambda: len(one.queue.partitions) == PARTITIONS)
    await wait_for(lambda: not one.queue.sweeper.asked)
    await accept(js, delivery(prefix=b"p" * 60_000), content=b"c" * 100_000)
    await wait_for(lambda: one.taken)
    await js.publish(f"mq.{POOL}.0.b.room.0", b"x" * 120_000)
    await fill(js, f"mq.{POOL}.0.b.filler.0", 1 << 20, 500, 1)
    await purge(js, f"mq.{POOL}.0.b.room.>")  # room for the content, not for the delivery
    again = replace(one.taken[0].delivery, attempts=1, next_ms=now_ms() + 3_600_000)
    kept = record(one.taken[0], Kind.DEFERRED)
    settling = asyncio.create_task(one.queue.settle(one.taken[0], Settlement((kept,), again=again)))
    await wait_for(lambda: one.queue.sweeper.asked)
    await asyncio.sleep(3.5)
    assert not settling.done()
    number = slice_of(again.partition)
    for pattern, count in ((marker_filter(POOL, number, "m1"), 1), (chunk_filter(POOL, number, "m1"), 2)):
        assert len(await js.read_all(stream_of(POOL, again.partition), pattern)) == count
    await purge(js, f"mq.{POOL}.0.b.filler.>")
    async with asyncio.timeout(20):
        await settling
    assert await states(js) == ["deferred"]
    assert [each.kind async for each in read_records(js, 0)] == [Kind.DEFERRED]
    assert one.queue.hand == Hand()
    await one.end()


async def test_a_store_that_is_full_to_the_brim_drains_by_what_is_delivered(
    small: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "BEAT_S", 0.1)
    monkeypatch.setattr(lease, "PRESENT_S", 1.0)
    js = await small("admin")
    one = Owner(await small("deliverer"), "pod-1")
    await wait_for(lambda: len(one.queue.partitions) == PARTITIONS)
    await asyncio.gather(*(accept(js, delivery(f"m{number}"), content=b"c" * 2000) for number in range(20)))
    await wait_for(lambda: len(one.taken) == 20)
    await fill(js, f"mq.{POOL}.0.b.filler.0", 1 << 20, 500, 1)
    loop = asyncio.get_running_loop()
    await wait_for(lambda: one.queue.heartbeat.failing)
    began = loop.time()
    await wait_for(lambda: loop.time() > began + 2)  # longer than a heartbeat counts
    assert one.queue.is_sure
    async with asyncio.timeout(60):
        await asyncio.gather(*(one.delivered(taken) for taken in one.taken))
    await becomes(js, [])
    await wait_for(lambda: not one.queue.events.unstored)
    assert sum([len(each.recipients) async for each in read_records(js, 0)]) == 20
    await wait_for(lambda: not one.queue.heartbeat.failing)
    await one.end()


async def test_an_owner_that_starts_while_the_store_is_full_takes_all_when_there_is_room(small: Callable) -> None:
    js = await small("admin")
    await accept(js, delivery())
    await fill(js, f"mq.{POOL}.0.b.filler.0", 1 << 20, 500, 1)
    with structlog.testing.capture_logs() as lines:
        one = Owner(await small("deliverer"), "pod-1", at_once=True)
        await wait_for(lambda: any(line["event"] == "our heartbeat cannot be stored" for line in lines))
    assert not one.task.done()
    await purge(js, f"mq.{POOL}.0.b.filler.>")
    await wait_for(lambda: len(one.queue.partitions) == PARTITIONS)
    await becomes(js, [])
    await one.end()


@pytest.mark.usefixtures("quick")
async def test_of_two_that_believe_they_own_a_partition_the_older_settles_nothing(
    js: JetStream, owner: Callable
) -> None:
    one = await owner("pod-1")
    await accept(js, delivery())
    await wait_for(lambda: one.taken)
    one.task.cancel()  # it looks no more, and goes on believing
    await Bucket(js, "members").delete("pod-1")
    two = await owner("pod-2")
    await wait_for(lambda: two.taken, 30)
    older, newer = one.taken[0], two.taken[0]
    assert one.queue.owns(older)
    assert two.queue.owns(newer)
    later = now_ms() + 3_600_000
    by_older = replace(older.delivery, attempts=1, next_ms=later, reason="the older one says")
    await one.queue.settle(older, Settlement((record(older, Kind.DEFERRED),), again=by_older))
    assert not one.queue.owns(older)
    assert await states(js) == ["ready"]  # in the newer one's hand
    assert [each async for each in read_records(js, 0)] == []
    by_newer = replace(newer.delivery, attempts=1, next_ms=later, reason="the newer one says")
    await two.queue.settle(newer, Settlement((record(newer, Kind.DEFERRED),), again=by_newer))
    await becomes(js, ["deferred"])
    assert [each.delivery.reason for each in await list_waiting(js, POOL)] == ["the newer one says"]
