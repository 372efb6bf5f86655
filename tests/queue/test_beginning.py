"""A service waits for a queue that is not there yet, and refuses one that would lose mail."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from paquebot.queue.beginning import first_connection, first_fit_connection
from paquebot.queue.fitness import UnfitServerError, inspect, record
from paquebot.queue.jetstream import JetStream
from paquebot.queue.server import NatsServer
from tests_support import wait_for


class Told:
    """What a service was told of why it waits; it waits on as long as it is to."""

    def __init__(self, *, patient: bool = True) -> None:
        self.why: list[str] = []
        self.patient = patient

    def __call__(self, why: str) -> bool:
        self.why.append(why)
        return self.patient


async def test_it_waits_until_the_server_is_there(nats: NatsServer, identities: Path) -> None:
    told = Told()
    await asyncio.to_thread(nats.stop)
    waiting = asyncio.create_task(first_connection(nats.url, identities / "router", "router", told))
    await wait_for(lambda: told.why, 60)
    await asyncio.to_thread(nats.start)
    js = await waiting
    assert js is not None
    await js.close()


async def test_it_waits_no_longer_when_told_so(identities: Path) -> None:
    told = Told(patient=False)
    assert await first_connection("tls://127.0.0.1:1", identities / "router", "router", told) is None
    assert "127.0.0.1:1" in told.why[0]


async def test_it_waits_until_somebody_has_looked_at_the_server(
    nats: NatsServer, identities: Path, js: JetStream, connect: Callable[[str], Awaitable[JetStream]]
) -> None:
    told = Told()
    waiting = asyncio.create_task(first_fit_connection(nats.url, identities / "submission", "submission", told))
    await wait_for(lambda: told.why, 60)
    await record(js, await inspect(await connect("system")))
    mine = await waiting
    assert mine is not None
    await mine.close()


async def test_a_service_that_is_to_end_waits_for_nobody_to_look(
    nats: NatsServer, identities: Path, js: JetStream
) -> None:
    told = Told(patient=False)
    assert js.connected
    assert await first_fit_connection(nats.url, identities / "submission", "submission", told) is None


async def test_a_server_that_would_lose_mail_is_refused(nats: NatsServer, identities: Path, js: JetStream) -> None:
    await record(js, {"version": "2.15.2", "api_level": 5, "sync_always": False})
    with pytest.raises(UnfitServerError, match="sync_interval"):
        await first_fit_connection(nats.url, identities / "submission", "submission", Told())
