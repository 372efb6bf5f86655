"""Which message was taken under which key, in the bucket `claims`: so that what is sent again is stored once.

A claim is written before its message and marked after it; what came between is found out by asking the queue
whether it knows the Msg-Id (docs/decisions/20261126-a-key-is-claimed-before-its-message.md).
"""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from prometheus_client import Gauge

from paquebot.mail.delivery import Plan
from paquebot.queue.acceptance import commit_headers, until
from paquebot.queue.jetstream import ApiError, FenceLostError, JetStream
from paquebot.queue.provision import CLAIMS_MAX
from paquebot.queue.subjects import probe_subject, slice_of

BUCKET = "claims"
STREAM = f"KV_{BUCKET}"
DEADLINE_S = 5.0
MARK_DEADLINE_S = 120.0
_ROLLUP_FAILED = 10111

USED = Gauge("paquebot_queue_claims_used_ratio", "Share of the room for keys of messages; when full the oldest go.")


@dataclass(frozen=True, slots=True)
class Claim:
    """What is known of a key: its message, and where that is stored, or may be. Times are Unix milliseconds."""

    id: str
    digest: str  # of what the client sent
    at_ms: int
    until_ms: int  # who claimed it may be storing the message until then
    pool: str
    stream: int  # of the pool
    msg_id: str
    stored: bool = False

    @classmethod
    def of(cls, plan: Plan, digest: str, at_ms: int, until_ms: int) -> "Claim":
        """Return the claim for a planned message."""
        first = plan.deliveries[0]
        msg_id = commit_headers(plan.deliveries)["Nats-Msg-Id"]
        return cls(first.id, digest, at_ms, until_ms, first.pool, slice_of(first.partition), msg_id)


@dataclass(frozen=True, slots=True)
class Known:
    """A claim as it was read; writing over it wants its sequence."""

    claim: Claim
    seq: int


@dataclass(frozen=True, slots=True)
class Claims:
    """All claims. Every method raises QueueUnavailableError, QueueFullError or ApiError when the bucket does not serve.

    A key is `<tenant>.<digest>`. A claim goes by itself when its time is over.
    """

    js: JetStream

    async def read(self, key: str) -> Known | None:
        """Return what is known of a key."""
        message = await self.js.get_last(STREAM, _subject(key))
        # A marker of the server's, that time is over, is no claim.
        return Known(Claim(**json.loads(message.payload)), message.seq) if message and message.payload else None

    async def take(self, key: str, claim: Claim, seq: int, ttl_s: int) -> Known:
        """Claim a key, over the claim with that sequence, 0 for none; raise FenceLostError when another was faster."""
        headers = _fence(seq, ttl_s)
        try:
            ack = await until(
                DEADLINE_S, lambda timeout_s: self.js.publish(_subject(key), _encoded(claim), headers, timeout_s)
            )
        except FenceLostError:
            known = await self.read(key)  # our own first try may have been stored, and its answer lost
            if known is None or known.claim != claim:
                raise
            return known
        return Known(claim, ack.seq)

    async def let_go(self, key: str, known: Known, ttl_s: int) -> None:
        """Say that nobody is storing the message any more."""
        await self._write(key, replace(known.claim, until_ms=0), known.seq, ttl_s, DEADLINE_S)

    async def mark(self, key: str, known: Known, ttl_s: int) -> None:
        """Say that the message is stored: then nobody needs to ask the queue, which soon forgets its Msg-Id."""
        await self._write(key, replace(known.claim, stored=True), known.seq, ttl_s, MARK_DEADLINE_S)

    async def is_stored(self, claim: Claim) -> bool:
        """Ask the queue whether the message of a claim has come, by what it remembers of Msg-Ids.

        A publish with a rollup that there is not is never stored: it is answered as a duplicate, or refused. Other
        wrong headers are looked at before the Msg-Id (single server) or leave it behind as taken (several).
        """
        headers = {"Nats-Msg-Id": claim.msg_id, "Nats-Rollup": "none"}
        try:
            return (await self.js.publish(probe_subject(claim.pool, claim.stream), b"", headers)).duplicate
        except ApiError as error:
            if error.err_code == _ROLLUP_FAILED:
                return False
            raise

    async def look(self) -> None:
        """Measure how full the bucket is."""
        state = (await self.js.request(f"STREAM.INFO.{STREAM}"))["state"]
        USED.set(state["messages"] / CLAIMS_MAX)

    async def _write(self, key: str, claim: Claim, seq: int, ttl_s: int, deadline_s: float) -> None:
        headers = _fence(seq, ttl_s)
        await until(deadline_s, lambda timeout_s: self.js.publish(_subject(key), _encoded(claim), headers, timeout_s))


def _subject(key: str) -> str:
    return f"$KV.{BUCKET}.{key}"


def _fence(seq: int, ttl_s: int) -> dict[str, str]:
    return {"Nats-Expected-Last-Subject-Sequence": str(seq), "Nats-TTL": f"{ttl_s}s"}


def _encoded(claim: Claim) -> bytes:
    fields: dict[str, Any] = asdict(claim)
    return json.dumps(fields, separators=(",", ":")).encode()
