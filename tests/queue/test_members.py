"""Members are those who beat; an entry that cannot be read stops nobody."""

import asyncio
import json

from paquebot.queue.buckets import Bucket
from paquebot.queue.jetstream import JetStream
from paquebot.queue.members import Heartbeat, Load, Member, follow_members, members
from paquebot.queue.server import NatsServer
from tests_support import wait_for


async def test_an_entry_of_a_newer_release_is_read_and_a_broken_one_passed_over(js: JetStream) -> None:
    bucket = Bucket(js, "members")
    newer = {"pod": "pod-2", "service": "router", "revision": "r1", "zone": "a"}
    await bucket.put("pod-2", json.dumps(newer).encode())
    for number, broken in enumerate((b"{", b"[]", b"7", b'{"service": "router"}')):
        await bucket.put(f"broken-{number}", broken)
    assert await members(js) == [Member("pod-2", "router", "r1")]


async def test_what_a_member_bears_is_told_with_its_beat(js: JetStream) -> None:
    heartbeat = Heartbeat(js, Member("pod-1", "deliverer", pool="mail_main"))
    load = Load(60.0, 3, 1.5, 4, {"gmail": (2, 0.75), "other": (1, 2.0)})
    heartbeat.bears(load)
    await heartbeat.beat()
    assert (await members(js))[0].load == load
    for broken in ({"groups": 7}, {"groups": {"a": 1}}):
        await Bucket(js, "members").put("pod-2", json.dumps({"pod": "pod-2", "service": "x", "load": broken}).encode())
        assert [member.pod for member in await members(js)] == ["pod-1"]


async def test_who_beats_no_more_vanishes(js: JetStream) -> None:
    bucket = Bucket(js, "members")
    await Heartbeat(js, Member("stays", "router")).beat()
    await bucket.put("frozen", b'{"pod": "frozen", "service": "deliverer"}', ttl_s=1)
    seen: list[set[str]] = []
    following = asyncio.create_task(follow_members(js, lambda alive: seen.append({member.pod for member in alive})))
    await wait_for(lambda: seen == [{"stays", "frozen"}] or seen[-1:] == [{"stays"}])
    await wait_for(lambda: seen[-1] == {"stays"})
    following.cancel()


async def test_a_beat_lasts_longer_than_the_next_one_needs(js: JetStream) -> None:
    await Heartbeat(js, Member("pod-1", "router")).beat()
    stored = await js.get_last("KV_members", "$KV.members.pod-1")
    assert stored is not None
    assert stored.headers["Nats-TTL"] == "10s"


async def test_beating_goes_on_when_the_server_comes_back(js: JetStream, nats: NatsServer) -> None:
    beating = asyncio.create_task(Heartbeat(js, Member("pod-1", "router")).run())
    await wait_for(lambda: not beating.done())
    nats.kill()
    await wait_for(lambda: not js.connected)
    await asyncio.to_thread(nats.start)
    await wait_for(lambda: js.connected)
    await Bucket(js, "members").delete("pod-1")
    alive: list[Member] = []
    async with asyncio.timeout(20):
        while not alive:
            assert not beating.done()
            alive = await members(js)
    assert alive == [Member("pod-1", "router")]
    beating.cancel()


async def test_who_leaves_leaves_nothing_for_ever(js: JetStream) -> None:
    heartbeat = Heartbeat(js, Member("pod-1", "router"))
    await heartbeat.beat()
    await heartbeat.leave()
    left = await js.get_last("KV_members", "$KV.members.pod-1")
    assert left is not None
    assert left.headers["Nats-TTL"]
