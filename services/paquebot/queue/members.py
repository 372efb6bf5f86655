"""Who is alive: each process writes itself down every few seconds, and vanishes when it stops doing so."""

import asyncio
import contextlib
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace

import structlog

from paquebot.queue.buckets import Bucket
from paquebot.queue.jetstream import ApiError, JetStream, QueueFullError, QueueUnavailableError
from paquebot.queue.provision import MEMBER_TTL_S

BEAT_S = 2.5
LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Load:
    """What a deliverer did since its start, `at_s` seconds ago by its own clock, and its sessions now.

    `core_s` are seconds of CPU; `groups` have the attempts and the seconds spent on them, by destination group.
    """

    at_s: float = 0.0
    attempts: int = 0
    core_s: float = 0.0
    sessions: int = 0
    groups: Mapping[str, tuple[int, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Member:
    """A process: its service, the policy revision it runs, and its pool if it has one.

    `orders` is the sequence of the bucket of orders up to which it obeys them.
    """

    pod: str
    service: str
    revision: str = ""
    pool: str = ""
    draining: bool = False
    orders: int = 0
    load: Load = field(default_factory=Load)


FIELDS = tuple(each.name for each in fields(Member))
LOAD_FIELDS = tuple(each.name for each in fields(Load))


@dataclass(slots=True)
class Heartbeat:
    """Keeps a member written down."""

    js: JetStream
    member: Member
    beaten: float = -math.inf  # loop time when the last entry that was stored, or had no room, was sent
    failing: bool = False

    def runs(self, revision: str) -> None:
        """Report another revision with the next beat."""
        self.member = replace(self.member, revision=revision)

    def knows_orders(self, seq: int) -> None:
        """Report with the next beat how far we know the orders."""
        self.member = replace(self.member, orders=seq)

    def bears(self, load: Load) -> None:
        """Report with the next beat what there is to do."""
        self.member = replace(self.member, load=load)

    async def beat(self) -> None:
        """Write the member down once."""
        sent = asyncio.get_running_loop().time()
        await Bucket(self.js, "members").put(
            self.member.pod, json.dumps(asdict(self.member)).encode(), ttl_s=MEMBER_TTL_S
        )
        self.beaten = sent

    async def try_to_beat(self) -> None:
        """Write the member down once, if the queue lets us; say so when it does no longer.

        A store without room refuses a take-over as well: then nobody can come in our place, and we go on making room.
        """
        sent = asyncio.get_running_loop().time()
        try:
            await self.beat()
        except (QueueUnavailableError, QueueFullError, ApiError) as error:
            if isinstance(error, QueueFullError):
                self.beaten = sent
            if not self.failing:
                LOG.warning("our heartbeat cannot be stored", error=str(error))
            self.failing = True
        else:
            self.failing = False

    async def run(self) -> None:
        """Beat for ever."""
        while True:
            await self.try_to_beat()
            await asyncio.sleep(BEAT_S)

    async def leave(self) -> None:
        """Take the member away at once."""
        with contextlib.suppress(QueueUnavailableError, QueueFullError, ApiError):
            await Bucket(self.js, "members").delete(self.member.pod)


async def members(js: JetStream) -> list[Member]:
    """Return who is alive now."""
    entries = await Bucket(js, "members").snapshot()
    return _decode(entries)


def staying(found: Iterable[Member], pool: str) -> set[str]:
    """Return the deliverers of a pool that are there and do not drain."""
    return {each.pod for each in found if each.service == "deliverer" and each.pool == pool and not each.draining}


async def is_present(js: JetStream, pod: str) -> bool:
    """Say whether a process is alive now: it may have come since the members were read. "" is nobody's name."""
    return bool(pod) and await Bucket(js, "members").get(pod) is not None


async def follow_members(js: JetStream, on_members: Callable[[list[Member]], None]) -> None:
    """Hand over who is alive, now and after each change, for ever."""
    await Bucket(js, "members").follow(lambda entries: on_members(_decode(entries)))


def _decode(entries: Mapping[str, bytes]) -> list[Member]:
    """Read the entries; what another release adds to one is passed over, and so is an entry that is none."""
    alive = []
    for key, value in entries.items():
        try:
            entry = json.loads(value)
            known = {name: entry[name] for name in FIELDS if name in entry}
            alive.append(Member(**known | {"load": _load(entry.get("load"))}))
        except (ValueError, TypeError, AttributeError):
            LOG.warning("an entry is no member", key=key)
    return alive


def _load(entry: object) -> Load:
    if not isinstance(entry, dict):
        return Load()
    groups = {str(name): (int(count), float(spent)) for name, (count, spent) in entry.get("groups", {}).items()}
    return Load(**{name: entry[name] for name in LOAD_FIELDS if name in entry} | {"groups": groups})
