"""A deliverer as a process, with a real queue, the sandbox as its world, and a Submission that may be away."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from paquebot.cli.processes import free_port
from paquebot.deliverer import service
from paquebot.deliverer.service import Reports, Settings, _world, serve
from paquebot.deliverer.wheel import DeadlineWheel
from paquebot.mail.delivery import Plan
from paquebot.mail.envelope import Wish
from paquebot.mail.reply import Reply
from paquebot.mail.report import Report
from paquebot.policy.manifests import parse
from paquebot.queue.acceptance import Acceptance
from paquebot.queue.fitness import record
from paquebot.queue.inspection import list_waiting
from paquebot.queue.jetstream import JetStream
from paquebot.queue.policystore import publish_policy
from paquebot.runtime.process import Process
from paquebot.runtime.readiness import Readiness
from paquebot.runtime.rpc_client import Channel, RpcRefusedError
from paquebot.runtime.rpc_server import Caller, Server
from paquebot.runtime.settings import Address
from paquebot.sandbox.internet import Internet
from paquebot.wire.deliverer import STATE, StateRequest
from paquebot.wire.submission import SUBMIT, SubmitAnswer, SubmitRequest
from queue_making import POOL, delivery
from tests_support import wait_for

MANIFESTS = """
{apiVersion: paquebot.dev/v1alpha1, kind: SendingPool, metadata: {name: main, namespace: mail},
 spec: {heloHostname: out.example, allowedNamespaces: {names: ["*"]}}}
---
{apiVersion: paquebot.dev/v1alpha1, kind: MailDomain, metadata: {name: main, namespace: shop},
 spec: {domain: shop.example, poolRef: {name: main, namespace: mail}}}
"""
OBJECTS = [located.object for located in parse(MANIFESTS, "test.yaml")]
ANY = Address("127.0.0.1", 0)
REPORT = Report("018f0000-0000-7000-8000-000000000001", "a@shop.example", b"Subject: it failed\r\n\r\nSorry\r\n")


@dataclass
class Submission:
    """The world behind the deliverer: takes reports, with the replies it is told to give."""

    identities: Path
    port: int = field(default_factory=free_port)
    replies: list[Reply] = field(default_factory=list)
    requests: list[SubmitRequest] = field(default_factory=list)
    server: Server | None = None

    async def start(self, allowed: str = "deliverer") -> None:
        self.server = Server(Address("127.0.0.1", self.port), self.identities / "submission", Readiness())
        self.server.unary(SUBMIT, self.answer, frozenset({allowed}))
        await self.server.start()

    async def stop(self) -> None:
        if self.server is not None:
            await self.server.stop(0)

    async def answer(self, request: SubmitRequest, _caller: Caller) -> SubmitAnswer:
        self.requests.append(request)
        reply = self.replies.pop(0) if self.replies else Reply(250, "2.0.0", "Ok")
        return SubmitAnswer(reply, request.id)


@pytest.fixture
async def submission(identities: Path, monkeypatch) -> AsyncIterator[Submission]:
    monkeypatch.setattr(service, "SUBMIT_AGAIN_S", 0.02)
    one = Submission(identities)
    yield one
    await one.stop()


@contextlib.asynccontextmanager
async def reports_to(submission: Submission) -> AsyncIterator[Reports]:
    channel = Channel(f"127.0.0.1:{submission.port}", submission.identities / "deliverer", "submission")
    yield Reports(channel)
    await channel.close()


def settings(identities: Path, **changes: Any) -> Settings:
    values = {
        "identity_dir": identities / "deliverer",
        "admin_listen": ANY,
        "pod": "pod-1",
        "nats_url": "",
        "grpc_listen": ANY,
        "pool": POOL,
        "submission_target": "127.0.0.1:1",
    }
    return Settings(**(values | changes))


async def test_a_report_is_new_mail_with_the_null_reverse_path_and_its_fixed_id(submission: Submission) -> None:
    await submission.start()
    async with reports_to(submission) as reports:
        assert await reports.submit(REPORT, delivery())
    (request,) = submission.requests
    assert (request.envelope.reverse_path, request.envelope.recipients) == ("", ("a@shop.example",))
    assert (request.id, request.report_of, request.tenant, request.pool) == (REPORT.id, "m1.1", "shop", POOL)
    assert request.content == REPORT.content
    assert request.envelope.wishes == {"a@shop.example": Wish(("NEVER",))}


async def test_a_report_is_submitted_again_until_it_is_kept(submission: Submission) -> None:
    submission.replies = [Reply(451, "4.3.0", "Later")] * 2
    await submission.start()
    async with reports_to(submission) as reports:
        assert await reports.submit(REPORT, delivery())
    assert [request.id for request in submission.requests] == [REPORT.id] * 3


async def test_while_submission_is_away_a_report_is_given_up_for_now(submission: Submission) -> None:
    async with reports_to(submission) as reports:
        assert not await reports.submit(REPORT, delivery())
        await submission.start()
        async with asyncio.timeout(30):
            while not await reports.submit(REPORT, delivery()):
                pass  # gRPC's own pause between two connections


async def test_a_report_that_is_refused_for_good_does_not_keep_its_delivery(submission: Submission) -> None:
    submission.replies = [Reply(550, "5.7.1", "Never")]
    await submission.start()
    async with reports_to(submission) as reports:
        assert await reports.submit(REPORT, delivery())
    assert len(submission.requests) == 1


async def test_who_may_not_submit_reports_does_not_try_for_ever(submission: Submission) -> None:
    await submission.start(allowed="client")
    async with reports_to(submission) as reports:
        assert await reports.submit(REPORT, delivery())
    assert submission.requests == []


def test_name_server_and_private_addresses_are_the_sandbox_s_alone(identities: Path) -> None:
    outside = _world(settings(identities, resolver=Address("127.0.0.1", 5353)), DeadlineWheel())
    inside = _world(settings(identities, resolver=Address("127.0.0.1", 5353), sandbox=True), DeadlineWheel())
    assert (outside.allow_private, inside.allow_private) == (False, True)
    assert inside.resolver._resolver.nameservers == ["127.0.0.1"]
    assert outside.resolver._resolver.port != 5353


@dataclass
class Running:
    """A deliverer that runs in this process."""

    process: Process
    task: "asyncio.Task[None]"
    internet: Internet
    grpc_port: int

    async def end(self) -> None:
        self.process.draining.set()
        await asyncio.wait_for(self.task, 30)


@pytest.fixture
async def deliverer(js: JetStream, nats, identities: Path, submission: Submission) -> AsyncIterator[Running]:
    await record(js, {"version": "2.15.2", "api_level": 5, "sync_always": True})
    await publish_policy(js, OBJECTS)
    await submission.start()
    internet = Internet()
    await internet.start()
    grpc_port = free_port()
    wanted = settings(
        identities,
        nats_url=nats.url,
        grpc_listen=Address("127.0.0.1", grpc_port),
        submission_target=f"127.0.0.1:{submission.port}",
        sandbox=True,
        resolver=internet.resolver_address,
        mx_port=internet.mx_port,
    )
    process = Process("deliverer", "pod-1", asyncio.Event(), Readiness({"start": "starting"}))
    running = Running(process, asyncio.create_task(serve(process, wanted)), internet, grpc_port)
    await wait_for(lambda: process.readiness.is_ready or running.task.done())
    yield running
    if not running.task.done():
        await running.end()
    await internet.stop()


async def test_mail_is_delivered_failures_are_reported_and_the_end_is_orderly(
    js: JetStream, deliverer: Running, submission: Submission
) -> None:
    acceptance = Acceptance(js)
    for item in (delivery("m1", site="accept.test"), delivery("m2", site="spam.test")):
        await acceptance.accept(Plan((item,)), b"Subject: x\r\n\r\nHello\r\n")
    await wait_for(lambda: deliverer.internet.received and submission.requests)
    (received,) = deliverer.internet.received
    assert (received.hello_name, received.tls) == ("out.example", True)
    assert submission.requests[0].report_of == "m2.1"
    assert b"554" in submission.requests[0].content
    await deliverer.end()
    assert await list_waiting(js, POOL) == []


async def test_its_live_state_is_for_admins_and_clients(deliverer: Running, identities: Path) -> None:
    admin = Channel(f"127.0.0.1:{deliverer.grpc_port}", identities / "admin", "deliverer")
    state = await admin.unary(STATE, StateRequest(), 5)
    assert (state.pod, state.pool, state.draining) == ("pod-1", POOL, False)
    await admin.close()
    router = Channel(f"127.0.0.1:{deliverer.grpc_port}", identities / "router", "deliverer")
    with pytest.raises(RpcRefusedError):
        await router.unary(STATE, StateRequest(), 5)
    await router.close()


async def test_told_to_end_before_any_policy_came_it_ends(js: JetStream, nats, identities: Path) -> None:
    await record(js, {"version": "2.15.2", "api_level": 5, "sync_always": True})
    process = Process("deliverer", "pod-1", asyncio.Event(), Readiness({"start": "starting"}))
    wanted = settings(identities, nats_url=nats.url, grpc_listen=Address("127.0.0.1", free_port()))
    task = asyncio.create_task(serve(process, wanted))
    await wait_for(lambda: "queue" not in process.readiness.lacks or task.done())
    assert not process.readiness.is_ready
    process.draining.set()
    await asyncio.wait_for(task, 30)
