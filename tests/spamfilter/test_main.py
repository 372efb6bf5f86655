"""The process: it refuses bad settings, is ready once it has the policy, judges by it, and drains."""

import asyncio
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from paquebot.cli.processes import free_port
from paquebot.mail.envelope import Envelope
from paquebot.mail.principal import Principal
from paquebot.mail.verdict import Action, Verdict
from paquebot.policy.values import Policy
from paquebot.queue.jetstream import JetStream
from paquebot.queue.policystore import publish_policy
from paquebot.queue.provision import provision
from paquebot.queue.server import NatsServer, find_nats_server
from paquebot.queue.users import PERMISSIONS, UNLIMITED, ServerPlace
from paquebot.runtime.authority import create_authority, issue
from paquebot.runtime.rpc_client import Channel, RpcUnavailableError
from paquebot.wire.spamfilter import JUDGE, JudgeRequest

GTUBE = b"Subject: x\r\n\r\nXJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"
_POOL = {
    "apiVersion": "paquebot.dev/v1alpha1",
    "kind": "SendingPool",
    "metadata": {"namespace": "mail", "name": "main"},
    "spec": {"heloHostname": "out.example"},
}


@pytest.fixture
def identities(tmp_path: Path) -> Path:
    root = tmp_path / "identities"
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
async def admin(nats: NatsServer, identities: Path) -> AsyncIterator[JetStream]:
    js = await JetStream.connect(nats.url, identities / "admin", "admin")
    await provision(js, Policy())
    yield js
    await js.close()


async def _readiness(port: int) -> tuple[int, str]:
    def ask() -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    return await asyncio.to_thread(ask)


async def _until(port: int, wanted: tuple[int, str]) -> None:
    async with asyncio.timeout(30):
        while await _readiness(port) != wanted:
            await asyncio.sleep(0.1)


async def _judged(channel: Channel, request: JudgeRequest) -> Verdict:
    """Return the answer; a connection that takes too long to be made is made again."""
    async with asyncio.timeout(60):
        while True:
            with suppress(RpcUnavailableError):
                return await channel.unary(JUDGE, request, 10)


@dataclass(frozen=True, slots=True)
class Running:
    """A spam filter's process."""

    process: "subprocess.Popen[bytes]"
    grpc_port: int
    admin_port: int

    async def ends(self) -> int:
        """Tell it to end; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self.process.wait, 30)


@contextmanager
def running(nats_url: str, identities: Path) -> Iterator[Running]:
    grpc_port, admin_port = free_port(), free_port()
    settings = {
        "PAQUEBOT_NATS_URL": nats_url,
        "PAQUEBOT_IDENTITY_DIR": str(identities / "spamfilter"),
        "PAQUEBOT_ADMIN_LISTEN": f"127.0.0.1:{admin_port}",
        "PAQUEBOT_GRPC_LISTEN": f"127.0.0.1:{grpc_port}",
    }
    process = subprocess.Popen([sys.executable, "-m", "paquebot.spamfilter"], env=os.environ | settings)
    try:
        yield Running(process, grpc_port, admin_port)
    finally:
        process.kill()
        process.wait()


async def test_it_is_ready_with_the_policy_judges_and_drains(
    nats: NatsServer, admin: JetStream, identities: Path
) -> None:
    with running(nats.url, identities) as found:
        await _until(found.admin_port, (503, "policy: the policy has not been read yet\n"))
        await publish_policy(admin, [_POOL])
        await _until(found.admin_port, (200, "ready\n"))
        channel = Channel(f"127.0.0.1:{found.grpc_port}", identities / "submission", "spamfilter")
        request = JudgeRequest("id", Principal("shop", "shop.app"), Envelope("", ("b@two.example",)), GTUBE)
        assert (await _judged(channel, request)).action is Action.REJECT
        await channel.close()
        assert await found.ends() == 0


async def test_without_a_queue_it_waits_says_so_and_ends_when_told(identities: Path) -> None:
    with running(f"tls://127.0.0.1:{free_port()}", identities) as found:
        async with asyncio.timeout(30):
            while "queue: tls://127.0.0.1:" not in (await _readiness(found.admin_port))[1]:
                await asyncio.sleep(0.1)
        assert await found.ends() == 0


def test_bad_settings_are_all_told_at_once() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PAQUEBOT_")}
    ended = subprocess.run(
        [sys.executable, "-m", "paquebot.spamfilter"], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 78
    wanted = ("PAQUEBOT_NATS_URL", "PAQUEBOT_IDENTITY_DIR", "PAQUEBOT_ADMIN_LISTEN", "PAQUEBOT_GRPC_LISTEN")
    assert all(f"{name} is not set" in ended.stderr for name in wanted)
