"""Auth over gRPC with real certificates: who may ask, and what comes back."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from paquebot.auth import password
from paquebot.auth.authenticator import WRONG, Authenticator
from paquebot.auth.service import serve
from paquebot.mail.principal import Principal
from paquebot.policy.values import Limits, Policy, SMTPCredential
from paquebot.runtime.authority import create_authority, issue
from paquebot.runtime.readiness import Readiness
from paquebot.runtime.rpc_client import Channel, RpcRefusedError
from paquebot.runtime.rpc_server import Server
from paquebot.runtime.settings import Address
from paquebot.wire.auth import AUTHENTICATE, LEASE, AuthenticateRequest, LeaseRequest, Refusal

WEB = SMTPCredential("shop", "web", ("*@shop.example",), limits=Limits(3600))


@dataclass(frozen=True, slots=True)
class Place:
    folder: Path
    target: str

    def channel(self, identity: str) -> Channel:
        issue(self.folder / "authority", identity, self.folder / identity, ())
        return Channel(self.target, self.folder / identity, "auth")


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    create_authority(tmp_path / "authority")
    issue(tmp_path / "authority", "auth", tmp_path / "auth", ())
    authenticator = Authenticator(lambda: 1_790_000_000_000, b"k" * 32)
    authenticator.learn_policy(Policy(credentials={WEB.username: WEB}))
    authenticator.learn_hashes({WEB.username: (password.hash_password(b"right"),)})
    server = Server(Address("127.0.0.1", 0), tmp_path / "auth", Readiness())
    serve(server, authenticator)
    port = await server.start()
    yield Place(tmp_path, f"127.0.0.1:{port}")
    await server.stop(0)
    authenticator.close()


async def test_submission_learns_principals_refusals_and_leases(place: Place) -> None:
    channel = place.channel("submission")
    right = await channel.unary(AUTHENTICATE, AuthenticateRequest("shop.web", b"right", "192.0.2.1"), 10)
    wrong = await channel.unary(AUTHENTICATE, AuthenticateRequest("shop.web", b"wrong", "192.0.2.1"), 10)
    lease = await channel.unary(LEASE, LeaseRequest("shop", "web", 100), 10)
    await channel.close()
    assert right == Principal("shop", "web", ("*@shop.example",), messages_per_hour=3600)
    assert wrong == Refusal(WRONG, 250)
    assert (lease.granted, lease.valid_ms) == (10, 10_000)


async def test_no_other_identity_may_ask(place: Place) -> None:
    channel = place.channel("router")
    with pytest.raises(RpcRefusedError, match="'router' may not call this"):
        await channel.unary(AUTHENTICATE, AuthenticateRequest("shop.web", b"right", "192.0.2.1"), 10)
    with pytest.raises(RpcRefusedError, match="'router' may not call this"):
        await channel.unary(LEASE, LeaseRequest("shop", "web", 1), 10)
    await channel.close()
