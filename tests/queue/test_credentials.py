"""Hashes reach auth, the first ones and each change."""

import asyncio

from paquebot.queue.buckets import Bucket
from paquebot.queue.credentials import follow_hashes, put_hash
from paquebot.queue.jetstream import JetStream
from tests_support import wait_for


async def test_auth_follows_hashes_as_they_come_change_and_go(js: JetStream, connect) -> None:
    await put_hash(js, "shop.orders", "one")
    seen: list[dict[str, str]] = []
    following = asyncio.create_task(follow_hashes(await connect("auth"), seen.append))
    await wait_for(lambda: seen == [{"shop.orders": "one"}])
    await put_hash(js, "shop.orders", "two")
    await put_hash(js, "shop.returns", "three")
    await wait_for(lambda: seen[-1] == {"shop.orders": "two", "shop.returns": "three"})
    await Bucket(js, "credentials").delete("shop.returns")
    await wait_for(lambda: seen[-1] == {"shop.orders": "two"})
    following.cancel()


async def test_the_same_hash_is_not_written_again(js: JetStream) -> None:
    await put_hash(js, "shop.orders", "one")
    before = await Bucket(js, "credentials").state()
    await put_hash(js, "shop.orders", "one")
    assert await Bucket(js, "credentials").state() == before
