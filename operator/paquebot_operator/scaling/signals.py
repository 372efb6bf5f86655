"""The door to the queue: one look at a pool, from JetStream and the buckets of members and of lessons."""

import asyncio

from paquebot.policy.values import Policy
from paquebot.queue.backlog import backlog
from paquebot.queue.buckets import Bucket
from paquebot.queue.jetstream import ApiError, JetStream, QueueUnavailableError
from paquebot.queue.lesson import BUCKET, Lesson, decode
from paquebot.queue.members import Member
from paquebot_operator.scaling.destinations import heaps, lesson_keys
from paquebot_operator.scaling.readings import Reading

LESSONS_MAX = 200  # read of one pool; what is limited beyond shows in its backlog alone
LOOK_MAX_S = 8.0


async def look(js: JetStream, policy: Policy, pool: str, members: list[Member], now_s: float) -> Reading | str:
    """Return what a pool has to do, or why that cannot be known now."""
    try:
        async with asyncio.timeout(LOOK_MAX_S):
            found = await backlog(js, pool)
            lying = heaps(found, policy, now_s)
            lessons = await _lessons(js, lesson_keys(lying, policy, pool)[:LESSONS_MAX])
    except (QueueUnavailableError, ApiError) as error:
        return str(error)
    except TimeoutError:
        return f"no answer within {LOOK_MAX_S:.0f} s"
    return Reading(now_s, found, lying, tuple(members), lessons)


async def _lessons(js: JetStream, keys: list[str]) -> dict[str, Lesson]:
    bucket = Bucket(js, BUCKET)
    values = await asyncio.gather(*(bucket.get(key) for key in keys))
    read = {key: decode(value) for key, value in zip(keys, values, strict=True) if value}
    return {key: lesson for key, lesson in read.items() if lesson is not None}
