"""Submission as a whole, with a real nats-server and the real auth, spam filter and router beside it."""

import asyncio
import base64
import contextlib
import smtplib
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from paquebot.auth import service as auth_service
from paquebot.auth.authenticator import Authenticator
from paquebot.auth.password import hash_password
from paquebot.cli.processes import free_port
from paquebot.dns.resolver import Resolver
from paquebot.mail.envelope import Envelope
from paquebot.mail.record import Kind
from paquebot.policy.compile import compile_policy
from paquebot.policy.manifests import parse
from paquebot.policy.values import Policy
from paquebot.queue.events import read_records
from paquebot.queue.fitness import record
from paquebot.queue.jetstream import JetStream
from paquebot.queue.payload import decode
from paquebot.queue.policystore import publish_policy
from paquebot.queue.provision import provision
from paquebot.queue.server import NatsServer, find_nats_server
from paquebot.queue.subjects import PARTITIONS, ready_filter_all, stream_of
from paquebot.queue.users import PERMISSIONS, UNLIMITED, ServerPlace
from paquebot.router import service as router_service
from paquebot.router.keyring import Keyring
from paquebot.runtime.authority import create_authority, issue
from paquebot.runtime.process import Process
from paquebot.runtime.readiness import Readiness
from paquebot.runtime.rpc_client import Channel
from paquebot.runtime.rpc_server import Server
from paquebot.runtime.settings import Address
from paquebot.spamfilter.history.histories import Histories
from paquebot.spamfilter.history.keys import Hashes
from paquebot.spamfilter.service import SpamFilter
from paquebot.submission import intake
from paquebot.submission.__main__ import Settings, main
from paquebot.wire.spamfilter import JUDGE_STREAM
from paquebot.wire.submission import SUBMIT, SubmitRequest

MANIFESTS = """
{apiVersion: paquebot.dev/v1alpha1, kind: SendingPool, metadata: {name: main, namespace: mail-system},
 spec: {heloHostname: out.example, allowedNamespaces: {names: ["*"]}}}
---
{apiVersion: paquebot.dev/v1alpha1, kind: MailDomain, metadata: {name: main, namespace: shop},
 spec: {domain: shop.example, poolRef: {name: main}}}
---
{apiVersion: paquebot.dev/v1alpha1, kind: MailDomain, metadata: {name: lax, namespace: shop},
 spec: {domain: lax.example, poolRef: {name: main}, content: {onUnavailable: Accept}}}
---
{apiVersion: paquebot.dev/v1alpha1, kind: SMTPCredential, metadata: {name: web, namespace: shop},
 spec: {domainRefs: [{name: main}, {name: lax}]}}
"""
OBJECTS = [located.object for located in parse(MANIFESTS, "test.yaml")]
PASSWORD = "correct horse"
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
LOOPBACK = Address("127.0.0.1", 0)


@pytest.fixture(scope="module")
def identities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("identities")
    create_authority(root / "authority")
    for name in (*PERMISSIONS, *UNLIMITED, "system", "nats", "client", "smtp"):
        issue(root / "authority", name, root / name, ("localhost",))
    return root


@dataclass
class Platform:
    """What runs, and how to reach it."""

    identities: Path
    nats: NatsServer
    admin: JetStream
    process: Process
    settings: Settings
    servers: dict[str, Server] = field(default_factory=dict)
    task: "asyncio.Task[None] | None" = None

    def client(self) -> smtplib.SMTP_SSL:
        trust = ssl.create_default_context(cafile=self.identities / "smtp" / "ca.crt")
        return smtplib.SMTP_SSL("localhost", self.settings.smtps_listen.port, context=trust, timeout=30)

    def send(self, client: smtplib.SMTP, domain: str = "shop.example", body: str = "Hello") -> str:
        """Run one transaction; return the reply to its content, or what refused it before."""
        sender = f"ann@{domain}"
        content = f"From: {sender}\r\nSubject: Hi\r\n\r\n{body}\r\n"
        try:
            client.mail(sender)
            client.rcpt("bob@[192.0.2.1]")
            code, text = client.data(content)
        except smtplib.SMTPDataError as refusal:
            code, text = refusal.smtp_code, refusal.smtp_error
        return f"{code} {text.decode()}"

    async def waiting(self) -> list[bytes]:
        """Return the contents that lie in the queue."""
        contents = []
        for stream in {stream_of("mail-system_main", partition) for partition in range(PARTITIONS)}:
            for message in await self.admin.read_all(stream, ready_filter_all("mail-system_main", int(stream[-1]))):
                item, content = decode(message.payload)
                contents.append(item.deliveries[0].prefix + bytes(content))
        return contents


async def _auth(server: Server, policy: Policy) -> Authenticator:
    authenticator = Authenticator(lambda: time.time_ns() // 1_000_000, b"k" * 32)
    authenticator.learn_policy(policy)
    authenticator.learn_hashes({"shop.web": (hash_password(PASSWORD.encode()),)})
    auth_service.serve(server, authenticator)
    return authenticator


async def _around(stack: contextlib.AsyncExitStack, identities: Path) -> dict[str, Server]:
    """Start auth, spam filter and router."""
    policy = compile_policy(OBJECTS)
    servers = {name: Server(LOOPBACK, identities / name, Readiness()) for name in ("auth", "spamfilter", "router")}
    stack.callback((await _auth(servers["auth"], policy)).close)
    servers["spamfilter"].stream(
        JUDGE_STREAM, SpamFilter(policy, Histories(Hashes(b"k" * 32))).answer, frozenset({"submission"})
    )
    router = router_service.Router("mx.example", Resolver(("127.0.0.1", 1)), Keyring(None))
    router.follow(policy)
    router_service.serve(servers["router"], router)
    for server in servers.values():
        await server.start()
        stack.push_async_callback(server.stop, 0)
    return servers


@pytest.fixture
async def platform(identities: Path, tmp_path: Path) -> AsyncIterator[Platform]:
    async with contextlib.AsyncExitStack() as stack:
        place = ServerPlace(tmp_path / "store", identities / "nats", free_port(), storage_max_bytes=1 << 30)
        nats = NatsServer(find_nats_server(), place, tmp_path / "nats")
        nats.start()
        stack.callback(nats.stop)
        admin = await JetStream.connect(nats.url, identities / "admin", "admin")
        stack.push_async_callback(admin.close)
        await provision(admin, compile_policy(OBJECTS))
        await record(admin, {"version": "2.15.2", "api_level": 5, "sync_always": True})
        await publish_policy(admin, OBJECTS)
        servers = await _around(stack, identities)
        targets: dict[str, Any] = {
            f"{name}_target": Address("127.0.0.1", server.port) for name, server in servers.items()
        }
        settings = Settings(
            pod="submission-0",
            identity_dir=identities / "submission",
            admin_listen=LOOPBACK,
            nats_url=nats.url,
            grpc_listen=Address("127.0.0.1", free_port()),
            hostname="mx.example",
            smtp_listen=Address("127.0.0.1", free_port()),
            smtps_listen=Address("127.0.0.1", free_port()),
            smtp_cert_dir=identities / "smtp",
            drain_s=5,
            **targets,
        )
        process = Process("submission", "submission-0", asyncio.Event(), Readiness({"start": "starting"}))
        running = Platform(identities, nats, admin, process, settings, servers)
        running.task = asyncio.create_task(main(process, settings))
        await until(lambda: process.readiness.is_ready and listens(settings.smtps_listen.port))
        yield running
        process.draining.set()
        await asyncio.wait_for(running.task, 30)


async def until(claim: Callable[[], bool]) -> None:
    """Wait for what others bring about; the test's own time limit ends a wait for nothing."""
    while not claim():
        await asyncio.sleep(0.05)


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


async def test_an_accepted_message_lies_in_the_queue_and_in_the_events(platform: Platform) -> None:
    def work() -> str:
        with platform.client() as client:
            client.login("shop.web", PASSWORD)
            return platform.send(client)

    reply = await asyncio.to_thread(work)
    assert reply.startswith("250 2.0.0 Ok: queued as ")
    ident = reply.rpartition(" ")[2]
    (lying,) = await platform.waiting()
    assert lying.startswith(b"Received: from ")
    assert f"with ESMTPSA\r\n id {ident} for <bob@[192.0.2.1]>;".encode() in lying
    assert lying.endswith(b"\r\n\r\nHello\r\n")
    records = []
    while not records:
        records = [each async for each in read_records(platform.admin, 0)]
    assert [(each.kind, each.id, each.tenant, each.credential) for each in records] == [
        (Kind.ACCEPTED, ident, "shop", "web")
    ]


async def test_unwanted_mail_is_refused_with_a_reason_and_not_kept(platform: Platform) -> None:
    def work() -> str:
        with platform.client() as client:
            client.login("shop.web", PASSWORD)
            return platform.send(client, body=GTUBE)

    assert (await asyncio.to_thread(work)).startswith("550 5.7.1 Refused as unwanted")
    assert await platform.waiting() == []


async def test_programs_submit_by_grpc(platform: Platform) -> None:
    channel = Channel(str(platform.settings.grpc_listen), platform.identities / "client", "submission")
    request = SubmitRequest(
        Envelope("ann@shop.example", ("bob@[192.0.2.1]",)), b"From: ann@shop.example\r\n\r\nHello\r\n"
    )
    basic = base64.b64encode(f"shop.web:{PASSWORD}".encode()).decode()
    answer = await channel.unary(SUBMIT, request, 30, (("authorization", f"Basic {basic}"),))
    await channel.close()
    assert answer.reply.code == 250
    (lying,) = await platform.waiting()
    assert lying.startswith(f"Received: by mx.example with GRPC id {answer.id}".encode())


async def test_when_auth_is_gone_sessions_go_on_and_newcomers_hear_454(platform: Platform) -> None:
    def enter() -> smtplib.SMTP_SSL:
        client = platform.client()
        client.login("shop.web", PASSWORD)
        return client

    known = await asyncio.to_thread(enter)
    await platform.servers["auth"].stop(0)

    def newcomer() -> None:
        with platform.client() as client, pytest.raises(smtplib.SMTPAuthenticationError, match=r"4\.7\.0"):
            client.login("shop.web", PASSWORD)

    await asyncio.to_thread(newcomer)
    assert (await asyncio.to_thread(platform.send, known)).startswith("250 ")
    known.close()
    assert REGISTRY.get_sample_value("paquebot_submission_reachable", {"service": "auth"}) == 0


async def test_when_the_filter_is_gone_policy_decides(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "JUDGE_S", 0.5)
    await platform.servers["spamfilter"].stop(0)

    def work() -> tuple[str, str]:
        with platform.client() as client:
            client.login("shop.web", PASSWORD)
            return platform.send(client), platform.send(client, "lax.example")

    deferred, accepted = await asyncio.to_thread(work)
    assert deferred == "451 4.3.0 The spam filter does not answer: try again later"
    assert accepted.startswith("250 ")
    (lying,) = await platform.waiting()
    assert b"\r\nX-Spam-Status: Unscanned\r\n" in lying


async def test_when_the_router_is_gone_mail_is_deferred(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "PLAN_S", 0.5)
    await platform.servers["router"].stop(0)

    def work() -> str:
        with platform.client() as client:
            client.login("shop.web", PASSWORD)
            return platform.send(client)

    assert await asyncio.to_thread(work) == "451 4.3.0 The router does not answer: try again later"


async def test_when_the_queue_is_gone_it_is_not_ready_and_says_why(platform: Platform) -> None:
    await asyncio.to_thread(platform.nats.stop)
    await until(lambda: not platform.process.readiness.is_ready)
    assert platform.process.readiness.report() == "nats: not connected\n"
    await asyncio.to_thread(platform.nats.start)
    await until(lambda: platform.process.readiness.is_ready)


async def test_draining_ends_the_process_and_keeps_what_was_accepted(platform: Platform) -> None:
    def begin() -> smtplib.SMTP_SSL:
        client = platform.client()
        client.login("shop.web", PASSWORD)
        client.mail("ann@shop.example")
        client.rcpt("bob@[192.0.2.1]")
        return client

    client = await asyncio.to_thread(begin)
    platform.process.draining.set()
    await until(lambda: not listens(platform.settings.smtps_listen.port))
    code, _ = await asyncio.to_thread(client.data, b"From: ann@shop.example\r\n\r\nHello\r\n")
    assert code == 250
    assert (await asyncio.to_thread(client.getreply))[0] == 421
    client.close()
    assert platform.task is not None
    await asyncio.wait_for(platform.task, 30)
    assert len(await platform.waiting()) == 1
    assert [each.kind async for each in read_records(platform.admin, 0)] == [Kind.ACCEPTED]
