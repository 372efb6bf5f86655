"""Whether there is room: a queue without limits needs somebody who says no in time."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

import structlog
from prometheus_client import Gauge

from paquebot.mail.reply import Reply
from paquebot.queue.jetstream import ApiError, JetStream, QueueUnavailableError
from paquebot.queue.subjects import SLICES, stream_name

POLL_S = 1.0
TOTAL_MAX = 0.70  # of the account's storage: above it nothing new is taken
POOL_MAX = TOTAL_MAX / 2
LOG = structlog.get_logger()

STORE_USED = Gauge("paquebot_queue_store_used_bytes", "Octets of the account's storage in use.")
STORE_LIMIT = Gauge("paquebot_queue_store_limit_bytes", "Octets of storage that the account may use.")
POOL_USED = Gauge("paquebot_queue_pool_used_ratio", "Share of the account's storage that a pool uses.", ["pool"])
ADMITTING = Gauge("paquebot_queue_admitting", "Whether new mail for a pool is taken: 1 or 0.", ["pool"])


@dataclass(slots=True)
class Admission:
    """Knows how full the store is, as of the last second."""

    js: JetStream
    used: float = 0.0  # share of the storage limit
    pools: dict[str, float] = field(default_factory=dict)

    def check(self, pool: str) -> Reply | None:
        """Return the refusal for new mail to a pool, None when there is room (DESIGN §5; RFC 5321 §4.2.3)."""
        if self.used > TOTAL_MAX:
            return Reply(452, "4.3.1", f"The queue is {self.used:.0%} full, nothing new is taken: try again later")
        if self.pools.get(pool, 0.0) > POOL_MAX:
            share = self.pools[pool]
            return Reply(452, "4.3.1", f"Pool {pool} holds {share:.0%} of the queue's room: try again later")
        return None

    async def follow(self, pools: "Iterable[str] | None" = None) -> None:
        """Look every second, for ever."""
        while True:
            try:
                await self.look(pools or self.pools)
            except (QueueUnavailableError, ApiError) as error:
                LOG.warning("the queue's room is unknown; the last figure stays", error=str(error))
            await asyncio.sleep(POLL_S)

    async def look(self, pools: Iterable[str]) -> None:
        """Ask how much is used."""
        account = await self.js.request("INFO")
        limit = account["limits"]["max_storage"]
        if limit <= 0:
            return
        self.used = account["storage"] / limit
        STORE_USED.set(account["storage"])
        STORE_LIMIT.set(limit)
        for pool in list(pools):
            total = 0
            for number in range(SLICES):
                info = await self.js.request(f"STREAM.INFO.{stream_name(pool, number)}")
                total += info["state"]["bytes"] * info["config"]["num_replicas"]  # the account is charged for each
            self.pools[pool] = total / limit
            POOL_USED.labels(pool).set(self.pools[pool])
            ADMITTING.labels(pool).set(self.check(pool) is None)
