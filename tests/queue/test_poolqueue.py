"""Taking and settling: each item once, whatever happens to its owner."""

import asyncio
import contextlib
import json
from dataclasses import asdict, replace

import pytest

from paquebot.mail.delivery import Lane
from paquebot.mail.record import Kind
from paquebot.mail.settlement import Settlement
from paquebot.queue.buckets import Bucket
from paquebot.queue.events import read_records
from paquebot.queue.hand import ITEMS_MAX, Hand
from paquebot.queue.inspection import list_waiting
from paquebot.queue.jetstream import ApiError, JetStream, Message, QueueUnavailableError
from paquebot.queue.lease import LAPSE_S, LEASE_S
from paquebot.queue.members import Heartbeat, Member, members
from paquebot.queue.ownership import read_owner, take_over
from paquebot.queue.partition import Partition
from paquebot.queue.poolqueue import CRASH_REST_S
from paquebot.queue.pull import BATCH
from paquebot.queue.putback import put_back
from paquebot.queue.rendezvous import owner_of
from paquebot.queue.server import NatsServer
from paquebot.queue.subjects import PARTITIONS, SPLIT, chunk_filter, doubt_subject, stream_of
from paquebot.queue.ways import Way
from queue_making import POOL, delivery, now_ms
from queue_owner import accept, killed_and_started, nothing_waits, record
from tests_support import wait_for


async def test_an_accepted_item_is_taken_settled_recorded_and_gone(js: JetStream, owner) -> None:
    one = await owner()
    await accept(js, delivery())
    await wait_for(lambda: one.taken)
    taken = one.taken[0]
    assert await one.queue.content(taken) == b"content"
    assert one.queue.owns(taken)
    await one.delivered(taken)
    assert [each.kind async for each in read_records(js, 0)] == [Kind.DELIVERED]
    await wait_for(lambda: one.queue.in_hand == 0)
    assert one.queue.hand == Hand()
    await nothing_waits(js)


@pytest.mark.parametrize(
    ("way", "kind"), [(Way.BULK, {"lane": Lane.BULK}), (Way.AGAIN, {"attempts": 1})], ids=["bulk", "tried again"]
)
async def test_a_flood_on_one_way_does_not_keep_new_mail_from_being_taken(
    js: JetStream, owner, monkeypatch: pytest.MonkeyPatch, way: Way, kind: dict
) -> None:
    monkeypatch.setitem(ITEMS_MAX, way, 100)
    flood = [delivery(f"b{number}", **kind) for number in range(600)]
    await asyncio.gather(*(accept(js, each) for each in flood))
    one = await owner()
    await wait_for(lambda: len(one.taken) >= 100)
    await accept(js, delivery("n1"), delivery("n1", n=2, site="c.example"))
    await wait_for(lambda: len([each for each in one.taken if each.way is Way.NORMAL]) == 2)
    assert len(one.taken) <= 100 + BATCH + 2  # what was asked for still comes
    one.at_once = True
    for taken in list(one.taken):
        await one.delivered(taken)
    await wait_for(lambda: len(one.taken) == 602)  # the flood goes on as it is settled


async def test_one_owner_alone_owns_everything(owner) -> None:
    one = await owner()
    await wait_for(lambda: len(one.queue.partitions) == PARTITIONS)


async def test_what_is_deferred_comes_back_at_its_time(js: JetStream, owner) -> None:
    one = await owner()
    await accept(js, delivery())
    await wait_for(lambda: one.taken)
    again = replace(one.taken[0].delivery, attempts=1, next_ms=now_ms() + 500, reason="greylisted")
    await one.queue.settle(one.taken[0], Settlement((record(one.taken[0], Kind.DEFERRED),), again=again))
    await wait_for(lambda: len(one.taken) == 2)
    assert one.taken[1].delivery == again
    assert await one.queue.content(one.taken[1]) == b"content"


async def test_a_split_item_becomes_its_deliveries(js: JetStream, owner) -> None:
    one = await owner()
    await accept(js, *(delivery(n=n, site=f"d{n}.example") for n in range(1, 9)))
    await wait_for(lambda: len(one.taken) == 8)
    assert sorted(taken.delivery.n for taken in one.taken) == list(range(1, 9))
    for taken in one.taken:
        await one.delivered(taken)
    await one.js.client.flush()
    await nothing_waits(js)


async def test_a_shared_large_content_is_purged_with_its_last_delivery(js: JetStream, owner) -> None:
    one = await owner()
    content = b"x" * 400_000
    await accept(js, delivery(), delivery(n=2, site="c.example"), content=content)
    await wait_for(lambda: len(one.taken) == 2)
    body = one.taken[0].delivery.body
    assert body is not None

    async def stored() -> int:
        stream = f"MQ_{POOL}_{body.stream}"
        return len(await js.read_all(stream, chunk_filter(POOL, body.stream, "m1")))

    assert await one.queue.content(one.taken[1]) == content
    await one.delivered(one.taken[0])
    assert await stored() == 2
    assert await one.queue.content(one.taken[1]) == content
    await one.delivered(one.taken[1])
    assert await stored() == 0


async def test_a_deferred_content_over_the_limit_is_stored_apart(js: JetStream, owner) -> None:
    one = await owner()
    await accept(js, delivery(), content=b"x" * 100_000)
    await wait_for(lambda: one.taken)
    again = replace(one.taken[0].delivery, attempts=1, next_ms=now_ms() + 300)
    await one.queue.settle(one.taken[0], Settlement((), again=again))
    await wait_for(lambda: len(one.taken) == 2)
    assert one.taken[1].inline == b""
    assert await one.queue.content(one.taken[1]) == b"x" * 100_000


async def test_an_overtaken_owner_settles_nothing_and_drops_the_partition(js: JetStream, owner) -> None:
    one = await owner()
    await accept(js, delivery())
    await wait_for(lambda: one.taken)
    taken = one.taken[0]
    number = taken.delivery.partition
    assert await take_over(js, POOL, number, "pod-2", await read_owner(js, POOL, number))
    again = replace(taken.delivery, attempts=1, next_ms=now_ms() + 3_600_000)
    await one.queue.settle(taken, Settlement((), again=again))
    assert not one.queue.owns(taken)
    assert [each.state for each in await list_waiting(js, POOL)] == ["ready"]


async def test_a_late_ack_of_what_was_delivered_is_welcome(js: JetStream, owner) -> None:
    one = await owner()
    await accept(js, delivery())
    await wait_for(lambda: one.taken)
    number = one.taken[0].delivery.partition
    assert await take_over(js, POOL, number, "pod-2", await read_owner(js, POOL, number))
    await one.delivered(one.taken[0])
    await one.js.client.flush()
    await nothing_waits(js)


async def test_partitions_are_shared_and_handed_over_with_nothing_lost_or_doubled(js: JetStream, owner) -> None:
    one = await owner("pod-1", at_once=True)
    await wait_for(lambda: len(one.queue.partitions) == PARTITIONS)
    for number in range(100):
        await accept(js, delivery(f"a{number}", site=f"d{number}.example"))
    two = await owner("pod-2", at_once=True)
    for number in range(100, 200):
        await accept(js, delivery(f"a{number}", site=f"d{number}.example"))
    await wait_for(lambda: len(one.queue.partitions) + len(two.queue.partitions) == PARTITIONS and two.queue.partitions)
    await one.queue.drain(4)
    await wait_for(lambda: len(two.queue.partitions) == PARTITIONS)
    await wait_for(lambda: len(one.taken) + len(two.taken) >= 200)
    await asyncio.gather(*one.settling, *two.settling)
    names = [record.id async for record in read_records(js, 0)]
    assert sorted(names) == sorted(f"a{number}" for number in range(200))
    await nothing_waits(js)


async def test_what_is_given_back_goes_to_the_next_owner_at_once(js: JetStream, owner) -> None:
    one = await owner()
    await accept(js, delivery())
    await wait_for(lambda: one.taken)
    await one.queue.drain(4)
    two = await owner("pod-2")
    await wait_for(lambda: two.taken)
    assert not two.taken[0].doubtful


async def test_a_crash_in_an_attempt_is_known_and_the_third_holds_the_item(js: JetStream, owner) -> None:
    item = delivery(crashes=2)
    await accept(js, item)
    note = json.dumps({"attempts": 0, "crashes": 2}).encode()
    await js.publish(doubt_subject(POOL, item.id, item.n), note)
    number = item.partition
    assert await take_over(js, POOL, number, "crashed", await read_owner(js, POOL, number))
    await owner("pod-2")
    found = []
    for _ in range(100):
        found = await list_waiting(js, POOL)
        if found and found[0].state == "held":
            break
        await asyncio.sleep(0.1)
    assert found[0].delivery.crashes == 3
    assert found[0].delivery.reason.startswith("poison: 3 attempts ended in a crash")


async def test_the_journal_tells_that_an_attempt_had_begun(js: JetStream, owner) -> None:
    item = delivery()
    await accept(js, item)
    await js.publish(doubt_subject(POOL, item.id, item.n), json.dumps({"attempts": 0, "crashes": 0}).encode())
    assert await take_over(js, POOL, item.partition, "crashed", await read_owner(js, POOL, item.partition))
    two = await owner("pod-2")
    await wait_for(lambda: two.taken)
    assert two.taken[0].doubtful
    assert two.taken[0].delivery.crashes == 1


async def test_an_item_that_was_settled_before_a_crash_is_only_acknowledged(js: JetStream, owner) -> None:
    one = await owner("pod-1")
    await accept(js, delivery())
    await wait_for(lambda: one.taken)
    taken = one.taken[0]
    again = replace(taken.delivery, attempts=1, next_ms=now_ms() + 3_600_000)
    await put_back(one.js, taken, again)
    await one.crash()
    two = await owner("pod-2")
    await wait_for(lambda: taken.fence.partition in two.queue.partitions)
    js.send(taken.reply, b"-NAK")  # what ack_wait does a minute later
    waiting = []
    for _ in range(100):
        waiting = await list_waiting(js, POOL)
        if [each.state for each in waiting] == ["deferred"]:
            break
        await asyncio.sleep(0.1)
    assert [each.state for each in waiting] == ["deferred"]
    assert two.taken == []


async def test_items_in_hand_outlive_the_servers_restart(js: JetStream, owner, nats: NatsServer) -> None:
    one = await owner()
    await accept(js, delivery("before"))
    await wait_for(lambda: one.taken)
    await asyncio.to_thread(nats.kill)
    await asyncio.to_thread(nats.start)
    await wait_for(lambda: one.js.connected and js.connected)
    await accept(js, delivery("after"))
    await wait_for(lambda: {taken.delivery.id for taken in one.taken} == {"before", "after"}, 40)
    for taken in list({taken.name: taken for taken in one.taken}.values()):
        await one.delivered(taken)
    assert stream_of(POOL, 0)


async def test_a_successor_that_fires_early_does_not_take_its_predecessors_ack(js: JetStream, owner) -> None:
    one = await owner()
    await accept(js, delivery())
    await wait_for(lambda: one.taken)
    first = one.taken[0]
    again = replace(first.delivery, attempts=1, next_ms=now_ms())
    await put_back(one.js, first, again)  # and the records take their time
    await asyncio.sleep(1)
    assert one.taken == [first]
    await one.queue.settle(first, Settlement((), again=again))
    await wait_for(lambda: len(one.taken) == 2)
    assert one.taken[1].delivery == again
    await one.delivered(one.taken[1])
    await one.js.client.flush()
    await nothing_waits(js)


async def test_a_delivery_that_moves_away_and_back_again_is_not_taken_for_a_repeat(js: JetStream, owner) -> None:
    one = await owner()
    here = delivery()
    there = delivery(site="moved.example")
    assert stream_of(POOL, here.partition) != stream_of(POOL, there.partition)
    await accept(js, here)
    for count, place in enumerate((there, here, there, here), 1):
        await wait_for(lambda count=count: len(one.taken) == count)
        moved = replace(one.taken[-1].delivery, site=place.site, partition=place.partition, next_ms=now_ms())
        await one.queue.settle(one.taken[-1], Settlement((), again=moved))
    await wait_for(lambda: len(one.taken) == 5)


async def test_a_lost_ack_is_repeated_and_nothing_is_handed_out_twice(js: JetStream, owner) -> None:
    one = await owner()
    await accept(js, delivery())
    await wait_for(lambda: one.taken)
    taken = one.taken[0]
    reply, taken.reply = taken.reply, "nowhere"
    await one.delivered(taken)
    assert [each.state for each in await list_waiting(js, POOL)] == ["ready"]
    js.send(reply, b"-NAK")  # what ack_wait does a minute later
    await nothing_waits(js)
    assert one.taken == [taken]


async def test_what_was_expanded_is_only_acknowledged_when_a_killed_server_hands_it_out_again(
    js: JetStream, nats: NatsServer, owner
) -> None:
    one = await owner(at_once=True)
    await wait_for(lambda: len(one.queue.partitions) == PARTITIONS)
    seen: list[tuple[int, Message]] = []
    for number, partition in one.queue.owned.items():
        hand_over = partition.on_message

        def note(owned: Partition, message: Message, number: int = number, hand_over=hand_over) -> None:
            seen.append((number, message))
            hand_over(owned, message)

        partition.on_message = note
    await accept(js, *(delivery(n=n, site=f"d{n}.example") for n in range(1, 4)))
    await wait_for(lambda: len(one.taken) == 3 and not one.queue.in_hand)
    number, split = next(each for each in seen if SPLIT in each[1].subject)
    await killed_and_started(nats, js, one.js)
    await wait_for(lambda: number in one.queue.partitions)
    one.queue.owned[number].on_message(one.queue.owned[number], split)  # its ack was on its way at the kill
    await one.queue.beside.drain(10)
    await accept(one.js, delivery("m2"))
    await wait_for(lambda: [taken.name for taken in one.taken[3:]] == ["m2.1"])


async def test_without_the_queue_the_lease_ends_by_itself_and_is_won_anew(js: JetStream, owner) -> None:
    one = await owner()
    await accept(js, delivery())
    await wait_for(lambda: one.taken)
    taken = one.taken[0]
    one.queue.lease.confirmed -= LEASE_S + 1
    assert not one.queue.owns(taken)
    await wait_for(lambda: len(one.taken) == 2 and len(one.queue.partitions) == PARTITIONS)
    assert one.taken[1].fence.seq > taken.fence.seq
    assert one.queue.owns(one.taken[1])
    assert one.queue.in_hand == 1


async def test_after_a_lapse_only_what_others_took_is_dropped(js: JetStream, owner) -> None:
    one = await owner()
    await wait_for(lambda: len(one.queue.partitions) == PARTITIONS)
    before = {number: partition.fence for number, partition in one.queue.owned.items()}
    await js.publish("$KV.members.frozen", json.dumps(asdict(Member("pod-2", "deliverer", pool=POOL))).encode())
    assert await take_over(js, POOL, 3, "pod-2", await read_owner(js, POOL, 3))
    one.queue.lease.confirmed -= LAPSE_S + 1
    await wait_for(lambda: 3 not in one.queue.partitions)
    kept = {number: partition.fence for number, partition in one.queue.owned.items()}
    assert kept.items() <= before.items()


async def test_what_is_unfinished_when_a_partition_goes_counts_no_more(js: JetStream, owner) -> None:
    one = await owner()
    await accept(js, delivery())
    await wait_for(lambda: one.taken)
    one.taken[0].begun = True
    await one.queue.drain(0.1)
    assert one.queue.hand == Hand()
    await one.delivered(one.taken[0])
    assert one.queue.hand == Hand()


async def test_an_attempt_that_was_given_up_is_no_crash(js: JetStream, owner) -> None:
    one = await owner()
    await accept(js, delivery())
    await wait_for(lambda: one.taken)
    await one.queue.begin(one.taken[0])
    await one.queue.give_back(one.taken[0])
    await wait_for(lambda: len(one.taken) == 2)
    assert not one.taken[1].doubtful
    assert one.taken[1].delivery.crashes == 0


async def test_others_wait_until_one_that_drains_has_let_go(owner) -> None:
    one = await owner("pod-1")
    await wait_for(lambda: len(one.queue.partitions) == PARTITIONS)
    closed = asyncio.Event()

    async def cut(_partition: int) -> None:
        await closed.wait()

    one.queue.on_cut = cut
    draining = asyncio.create_task(one.queue.drain(0))
    two = await owner("pod-2")
    await asyncio.sleep(3)
    assert two.queue.partitions == ()
    closed.set()
    await draining
    await wait_for(lambda: len(two.queue.partitions) == PARTITIONS)


async def test_nothing_begins_while_others_may_have_taken_over_unseen(owner) -> None:
    one = await owner("pod-1")
    await wait_for(lambda: one.queue.is_sure)
    one.queue.heartbeat.beaten -= 9
    assert not one.queue.is_sure
    await wait_for(lambda: one.queue.is_sure)  # the next heartbeat
    one.queue.lease.confirmed -= LAPSE_S
    assert not one.queue.is_sure
    await wait_for(lambda: one.queue.is_sure)  # the next look


async def test_behind_a_crash_a_partition_is_ours_alone_a_little_later(js: JetStream, owner) -> None:
    assert await take_over(js, POOL, 3, "crashed", await read_owner(js, POOL, 3))
    one = await owner()
    await wait_for(lambda: len(one.queue.partitions) == PARTITIONS)
    assert one.queue.since(3) - one.queue.since(4) > CRASH_REST_S / 2  # all were taken within a moment


async def test_after_a_crash_and_a_restart_of_the_server_what_waits_is_taken(
    js: JetStream, owner, nats: NatsServer
) -> None:
    """The journal lies in the server's memory: without one, what was in other hands would go round for ever."""
    one = await owner("pod-1")
    await accept(js, delivery())
    await wait_for(lambda: one.taken)
    await one.crash()
    await killed_and_started(nats, js)
    two = await owner("pod-1")
    await wait_for(lambda: two.taken)
    await two.delivered(two.taken[0])
    await nothing_waits(js)


async def test_the_journal_is_made_again_when_the_server_restarts_under_its_owner(
    js: JetStream, owner, nats: NatsServer
) -> None:
    one = await owner()
    await wait_for(lambda: one.queue.partitions)
    nats.kill()
    nats.start()
    found = None
    async with asyncio.timeout(20):
        while found is None:
            await asyncio.sleep(0.05)
            with contextlib.suppress(QueueUnavailableError, ApiError):
                found = await js.request("STREAM.INFO.DOUBT")
    assert found["config"]["storage"] == "memory"


async def test_who_came_since_the_members_were_read_is_not_taken_for_dead(js: JetStream, owner) -> None:
    one = await owner("pod-1")
    await wait_for(lambda: len(one.queue.partitions) == PARTITIONS)
    await one.queue.drain(0)
    await Heartbeat(js, Member("pod-2", "deliverer", pool=POOL)).beat()
    assert await take_over(js, POOL, 3, "pod-2", await read_owner(js, POOL, 3))
    await one.queue._take_over(3)
    assert (await read_owner(js, POOL, 3)).pod == "pod-2"
    await Bucket(js, "members").delete("pod-2")
    await one.queue._take_over(3)
    assert (await read_owner(js, POOL, 3)).pod == "pod-1"


async def test_nothing_is_taken_before_others_can_see_that_we_are_there(js: JetStream, owner) -> None:
    one = await owner("pod-1")
    while not (one.queue.partitions or one.queue.owned):
        await asyncio.sleep(0)
    assert [member.pod for member in await members(js)] == ["pod-1"]


async def test_what_stands_in_the_name_of_one_that_has_it_not_is_taken_by_who_should_have_it(
    js: JetStream, owner
) -> None:
    """A process that crashed and came back under its name sees another in its place, which waits for it to let go."""
    theirs = next(number for number in range(PARTITIONS) if owner_of(number, {"pod-1", "pod-2"}) == "pod-2")
    assert await take_over(js, POOL, theirs, "pod-1", await read_owner(js, POOL, theirs))
    await Heartbeat(js, Member("pod-1", "deliverer", pool=POOL)).beat()
    await Heartbeat(js, Member("pod-2", "deliverer", pool=POOL)).beat()
    two = await owner("pod-2")
    await owner("pod-1")
    await wait_for(lambda: theirs in two.queue.partitions)
    assert two.queue.owned[theirs].suspect_until > 0  # as after a crash
