"""Readers switch whole revisions and keep the last good one."""

import asyncio

import pytest

from paquebot.policy.encode import encode_object
from paquebot.policy.values import Policy
from paquebot.queue import policystore
from paquebot.queue.buckets import Bucket
from paquebot.queue.jetstream import JetStream
from paquebot.queue.policystore import follow_policy, publish_policy, read_policy
from paquebot.queue.server import NatsServer
from tests_support import wait_for

POOL = {
    "apiVersion": "paquebot.dev/v1alpha1",
    "kind": "SendingPool",
    "metadata": {"name": "default", "namespace": "mail-system"},
    "spec": {"heloHostname": "out.example"},
}


async def test_a_policy_comes_back_as_it_was_published(js: JetStream) -> None:
    assert await read_policy(js) is None
    revision = await publish_policy(js, [POOL])
    policy = await read_policy(js)
    assert policy is not None
    assert policy.revision == revision
    assert list(policy.pools) == ["mail-system_default"]


async def test_a_bad_revision_leaves_the_last_good_one(js: JetStream) -> None:
    seen: list[Policy] = []
    await publish_policy(js, [POOL])
    task = asyncio.create_task(follow_policy(js, seen.append))
    await wait_for(lambda: len(seen) == 1)
    await publish_policy(js, [{**POOL, "spec": {}}])
    await asyncio.sleep(2)
    assert len(seen) == 1
    await publish_policy(js, [{**POOL, "spec": {"heloHostname": "new.example"}}])
    await wait_for(lambda: len(seen) == 2)
    assert seen[1].pools["mail-system_default"].helo_hostname == "new.example"
    task.cancel()


async def test_a_revision_that_names_missing_objects_waits(js: JetStream) -> None:
    seen: list[Policy] = []
    await Bucket(js, "policy").put("revision", b'{"revision": "r", "objects": {"A/b/c": "o.missing"}}')
    task = asyncio.create_task(follow_policy(js, seen.append))
    await asyncio.sleep(1.5)
    assert seen == []
    task.cancel()


async def test_what_no_revision_names_goes_after_an_hour(js: JetStream, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = {**POOL, "spec": {"heloHostname": "new.example"}}
    bucket = Bucket(js, "policy")
    await publish_policy(js, [POOL])
    await publish_policy(js, [changed])
    assert {encode_object(POOL)[0], encode_object(changed)[0], "revision"} == set(await bucket.snapshot())
    monkeypatch.setattr(policystore, "UNNAMED_S", -60)
    await publish_policy(js, [changed])
    assert {encode_object(changed)[0], "revision"} == set(await bucket.snapshot())
    await publish_policy(js, [POOL])
    policy = await read_policy(js)
    assert policy is not None
    assert policy.pools["mail-system_default"].helo_hostname == "out.example"


async def test_a_follower_keeps_its_policy_while_the_store_is_away_and_hears_of_the_next(
    js: JetStream, nats: NatsServer
) -> None:
    seen: list[Policy] = []
    await publish_policy(js, [POOL])
    following = asyncio.create_task(follow_policy(js, seen.append))
    await wait_for(lambda: len(seen) == 1)
    nats.kill()
    await wait_for(lambda: not js.connected)
    await asyncio.sleep(1.5)
    await asyncio.to_thread(nats.start)
    await wait_for(lambda: js.connected)
    await publish_policy(js, [{**POOL, "spec": {"heloHostname": "new.example"}}])
    await wait_for(lambda: len(seen) == 2)
    assert seen[1].pools["mail-system_default"].helo_hostname == "new.example"
    following.cancel()


async def test_an_index_that_cannot_be_read_leaves_the_last_good_policy(js: JetStream) -> None:
    seen: list[Policy] = []
    await publish_policy(js, [POOL])
    following = asyncio.create_task(follow_policy(js, seen.append))
    await wait_for(lambda: len(seen) == 1)
    for broken in (b"{", b"[]", b'{"revision": 7}'):
        await Bucket(js, "policy").put("revision", broken)
        await asyncio.sleep(1.2)
    assert not following.done()
    await publish_policy(js, [{**POOL, "spec": {"heloHostname": "new.example"}}])
    await wait_for(lambda: len(seen) == 2)
    following.cancel()
