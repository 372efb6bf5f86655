"""Readers switch whole revisions and keep the last good one."""

import asyncio

from paquebot.policy.values import Policy
from paquebot.queue.buckets import Bucket
from paquebot.queue.jetstream import JetStream
from paquebot.queue.policystore import follow_policy, publish_policy, read_policy
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
