"""Entries of SuppressionLists in the bucket `suppression`, and the view of them that services keep.

A key is `<namespace>.<list>.<keyed hash of the mailbox>`: no address stands there. The view follows the bucket by
sequence, so that a change costs what it is and not the whole list again.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import structlog

from paquebot.policy.suppression import SuppressionList, hash_of
from paquebot.policy.values import Policy
from paquebot.queue.buckets import DELETED, DELETED_TTL_S, POLL_S, Bucket
from paquebot.queue.jetstream import BATCH, ApiError, JetStream, Message, QueueUnavailableError
from paquebot.queue.provision import SUPPRESSED_MAX

BUCKET = "suppression"
STREAM = f"KV_{BUCKET}"
PREFIX = f"$KV.{BUCKET}."
EVERYTHING = ">"  # a narrower pattern makes the server look through all subjects for each message
BLIND_S = DELETED_TTL_S / 2  # not followed for longer, deletions may have been missed: all is read again
KEY_OCTETS_MIN = 16
_MASK = (1 << 32) - 1
LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Entry:
    """Why somebody is on a list. Times are Unix seconds; `expires_s` 0: for ever."""

    reason: str
    source: str  # hard-bounce, or who added it
    since_s: int
    expires_s: int = 0

    def encoded(self) -> bytes:
        """Return it as JSON."""
        return json.dumps(asdict(self)).encode()


@dataclass(frozen=True, slots=True)
class Found:
    """A list that a mailbox is on."""

    place: str
    since_s: int

    def __str__(self) -> str:
        """Say which list, since when, and how it is lifted."""
        since = time.strftime("%Y-%m-%d", time.gmtime(self.since_s))
        cure = f"`paquebot suppression remove {self.place} ADDRESS` lifts it"
        return f"The recipient is on SuppressionList {self.place} since {since}: {cure}"


@dataclass(slots=True, eq=False)
class Suppressions:
    """All entries by hash, with their times in one number each: about 140 octets an entry."""

    secret: bytes
    entries: dict[bytes, int] = field(default_factory=dict)
    seq: int = 0
    seen_s: float = 0.0  # monotonic, of the last look

    def __repr__(self) -> str:
        return f"<Suppressions {len(self.entries)} entries>"

    def find(self, policy: Policy, tenant: str, reverse_path: str, mailbox: str) -> Found | None:
        """Return the first list that keeps a tenant's mail from a mailbox."""
        for each in lists_for(policy, tenant, reverse_path):
            times = self.entries.get(hash_of(self.secret, each.place, mailbox)) if self.entries else None
            if times is not None and not 0 < times & _MASK <= time.time():
                return Found(each.place, times >> 32)
        return None

    def take(self, message: Message) -> None:
        """Take what the bucket says about one key."""
        try:
            digest = bytes.fromhex(message.subject.rpartition(".")[2])
            if _is_deleted(message):
                self.entries.pop(digest, None)
                return
            entry = json.loads(message.payload)
            self.entries[digest] = (int(entry["since_s"]) << 32) | (int(entry["expires_s"]) & _MASK)
        except (ValueError, KeyError, TypeError):
            LOG.warning("an entry of a SuppressionList cannot be read", key=message.subject.removeprefix(PREFIX))

    async def catch_up(self, js: JetStream) -> None:
        """Read what is new; everything, when something may have been missed."""
        now = time.monotonic()
        last = (await js.request(f"STREAM.INFO.{STREAM}"))["state"]["last_seq"]
        if last < self.seq or now - self.seen_s > BLIND_S:
            anew = Suppressions(self.secret)  # until all is read again, what was known still holds
            await anew._read(js, last)
            self.entries, self.seq = anew.entries, anew.seq
        else:
            await self._read(js, last)
        self.seen_s = now

    async def _read(self, js: JetStream, last: int) -> None:
        while self.seq < last:
            batch = await js.read(STREAM, EVERYTHING, start_seq=self.seq + 1)
            for message in batch:
                self.take(message)
            self.seq = max(last if len(batch) < BATCH else 0, batch[-1].seq if batch else 0)

    async def follow(self, js: JetStream) -> None:
        """Catch up for ever."""
        while True:
            try:
                await self.catch_up(js)
            except (QueueUnavailableError, ApiError) as error:
                LOG.warning("SuppressionLists cannot be read", error=str(error))
            await asyncio.sleep(POLL_S)


def _is_deleted(message: Message) -> bool:
    return message.headers.get("KV-Operation") in DELETED or "Nats-Marker-Reason" in message.headers


def lists_for(policy: Policy, tenant: str, reverse_path: str) -> tuple[SuppressionList, ...]:
    """Return the lists that apply to what a tenant sends under a reverse-path."""
    lists = policy.suppression
    if not lists.by_place:
        return ()
    domain = policy.domain_of(reverse_path.rpartition("@")[2])
    return lists.applying(tenant, domain.domain if domain else "")


def read_secret(path: Path) -> bytes:
    """Return the key of the hashes; raise ValueError when the file has none (KEY_OCTETS_MIN octets, as hex)."""
    try:
        secret = bytes.fromhex(path.read_text().strip())
    except OSError as error:
        raise ValueError(f"the key of SuppressionLists cannot be read: {error}") from error
    if not KEY_OCTETS_MIN <= len(secret) <= 64:  # noqa: PLR2004  (blake2b takes no longer key)
        raise ValueError(f"{path} holds no key of {KEY_OCTETS_MIN} to 64 octets in hexadecimal")
    return secret


def key_of(secret: bytes, place: str, mailbox: str) -> str:
    """Return the key of a mailbox on a list."""
    return f"{place.replace('/', '.')}.{hash_of(secret, place, mailbox).hex()}"


async def put(js: JetStream, key: str, entry: Entry) -> None:
    """Put an entry on its list, or change it; it goes by itself when its time is over."""
    ttl_s = max(1, entry.expires_s - int(time.time())) if entry.expires_s else 0
    await Bucket(js, BUCKET).put(key, entry.encoded(), ttl_s)


async def remove(js: JetStream, key: str) -> bool:
    """Take an entry off its list; say whether it was there."""
    bucket = Bucket(js, BUCKET)
    if await bucket.get(key) is None:
        return False
    await bucket.delete(key)
    return True


async def read(js: JetStream, key: str) -> Entry | None:
    """Return an entry, None when there is none."""
    encoded = await Bucket(js, BUCKET).get(key)
    return None if encoded is None else Entry(**json.loads(encoded))


async def counts(js: JetStream) -> dict[str, int]:
    """Return how many entries each list has."""
    found: dict[str, int] = {}
    for key, _ in await entries(js):
        place = "/".join(key.split(".")[:2])
        found[place] = found.get(place, 0) + 1
    return found


async def entries(js: JetStream) -> Iterator[tuple[str, Entry]]:
    """Return keys and entries of all lists."""
    return (
        (message.subject.removeprefix(PREFIX), Entry(**json.loads(message.payload)))
        for message in await js.read_all(STREAM, EVERYTHING)
        if not _is_deleted(message)
    )


async def room(js: JetStream) -> int:
    """Return how many more entries there is room for."""
    state = (await js.request(f"STREAM.INFO.{STREAM}"))["state"]
    return max(0, SUPPRESSED_MAX - int(state["messages"]))
