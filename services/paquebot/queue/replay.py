"""The bucket `replay`: mail that people have decided about, of domains that share it for training. With limits.

This is the one place where content is kept beyond its delivery, and only where `content.shareForTraining` says so.
"""

import json
from dataclasses import asdict, dataclass

from paquebot.queue.buckets import Bucket
from paquebot.queue.jetstream import JetStream

BUCKET = "replay"
KEPT_S = 90 * 86_400
CONTENT_MAX_BYTES = 128 << 10  # of one message: a model reads no more


@dataclass(frozen=True, slots=True)
class Shared:
    """A message and what was decided: `raw` is its content as latin-1, so that JSON can hold it."""

    id: str
    tenant: str
    label: str  # ham or spam
    raw: str

    @classmethod
    def of(cls, ident: str, tenant: str, content: bytes, *, is_wanted: bool) -> "Shared":
        """Return what is shared of a message."""
        return cls(ident, tenant, "ham" if is_wanted else "spam", content[:CONTENT_MAX_BYTES].decode("latin-1"))


async def share(js: JetStream, shared: Shared) -> None:
    """Keep a message for training; the last word about it counts."""
    await Bucket(js, BUCKET).put(f"{shared.tenant}.{shared.id}", json.dumps(asdict(shared)).encode(), KEPT_S)


async def read_shared(js: JetStream) -> list[Shared]:
    """Return all that is shared."""
    values = (await Bucket(js, BUCKET).snapshot()).values()
    return [Shared(**json.loads(value)) for value in values]


async def forget_shared(js: JetStream, tenant: str) -> int:
    """Drop what a tenant has shared; return how many messages that were."""
    purged = await js.request(f"STREAM.PURGE.KV_{BUCKET}", {"filter": f"$KV.{BUCKET}.{tenant}.*"})
    return int(purged["purged"])
