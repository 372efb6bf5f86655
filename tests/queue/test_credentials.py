"""Hashes reach auth, the first ones and each change."""

import asyncio

import pytest

from paquebot.queue.buckets import Bucket
from paquebot.queue.credentials import HASHES_MAX, follow_hashes, put_hash, put_hashes, remove_user
from paquebot.queue.jetstream import JetStream
from tests_support import wait_for


async def test_auth_follows_hashes_as_they_come_change_and_go(js: JetStream, connect) -> None:
    await put_hash(js, "shop.orders", "one")
    seen: list[dict[str, tuple[str, ...]]] = []
    following = asyncio.create_task(follow_hashes(await connect("auth"), seen.append))
    await wait_for(lambda: seen == [{"shop.orders": ("one",)}])
    await put_hashes(js, "shop.orders", ("two", "one"))
    await put_hash(js, "shop.returns", "three")
    await wait_for(lambda: seen[-1] == {"shop.orders": ("two", "one"), "shop.returns": ("three",)})
    await put_hash(js, "shop.orders", "two")
    await remove_user(js, "shop.returns")
    await wait_for(lambda: seen[-1] == {"shop.orders": ("two",)})
    following.cancel()


async def test_what_is_there_already_is_not_written_again(js: JetStream) -> None:
    await put_hashes(js, "shop.orders", ("two", "one"))
    before = await Bucket(js, "credentials").state()
    await put_hashes(js, "shop.orders", ("two", "one"))
    await remove_user(js, "shop.nobody")
    assert await Bucket(js, "credentials").state() == before


async def test_who_was_removed_is_not_removed_again_and_may_come_back(js: JetStream) -> None:
    bucket = Bucket(js, "credentials")
    await put_hash(js, "shop.orders", "one")
    await remove_user(js, "shop.orders")
    before = await bucket.state()
    await remove_user(js, "shop.orders")
    assert await bucket.state() == before
    await put_hash(js, "shop.orders", "one")
    assert await bucket.get("shop.orders") == b"one"


@pytest.mark.parametrize("hashes", [(), ("one",) * (HASHES_MAX + 1), ("",), ("one\ntwo",), ("one\n",)])
async def test_what_is_no_list_of_hashes_is_not_written(js: JetStream, hashes: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="hash"):
        await put_hashes(js, "shop.orders", hashes)
    assert await Bucket(js, "credentials").get("shop.orders") is None


async def test_a_user_has_as_many_hashes_as_allowed(js: JetStream) -> None:
    await put_hashes(js, "shop.orders", ("one",) * HASHES_MAX)
    assert await Bucket(js, "credentials").get("shop.orders") == b"\n".join([b"one"] * HASHES_MAX)
