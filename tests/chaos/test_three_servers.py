"""Three nats-servers that keep everything thrice: what differs from one, and that nothing is lost when they go."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import structlog.testing

from chaos.plan import Fault, Kind
from chaos.run import CALM, Profile, Run
from chaos.scene import Servers, nodes, until_led
from chaos.storm import LEADER
from paquebot.mail.record import Kind as RecordKind
from paquebot.mail.settlement import Settlement
from paquebot.queue.admission import Admission
from paquebot.queue.inspection import list_waiting
from paquebot.queue.jetstream import JetStream
from paquebot.queue.provision import provision
from paquebot.queue.subjects import PARTITIONS
from queue_fixtures import POLICY
from queue_making import POOL, delivery, now_ms
from queue_owner import Owner, accept, record
from tests_support import wait_for

STORE_BYTES = 1 << 30
FAULTS = (Fault(0, Kind.KILL, LEADER, 1.0), Fault(0, Kind.RESTART, "all servers in turn", 0.0))


@pytest.fixture
async def connect(identities: Path, tmp_path: Path) -> AsyncIterator[Callable]:
    """Return what connects to three provisioned servers."""
    servers = Servers(nodes(tmp_path / "store", identities / "nats", tmp_path / "logs", STORE_BYTES))
    await asyncio.gather(*(asyncio.to_thread(node.start) for node in servers.nodes))
    await until_led(servers.url, identities / "admin")
    opened: list[JetStream] = []

    async def open_as(identity: str) -> JetStream:
        opened.append(await JetStream.connect(servers.url, identities / identity, identity))
        return opened[-1]

    await provision(await open_as("admin"), POLICY, replicas=3)
    yield open_as
    for js in opened:
        await js.close()
    await asyncio.to_thread(servers.stop)


async def test_outcomes_of_one_partition_are_stored_without_a_pause_and_a_pool_has_its_share(connect: Callable) -> None:
    js = await connect("admin")
    one = Owner(await connect("deliverer"), "pod-1")
    await wait_for(lambda: len(one.queue.partitions) == PARTITIONS)
    await asyncio.gather(*(accept(js, delivery(f"m{number}"), content=b"x" * 20_000) for number in range(100)))
    await wait_for(lambda: len(one.taken) == 100)
    later = now_ms() + 3_600_000
    with structlog.testing.capture_logs() as lines:
        settling = (
            one.queue.settle(
                taken,
                Settlement(
                    (record(taken, RecordKind.DEFERRED),), again=replace(taken.delivery, attempts=1, next_ms=later)
                ),
            )
            for taken in one.taken
        )
        await asyncio.gather(*settling)
    assert "an outcome cannot be stored yet" not in {line["event"] for line in lines}
    assert len(await list_waiting(js, POOL)) == 100
    admission = Admission(js)
    await admission.look([POOL])
    assert 0.9 * admission.used < admission.pools[POOL] <= admission.used  # nearly all that is stored is the pool's
    await one.end()


@pytest.mark.timeout(600)
async def test_a_leader_dies_and_each_server_restarts_and_nothing_is_lost(tmp_path: Path) -> None:
    """What waits at the end may wait: what the leader had handed out when it died comes again a minute later."""
    profile = Profile(3, 0.0, 60.0, faults=FAULTS, drain_s=240.0, servers=3, until_empty=False)
    run = Run(profile, tmp_path / "platform", print)
    account = await run.whole()
    print(f"the longest pause was {account['longest_pause_s']} s; {account}")
    wrong = {each: account[each] for each in ("lost", "altered", "orphaned")}
    assert not any(wrong.values()), wrong
    assert account["accepted_messages"] >= CALM * len(FAULTS)
    assert account["duplicated"] <= account["in_flight_at_outages"]
