"""Calls to a service that is slow to take them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from paquebot.mail.principal import Principal
from paquebot.runtime.authority import create_authority, issue
from paquebot.runtime.readiness import Readiness
from paquebot.runtime.rpc_client import HANDSHAKE_MAX_MS, Channel
from paquebot.runtime.rpc_server import Caller, Server
from paquebot.runtime.settings import Address
from paquebot.wire.auth import AUTHENTICATE, AuthenticateRequest

SLOW_S = HANDSHAKE_MAX_MS / 1000 / 4


async def authenticate(request: AuthenticateRequest, caller: Caller) -> Principal:
    return Principal(caller.identity, request.username)


@pytest.fixture
async def auth(tmp_path: Path) -> AsyncIterator[Server]:
    create_authority(tmp_path / "authority")
    for name in ("auth", "submission"):
        issue(tmp_path / "authority", name, tmp_path / name, ())
    server = Server(Address("127.0.0.1", 0), tmp_path / "auth", Readiness())
    server.unary(AUTHENTICATE, authenticate, frozenset({"submission"}))
    await server.start()
    yield server
    await server.stop(0)


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while octets := await reader.read(1 << 16):
        writer.write(octets)
    writer.close()


@pytest.fixture
async def slow_port(auth: Server) -> AsyncIterator[int]:
    """Return a port behind which the server says nothing for a while, as one whose processor is busy."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(SLOW_S)
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", auth.port)
        await asyncio.gather(carry(reader, there_writer), carry(there_reader, writer), return_exceptions=True)

    listener = await asyncio.start_server(relay, "127.0.0.1", 0)
    yield int(listener.sockets[0].getsockname()[1])
    listener.close()


async def test_a_handshake_that_is_slow_is_waited_for(slow_port: int, tmp_path: Path) -> None:
    channel = Channel(f"127.0.0.1:{slow_port}", tmp_path / "submission", "auth")
    answer = await channel.unary(AUTHENTICATE, AuthenticateRequest("known", b"p", ""), 10)
    assert answer == Principal("submission", "known")
    await channel.close()
