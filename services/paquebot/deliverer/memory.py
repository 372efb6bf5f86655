"""What is learned about sites outlives the process: written seldom, read when a site is first met."""

import asyncio
import math
from dataclasses import dataclass, field

import structlog

from paquebot.deliverer.site import Site
from paquebot.deliverer.throttle import State
from paquebot.queue.background import Background
from paquebot.queue.buckets import Bucket
from paquebot.queue.jetstream import ApiError, QueueFullError, QueueUnavailableError
from paquebot.queue.lesson import Lesson, decode, encode, key_of

RECALL_S = 2.0  # then it is met as a new one
NOTE_S = 5.0  # between two records of a site
KEPT_S = 3600  # at least
LOG = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Memory:
    """The lessons of one pool's sites."""

    bucket: Bucket
    pool: str
    under_way: Background = field(default_factory=Background)

    async def recall(self, site: Site, now_ms: int) -> None:
        """Let a site that is new here go on where its owner before stood."""
        encoded = None
        try:
            async with asyncio.timeout(RECALL_S):
                encoded = await self.bucket.get(key_of(self.pool, site.name, site.slot))
        except (QueueUnavailableError, ApiError, TimeoutError) as error:
            LOG.warning("what was learned about a site cannot be read", site=site.name, error=str(error))
        finally:
            site.known = True  # whatever happened: its mail must not wait for this
        lesson = decode(encoded) if encoded else None
        if lesson is not None:
            site.throttle.recall(lesson, asyncio.get_running_loop().time(), now_ms)
            site.noted = lesson

    def note(self, site: Site, now: float, now_ms: int, *, pause_s: float = NOTE_S) -> None:
        """Begin to write down what changed, when the last record is old enough."""
        if not site.known or now - site.noted_at < pause_s:
            return
        lesson = site.throttle.lesson(now, now_ms)
        if _alike(lesson, site.noted):
            return
        site.noted, site.noted_at = lesson, now
        self.under_way.spawn(self._write(site, lesson))

    def is_kept(self, site: Site, now: float, now_ms: int) -> bool:
        """Say whether nothing would be lost by forgetting a site that rests: what it was taught is written down."""
        throttle = site.throttle
        wait_s = throttle.wait(now)
        if not site.known or math.isinf(wait_s) or (throttle.state is State.READY and wait_s > 0):
            return False
        return now - site.noted_at >= NOTE_S and _alike(throttle.lesson(now, now_ms), site.noted)

    async def drain(self, timeout_s: float) -> None:
        """Let what is being written end."""
        await self.under_way.drain(timeout_s)

    async def _write(self, site: Site, lesson: Lesson | None) -> None:
        key = key_of(self.pool, site.name, site.slot)
        try:
            if lesson is None:
                await self.bucket.delete(key)
            else:
                await self.bucket.put(key, encode(lesson), ttl_s=max(KEPT_S, site.throttle.policy.backoff.max_s))
        except (QueueUnavailableError, QueueFullError, ApiError) as error:
            LOG.warning("what was learned about a site cannot be written", site=site.name, error=str(error))
            site.noted = None


def _alike(one: Lesson | None, other: Lesson | None) -> bool:
    """Say whether nothing worth a record differs; the end of a rest is recomputed each time, so it jitters."""
    if one is None or other is None:
        return one is other
    return (one.state, one.level, one.connections, one.pace, one.too_much) == (
        other.state,
        other.level,
        other.connections,
        other.pace,
        other.too_much,
    ) and abs(one.until_ms - other.until_ms) <= 1000  # noqa: PLR2004
