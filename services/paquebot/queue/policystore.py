"""The compiled policy in the bucket `policy`: objects under the hash of their content, one revision that names them."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from paquebot.policy.compile import compile_policy
from paquebot.policy.encode import OBJECT_PREFIX, decode_index, decode_object, encode_object, revision_of
from paquebot.policy.faults import PolicyFaults
from paquebot.policy.values import Policy
from paquebot.queue import metrics
from paquebot.queue.buckets import POLL_S, Bucket
from paquebot.queue.jetstream import ApiError, JetStream, QueueUnavailableError

REVISION = "revision"
UNNAMED_S = 3600
LOG = structlog.get_logger()


async def publish_policy(js: JetStream, objects: Sequence[Mapping[str, Any]]) -> str:
    """Write the objects, then the revision that names them; return it. Readers switch whole revisions."""
    bucket = Bucket(js, "policy")
    known = await bucket.snapshot()
    for each in objects:
        key, encoded = encode_object(each)
        if key not in known:
            await bucket.put(key, encoded)
    revision, index = revision_of(objects)
    await bucket.put(REVISION, index)
    await _forget_unnamed(bucket, set(decode_index(index).objects.values()), time.time())
    return revision


async def _forget_unnamed(bucket: Bucket, named: set[str], now_s: float) -> None:
    """Take away what no revision names any more, an hour after it was written: somebody may be reading it now."""
    for key, written_s in (await bucket.written()).items():
        if key.startswith(OBJECT_PREFIX) and key not in named and now_s - written_s > UNNAMED_S:
            await bucket.delete(key)


async def read_policy(js: JetStream) -> Policy | None:
    """Return the policy of the current revision, None before the first."""
    found = await read_objects(js)
    return None if found is None else compile_policy(found[1], found[0])


async def read_objects(js: JetStream) -> tuple[str, list[dict[str, Any]]] | None:
    """Return the current revision and its objects, None before the first."""
    bucket = Bucket(js, "policy")
    encoded = await bucket.get(REVISION)
    if encoded is None:
        return None
    index = decode_index(encoded)
    entries = await bucket.snapshot()
    missing = [key for key in index.objects.values() if key not in entries]
    if missing:
        raise QueueUnavailableError(f"revision {index.revision} names objects that are not there yet")
    return index.revision, [decode_object(entries[key]) for key in index.objects.values()]


async def follow_policy(js: JetStream, on_policy: Callable[[Policy], None]) -> None:
    """Hand over the policy now and after each new revision, for ever; the last good one stays when one is bad."""
    seen: bytes | None = None
    while True:
        try:
            encoded = await Bucket(js, "policy").get(REVISION)
            if encoded is not None and encoded != seen:
                policy = await read_policy(js)
                if policy is not None:
                    on_policy(policy)
                    metrics.policy_taken(policy.revision, time.time())
                    seen = encoded
        except PolicyFaults as faults:
            metrics.POLICY_REFUSED.inc()
            LOG.error("the published policy cannot be used; the last good one stays", faults=str(faults))  # noqa: TRY400
            seen = encoded
        except (QueueUnavailableError, ApiError, ValueError) as error:
            LOG.warning("the policy cannot be read; the last good one stays", error=str(error))
        await asyncio.sleep(POLL_S)
