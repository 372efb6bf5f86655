"""Submission's parts put together: who asks whom, what readiness needs, what is tidied at the end."""

import asyncio
import os
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from paquebot.mail.barred import Barred
from paquebot.mail.delivery import Plan
from paquebot.mail.ident import message_id
from paquebot.mail.order import Order
from paquebot.mail.principal import Principal
from paquebot.mail.verdict import Verdict
from paquebot.policy.values import Policy
from paquebot.queue.acceptance import Acceptance
from paquebot.queue.admission import Admission
from paquebot.queue.claims import Claims
from paquebot.queue.events import EventWriter
from paquebot.queue.jetstream import JetStream
from paquebot.queue.members import Heartbeat, Member
from paquebot.queue.orders import follow_orders
from paquebot.queue.suppression import Suppressions, read_secret
from paquebot.runtime.frame_client import FrameClient
from paquebot.runtime.memory import Memory
from paquebot.runtime.process import Process
from paquebot.runtime.rpc_client import Channel, RpcUnavailableError
from paquebot.runtime.rpc_server import Server
from paquebot.runtime.settings import Address
from paquebot.runtime.tls import Reloading, server_context
from paquebot.submission.connection import Hall, SmtpSettings
from paquebot.submission.counts import REACHABLE
from paquebot.submission.crowd import Crowd, CrowdLimits
from paquebot.submission.fullness import tell_fullness
from paquebot.submission.intake import Doors, Intake
from paquebot.submission.leases import Leases
from paquebot.submission.once import Once
from paquebot.submission.program import ProgramDoor
from paquebot.submission.room import Room, RoomLimits
from paquebot.submission.shortage import Shortage
from paquebot.submission.smtp_server import SmtpServer
from paquebot.wire.auth import AUTHENTICATE, LEASE, AuthenticateRequest, LeaseAnswer, LeaseRequest, Refusal
from paquebot.wire.router import PLAN_STREAM, PlanRequest
from paquebot.wire.spamfilter import JUDGE_STREAM, JudgeRequest

AUTHENTICATE_S = 10.0  # argon2id behind a queue of others
LEASE_S = 2.0
LOOK_S = 1.0
EVENTS_S = 5.0
CONTENTS_SHARE = 0.4  # of the memory that the process may take; the rest is for sessions and what lies in between
_CHANCE_BYTES = 10

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Targets:
    """Where the others are, and who we are: to them, and to the world."""

    hostname: str
    identity_dir: Path
    auth: Address
    spamfilter: Address
    router: Address


@dataclass(frozen=True, slots=True)
class Auth:
    """Auth as we ask it; what came of it shows in the metrics."""

    channel: Channel

    async def authenticate(self, request: AuthenticateRequest) -> Principal | Refusal:
        """Ask who somebody is."""
        return await _heard(self.channel.unary(AUTHENTICATE, request, AUTHENTICATE_S))

    async def lease(self, request: LeaseRequest) -> LeaseAnswer:
        """Ask for a share of a quota."""
        return await _heard(self.channel.unary(LEASE, request, LEASE_S))


class Service:
    """Everything of one submission process, between its settings and its listeners."""

    def __init__(
        self, process: Process, js: JetStream, tasks: asyncio.TaskGroup, targets: Targets, memory: Memory
    ) -> None:
        self._process = process
        self._js = js
        self._tasks = tasks
        self._targets = targets
        identity = targets.identity_dir
        self._judge: FrameClient[JudgeRequest, Verdict] = FrameClient(
            targets.spamfilter, identity, JUDGE_STREAM, "spamfilter"
        )
        self._planner: FrameClient[PlanRequest, Plan] = FrameClient(targets.router, identity, PLAN_STREAM, "router")
        self._auth = Auth(Channel(str(targets.auth), identity, "auth"))
        self._admission = Admission(js)
        self._events = EventWriter(js)
        self._heartbeat = Heartbeat(js, Member(process.pod, "submission"))
        doors = Doors(
            judge=self._judge.ask,
            plan=self._planner.ask,
            accept=Acceptance(js).accept,
            admit=self._admission.check,
            record=self._events.note,
            new_id=lambda now_ms: message_id(now_ms, os.urandom(_CHANCE_BYTES)),
        )
        self._once = Once(Claims(js))
        self.intake = Intake(targets.hostname, doors, Leases(self._auth.lease, time.monotonic), self._once)
        self._memory = memory
        self.room = Room(RoomLimits(octets_max=int(memory.limit_bytes * CONTENTS_SHARE)), time.monotonic)
        self._background: list[asyncio.Task[None]] = []

    def __repr__(self) -> str:
        return f"<Service {self.intake!r}>"

    def smtp_server(self, settings: SmtpSettings, limits: CrowdLimits, cert_dir: Path) -> SmtpServer:
        """Return the SMTP side, to be told where to listen."""
        hall = Hall(
            settings=settings,
            context=Reloading(cert_dir, server_context).current,
            intake=self.intake,
            authenticate=self._auth.authenticate,
            crowd=Crowd(limits),
            room=self.room,
            tasks=self._tasks,
        )
        server = SmtpServer(hall)
        shortage = Shortage(self._memory, self.room, hall.crowd)
        tell_fullness(server, shortage, self._events)
        for coming in (server.sweep(), shortage.follow()):
            self._background.append(self._tasks.create_task(coming))
        return server

    def program_server(self, listen: Address) -> Server:
        """Return the gRPC side."""
        server = Server(listen, self._targets.identity_dir, self._process.readiness)
        ProgramDoor(self.intake, self._auth.authenticate, self.room).serve(server)
        return server

    def follow(self, policy: Policy) -> None:
        """Work by this policy from now on."""
        self.intake.follow(policy)
        pools = self._admission.pools
        self._admission.pools = {token: pools.get(token, 0.0) for token in policy.pools}
        self._heartbeat.runs(policy.revision)
        self._process.readiness.present("policy")

    def suppress(self, key: Path) -> None:
        """Apply SuppressionLists as far as they are read: deliverers know all. Raises ValueError for a bad key."""
        known = self.intake.suppressions = Suppressions(read_secret(key))
        self._background.append(self._tasks.create_task(known.follow(self._js)))

    def start(self) -> None:
        """Reach out to the others."""
        self._judge.start()
        self._planner.start()
        orders = follow_orders(self._js, self._heartbeat, self._obey)
        for coming in (self._admission.follow(), self._heartbeat.run(), self._once.follow(), self._look(), orders):
            self._background.append(self._tasks.create_task(coming))

    async def stop(self) -> None:
        """Let go of the others, once nobody waits for an answer any more."""
        await self._heartbeat.leave()
        await asyncio.gather(self._events.drain(EVENTS_S), self._once.drain(EVENTS_S))
        for task in self._background:
            task.cancel()
        await asyncio.gather(self._judge.close(), self._planner.close(), self._auth.channel.close())

    def _obey(self, orders: tuple[Order, ...]) -> None:
        self.intake.barred = Barred.of(orders)

    async def _look(self) -> None:
        """Say each second what is within reach.

        Only the queue decides about being ready: without the others clients are told to try later, and
        need somebody who tells them (DESIGN §10).
        """
        while True:
            if self._js.connected:
                self._process.readiness.present("nats")
            else:
                self._process.readiness.missing("nats", "not connected")
            REACHABLE.labels("spamfilter").set(self._judge.connected > 0)
            REACHABLE.labels("router").set(self._planner.connected > 0)
            await asyncio.sleep(LOOK_S)


async def _heard(call: Awaitable[T]) -> T:
    try:
        answer = await call
    except RpcUnavailableError:
        REACHABLE.labels("auth").set(0)
        raise
    REACHABLE.labels("auth").set(1)
    return answer
