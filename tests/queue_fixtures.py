"""A real nats-server with TLS and users, one for each test."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from paquebot.cli.processes import free_port
from paquebot.policy.values import MailDomain, Policy, SendingPool
from paquebot.queue.jetstream import JetStream
from paquebot.queue.provision import provision
from paquebot.queue.server import NatsServer, find_nats_server
from paquebot.queue.users import PERMISSIONS, UNLIMITED, ServerPlace
from paquebot.runtime.authority import create_authority, issue

POOL = SendingPool("mail", "main", "out.example")
POLICY = Policy("r1", {"shop.example": MailDomain("shop", "shop", "shop.example", POOL.token)}, {POOL.token: POOL})

Connect = Callable[..., Awaitable[JetStream]]


@pytest.fixture(scope="session")
def identities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("identities")
    create_authority(root / "authority")
    for name in (*PERMISSIONS, *UNLIMITED, "system", "nats"):
        issue(root / "authority", name, root / name, ())
    return root


@pytest.fixture
def nats(identities: Path, tmp_path: Path) -> Iterator[NatsServer]:
    place = ServerPlace(tmp_path / "store", identities / "nats", free_port(), storage_max_bytes=1 << 30)
    server = NatsServer(find_nats_server(), place, tmp_path / "nats")
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def connect(nats: NatsServer, identities: Path) -> AsyncIterator[Connect]:
    opened: list[JetStream] = []

    async def open_as(identity: str) -> JetStream:
        js = await JetStream.connect(nats.url, identities / identity, identity)
        opened.append(js)
        return js

    yield open_as
    for js in opened:
        await js.close()


@pytest.fixture
async def js(connect: Connect) -> JetStream:
    """Return the admin's connection to a provisioned server."""
    admin = await connect("admin")
    await provision(admin, POLICY)
    return admin
