"""A deliverer as a process of its own, to be killed: two MX hosts for every domain, items that come back soon.

Arguments: the queue's address, the folder of identities, the hosts' port.
"""

import asyncio
import random
import sys
from pathlib import Path

import uvloop

from paquebot.deliverer.courier import World
from paquebot.deliverer.dispatch import Dispatcher
from paquebot.deliverer.settler import Settler
from paquebot.deliverer.wheel import DeadlineWheel
from paquebot.dns.resolver import Addresses, MxAnswer, MxKind, Resolver
from paquebot.mail.delivery import Delivery
from paquebot.mail.report import Report
from paquebot.policy.values import Policy
from paquebot.queue import provision
from paquebot.queue.events import EventWriter
from paquebot.queue.jetstream import JetStream
from paquebot.queue.poolqueue import PoolQueue

ACK_WAIT_S = 3


class TwoHosts(Resolver):
    """The world's DNS: a.mx at 127.0.0.1 before b.mx at 127.0.0.2."""

    async def mx(self, domain: str) -> MxAnswer:
        del domain
        return MxAnswer(MxKind.MX, ((10, "a.mx"), (20, "b.mx")))

    async def addresses(self, host: str) -> Addresses:
        return Addresses((f"127.0.0.{ord(host[0]) - 96}",))


async def deliver(js: JetStream, pod: str, port: int, policy: Policy) -> None:
    """Deliver for ever."""
    wheel, (pool,) = DeadlineWheel(), policy.pools
    world = World(wheel, TwoHosts(("127.0.0.1", 1)), random.Random(1), allow_private=True)
    queue = PoolQueue(js, EventWriter(js), pool, pod)
    dispatcher = Dispatcher(world, port, Settler(queue, "mail.example", submit, world.chance), pool)
    dispatcher.follow(policy)
    await asyncio.gather(wheel.run(), dispatcher.run(), queue.run())


async def submit(report: Report, about: Delivery) -> bool:
    """Take every report."""
    del report, about
    return True


async def main(url: str, identities: str, port: str) -> None:
    """Be pod-0."""
    provision.ACK_WAIT_S = ACK_WAIT_S
    from queue_fixtures import POLICY

    await deliver(await JetStream.connect(url, Path(identities) / "deliverer", "pod-0"), "pod-0", int(port), POLICY)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
