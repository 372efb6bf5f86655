"""The auth process against a real nats-server: it learns, says what it lacks, answers and drains."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest

from paquebot.auth import password
from paquebot.auth.authenticator import NOT_LOADED, WRONG
from paquebot.cli.processes import free_port
from paquebot.mail.principal import Principal
from paquebot.mail.reply import Reply
from paquebot.policy.compile import compile_policy
from paquebot.policy.manifests import parse
from paquebot.queue.credentials import put_hash
from paquebot.queue.jetstream import JetStream
from paquebot.queue.policystore import publish_policy
from paquebot.queue.provision import provision
from paquebot.queue.server import NatsServer, find_nats_server
from paquebot.queue.users import ServerPlace
from paquebot.runtime.authority import create_authority, issue
from paquebot.runtime.rpc_client import Channel, RpcUnavailableError
from paquebot.wire.auth import AUTHENTICATE, AuthenticateRequest, Refusal

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60
OBJECTS = [
    found.object
    for name in ("pool", "domain", "credential")
    for found in parse((ROOT / "examples" / f"{name}.yaml").read_text())
]


@pytest.fixture
def identities(tmp_path: Path) -> Path:
    create_authority(tmp_path / "authority")
    for name in ("auth", "submission", "publisher", "nats"):
        issue(tmp_path / "authority", name, tmp_path / name, ())
    return tmp_path


@pytest.fixture
def nats(identities: Path) -> Iterator[NatsServer]:
    place = ServerPlace(identities / "store", identities / "nats", free_port())
    server = NatsServer(find_nats_server(), place, identities / "nats-server")
    server.start()
    yield server
    server.stop()


def readiness(port: int) -> str:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return str(answer.read().decode())
    except HTTPError as refused:
        with refused:
            return refused.read().decode()
    except URLError:
        return ""


async def until(expected: str, port: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while expected not in await asyncio.to_thread(readiness, port):
            await asyncio.sleep(0.05)


async def ask(channel: Channel, given: bytes) -> Principal | Refusal:
    return await channel.unary(AUTHENTICATE, AuthenticateRequest("shop.web", given, "192.0.2.1"), 10)


async def until_answered(channel: Channel, reply: Reply | None, given: bytes = b"right") -> None:
    """Ask until the reply is this one, or, with None, a welcome; what changes while it is checked is told as such."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                answer = await ask(channel, given)
            except RpcUnavailableError:
                await asyncio.sleep(0.05)
                continue
            if (answer.reply if isinstance(answer, Refusal) else None) == reply:
                return
            await asyncio.sleep(0.05)


@pytest.mark.timeout(300)
async def test_auth_lacks_learns_answers_and_drains(identities: Path, nats: NatsServer) -> None:
    grpc_port, admin_port = free_port(), free_port()
    environment = os.environ | {
        "PYTHONPATH": str(ROOT / "services"),
        "PAQUEBOT_POD": "auth-0",
        "PAQUEBOT_IDENTITY_DIR": str(identities / "auth"),
        "PAQUEBOT_ADMIN_LISTEN": f"127.0.0.1:{admin_port}",
        "PAQUEBOT_GRPC_LISTEN": f"127.0.0.1:{grpc_port}",
        "PAQUEBOT_NATS_URL": nats.url,
    }
    publisher = await JetStream.connect(nats.url, identities / "publisher", "publisher")
    channel = Channel(f"127.0.0.1:{grpc_port}", identities / "submission", "auth")
    process = subprocess.Popen([sys.executable, "-m", "paquebot.auth"], env=environment)
    try:
        await until("policy: not read yet", admin_port)
        await until_answered(channel, NOT_LOADED)

        await provision(publisher, compile_policy(OBJECTS))
        await publish_policy(publisher, OBJECTS)
        await put_hash(publisher, "shop.web", password.hash_password(b"right"))
        await until("ready", admin_port)
        await until_answered(channel, None)
        assert await ask(channel, b"right") == Principal(
            "shop", "web", ("orders@shop.example", "*@mail.shop.example"), messages_per_hour=10_000
        )

        await put_hash(publisher, "shop.web", password.hash_password(b"new"))
        await until_answered(channel, WRONG)
        await until_answered(channel, None, b"new")

        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 30) == 0
    finally:
        process.kill()
        process.wait()
        await channel.close()
        await publisher.close()
