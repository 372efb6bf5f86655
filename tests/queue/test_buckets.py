"""Buckets keep small tables; members vanish when they stop beating."""

import asyncio

from paquebot.queue.buckets import Bucket
from paquebot.queue.jetstream import JetStream
from paquebot.queue.members import Heartbeat, Member, members
from tests_support import wait_for


async def test_keys_are_written_read_listed_and_deleted(js: JetStream) -> None:
    bucket = Bucket(js, "orders")
    await bucket.put("site.example", b"1")
    await bucket.put("tenant.shop", b"2")
    await bucket.put("site.example", b"3")
    assert await bucket.get("site.example") == b"3"
    assert await bucket.snapshot() == {"tenant.shop": b"2", "site.example": b"3"}
    await bucket.delete("site.example")
    assert await bucket.get("site.example") is None
    assert await bucket.snapshot() == {"tenant.shop": b"2"}


async def test_a_follower_sees_the_table_and_each_change(js: JetStream) -> None:
    bucket = Bucket(js, "orders")
    await bucket.put("a", b"1")
    seen: list[dict[str, bytes]] = []
    task = asyncio.create_task(bucket.follow(seen.append))
    await wait_for(lambda: seen == [{"a": b"1"}])
    await bucket.put("b", b"2")
    await wait_for(lambda: seen[-1] == {"a": b"1", "b": b"2"})
    task.cancel()


async def test_a_member_is_alive_until_it_leaves(js: JetStream) -> None:
    heartbeat = Heartbeat(js, Member("pod-1", "router"))
    heartbeat.runs("r7")
    await heartbeat.beat()
    assert await members(js) == [Member("pod-1", "router", "r7")]
    await heartbeat.leave()
    assert await members(js) == []
