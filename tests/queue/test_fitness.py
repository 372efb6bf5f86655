"""A server that would lose mail is refused with the reason and the cure."""

import asyncio
from dataclasses import replace

import pytest

from paquebot.policy.values import Policy
from paquebot.queue.fitness import UnfitServerError, faults_of, inspect, record, refuse_unfit
from paquebot.queue.jetstream import JetStream
from paquebot.queue.provision import provision
from paquebot.queue.server import NatsServer


async def test_a_fit_server_is_recorded_and_accepted(js: JetStream, connect) -> None:
    await record(js, await inspect(await connect("system")))
    await refuse_unfit(await connect("submission"))


async def test_a_server_that_syncs_lazily_is_refused(nats: NatsServer, connect) -> None:
    nats.stop()
    nats.place = replace(nats.place, sync_interval='"2m"')
    await asyncio.to_thread(nats.start)
    admin = await connect("admin")
    await provision(admin, Policy())
    await record(admin, await inspect(await connect("system")))
    with pytest.raises(UnfitServerError, match="set `sync_interval: always`"):
        await refuse_unfit(admin)


async def test_without_a_record_nobody_starts(js: JetStream) -> None:
    with pytest.raises(UnfitServerError, match="start the policy publisher first"):
        await refuse_unfit(js)


@pytest.mark.parametrize(
    ("server", "fault"),
    [
        (
            {"version": "2.14.5", "api_level": 4, "sync_always": True},
            "nats-server 2.14.5 is too old: run 2.15.0 or newer",
        ),
        ({"version": "2.15.1", "api_level": 4, "sync_always": True}, "JetStream API level 4 is too old: 5 is needed"),
    ],
)
def test_an_old_server_is_named(server: dict, fault: str) -> None:
    assert fault in faults_of(server)
