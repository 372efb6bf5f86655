"""A deliverer's face of the queue, without a deliverer."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from paquebot.mail.delivery import Plan
from paquebot.mail.record import Kind, Record
from paquebot.mail.settlement import Settlement
from paquebot.queue.acceptance import Acceptance
from paquebot.queue.events import EventWriter
from paquebot.queue.inspection import list_waiting
from paquebot.queue.jetstream import JetStream
from paquebot.queue.poolqueue import PoolQueue
from paquebot.queue.server import NatsServer
from paquebot.queue.taken import Taken
from queue_making import POOL, now_ms
from tests_support import wait_for


def record(taken: Taken, kind: Kind = Kind.DELIVERED) -> Record:
    return Record(kind, now_ms(), taken.delivery.id, taken.delivery.n, "shop", taken.delivery.recipients)


@dataclass(eq=False)
class Owner:
    """A deliverer that notes what it is handed, and settles when told."""

    js: JetStream
    pod: str
    taken: list[Taken] = field(default_factory=list)
    at_once: bool = False

    def __post_init__(self) -> None:
        self.queue = PoolQueue(self.js, EventWriter(self.js), POOL, self.pod, self.on_item, self.on_letting_go)
        self.task = asyncio.create_task(self.queue.run())
        self.settling: list[asyncio.Task[None]] = []

    def on_item(self, taken: Taken) -> None:
        self.taken.append(taken)
        if self.at_once:
            self.settling.append(asyncio.create_task(self.delivered(taken)))

    def on_letting_go(self, partition: int) -> None:
        for taken in self.taken:
            if taken.fence.partition == partition and not taken.begun:
                self.settling.append(asyncio.create_task(self.queue.give_back(taken)))

    async def delivered(self, taken: Taken) -> None:
        await self.queue.settle(taken, Settlement((record(taken),)))

    async def crash(self) -> None:
        """Stop without a word, as kill -9 does: the connection breaks."""
        self.task.cancel()
        await self.js.close()

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@pytest.fixture
async def owner(js: JetStream, connect) -> AsyncIterator[Callable]:
    del js
    owners: list[Owner] = []

    async def start(pod: str = "pod-1", *, at_once: bool = False) -> Owner:
        owners.append(Owner(await connect("deliverer"), pod, at_once=at_once))
        return owners[-1]

    yield start
    for each in owners:
        await each.end()


async def accept(js: JetStream, *deliveries, content: bytes = b"content") -> None:
    await Acceptance(js).accept(Plan(deliveries), content)


async def stored(js: JetStream) -> None:
    """Return when the journal's stream has all that was sent: what is behind it is acknowledged."""
    await js.publish("doubt.behind.it", b"")


async def nothing_waits(js: JetStream) -> None:
    """Return when nothing waits any more: acks are sent, and nobody hears when they have arrived."""
    async with asyncio.timeout(60):
        while await list_waiting(js, POOL):
            await asyncio.sleep(0.05)


async def killed_and_started(nats: NatsServer, *connections: JetStream) -> None:
    """Kill the server and start it again; return when all of these have noticed both."""
    nats.kill()
    await wait_for(lambda: not any(each.connected for each in connections))
    await asyncio.to_thread(nats.start)
    await wait_for(lambda: all(each.connected for each in connections))
