"""The owner record of a partition: the fence that decides whose publishes count.

Taking over writes the record with compare-and-set; each publish that settles expects the record's sequence.
An owner that was frozen and wakes up finds that its publishes are refused.
"""

import json
from dataclasses import dataclass

from paquebot.queue import metrics
from paquebot.queue.jetstream import FenceLostError, JetStream
from paquebot.queue.subjects import owner_subject, stream_of


@dataclass(frozen=True, slots=True)
class OwnerRecord:
    """Who owns a partition, as of sequence `seq` of its subject (0: nobody ever did)."""

    pod: str
    released: bool
    seq: int


@dataclass(frozen=True, slots=True)
class Fence:
    """The right to settle a partition's items, while the record's sequence stands."""

    pool: str
    partition: int
    seq: int

    @property
    def headers(self) -> dict[str, str]:
        """Return what a publish into the partition's stream must carry."""
        return {
            "Nats-Expected-Last-Subject-Sequence": str(self.seq),
            "Nats-Expected-Last-Subject-Sequence-Subject": owner_subject(self.pool, self.partition),
        }


async def read_owner(js: JetStream, pool: str, partition: int) -> OwnerRecord:
    """Return the owner record."""
    message = await js.get_last(stream_of(pool, partition), owner_subject(pool, partition))
    if message is None:
        return OwnerRecord("", released=True, seq=0)
    record = json.loads(message.payload)
    return OwnerRecord(record["pod"], record["released"], message.seq)


async def take_over(js: JetStream, pool: str, partition: int, pod: str, current: OwnerRecord) -> Fence | None:
    """Become the owner in place of `current`; None when somebody else was faster."""
    seq = await _write(js, pool, partition, OwnerRecord(pod, released=False, seq=current.seq))
    if not seq:
        return None
    metrics.HANDOVERS.labels(pool, "taken").inc()
    return Fence(pool, partition, seq)


async def let_go(js: JetStream, fence: Fence, pod: str) -> None:
    """Say that the partition may be taken at once; nothing happens when the fence is lost already."""
    if await _write(js, fence.pool, fence.partition, OwnerRecord(pod, released=True, seq=fence.seq)):
        metrics.HANDOVERS.labels(fence.pool, "let go").inc()


async def disown(js: JetStream, pool: str, partition: int, pod: str) -> None:
    """Let another take a partition as after a crash, if it stands in our name though we have it not.

    A process of our name owned it before it crashed, or our word that we let go was lost: others see us alive, and
    would wait for ever.
    """
    current = await read_owner(js, pool, partition)
    if current.pod == pod and not current.released:
        await _write(js, pool, partition, OwnerRecord("", released=False, seq=current.seq))


async def _write(js: JetStream, pool: str, partition: int, record: OwnerRecord) -> int:
    payload = json.dumps({"pod": record.pod, "released": record.released}).encode()
    headers = {"Nats-Rollup": "sub", "Nats-Expected-Last-Subject-Sequence": str(record.seq)}
    try:
        return (await js.publish(owner_subject(pool, partition), payload, headers)).seq
    except FenceLostError:
        return 0


async def last_seq(js: JetStream, stream: str) -> int:
    """Return the sequence of a stream's last message."""
    return int((await js.request(f"STREAM.INFO.{stream}"))["state"]["last_seq"])
