"""Submission's surroundings: each service it asks is a function that answers as the test wants."""

from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import pytest

from paquebot.mail.delivery import Delivery, Plan
from paquebot.mail.ident import message_id
from paquebot.mail.principal import Principal
from paquebot.mail.record import Record
from paquebot.mail.reply import Reply
from paquebot.mail.verdict import Action, Verdict
from paquebot.policy.values import (
    MailDomain,
    OnHoldExpiry,
    OnUnavailable,
    Policy,
    SendingPool,
    SMTPCredential,
    Thresholds,
)
from paquebot.queue.claims import Claims
from paquebot.submission.intake import Doors, Intake
from paquebot.submission.leases import Leases
from paquebot.submission.once import Once
from paquebot.submission.room import Room, RoomLimits
from paquebot.wire.auth import AuthenticateRequest, LeaseAnswer, LeaseRequest, Refusal
from paquebot.wire.router import PlanRequest
from paquebot.wire.spamfilter import JudgeRequest

T = TypeVar("T")

POOL = SendingPool("mail", "main", "out.example")
POLICY = Policy(
    "r1",
    domains={
        "shop.example": MailDomain("shop", "shop", "shop.example", POOL.token),
        "lax.example": MailDomain(
            "shop",
            "lax",
            "lax.example",
            POOL.token,
            content=Thresholds(on_unavailable=OnUnavailable.ACCEPT, hold_for_s=60, on_hold_expiry=OnHoldExpiry.REFUSE),
        ),
        "off.example": MailDomain("shop", "off", "off.example", POOL.token, suspend=True),
    },
    pools={POOL.token: POOL},
    credentials={
        "shop.web": SMTPCredential("shop", "web", senders=("*@shop.example", "*@lax.example")),
        "mail.relay": SMTPCredential("mail", "relay", any_sender=True, pool="mail_relays"),
    },
)
WEB = Principal("shop", "web", senders=("*@shop.example", "*@lax.example", "*@off.example"))
PASSWORD = b"correct horse"


def _or_raise(answer: T | Exception) -> T:
    if isinstance(answer, Exception):
        raise answer
    return answer


@dataclass
class World:
    """What the others answer, and what they were asked."""

    verdict: Verdict | Exception = field(default_factory=lambda: Verdict(Action.ACCEPT))
    no_plan: Exception | None = None
    not_kept: Exception | None = None
    full: Reply | None = None
    lease: LeaseAnswer | Exception = field(default_factory=lambda: LeaseAnswer(50, valid_ms=10_000))
    principal: Principal | Refusal | Exception = WEB
    judged: list[JudgeRequest] = field(default_factory=list)
    plans: list[PlanRequest] = field(default_factory=list)
    kept: list[tuple[Plan, bytes]] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    leased: list[LeaseRequest] = field(default_factory=list)
    admitted: list[str] = field(default_factory=list)
    now_s: float = 1000.0

    async def judge(self, request: JudgeRequest, _deadline_s: float) -> Verdict:
        self.judged.append(request)
        return _or_raise(self.verdict)

    async def plan(self, request: PlanRequest, _deadline_s: float) -> Plan:
        self.plans.append(request)
        if self.no_plan is not None:
            raise self.no_plan
        return Plan((delivery(request),))

    async def accept(self, plan: Plan, content: bytes) -> None:
        if self.not_kept is not None:
            raise self.not_kept
        self.kept.append((plan, content))

    def admit(self, pool: str) -> Reply | None:
        self.admitted.append(pool)
        return self.full

    async def ask_lease(self, request: LeaseRequest) -> LeaseAnswer:
        self.leased.append(request)
        return _or_raise(self.lease)

    async def authenticate(self, request: AuthenticateRequest) -> Principal | Refusal:
        answer = _or_raise(self.principal)
        if isinstance(answer, Principal) and request.password != PASSWORD:
            return Refusal(Reply(535, "5.7.8", "Authentication failed"))
        return answer

    def room(self, **limits: Any) -> Room:
        return Room(RoomLimits(**limits), lambda: self.now_s)

    def intake(self, js: Any = None) -> Intake:
        """Return an intake; only mail with a key touches the connection."""
        doors = Doors(
            judge=self.judge,
            plan=self.plan,
            accept=self.accept,
            admit=self.admit,
            record=self.records.append,
            new_id=lambda now_ms: message_id(now_ms, bytes(10)),
        )
        intake = Intake("mx.example", doors, Leases(self.ask_lease, lambda: self.now_s), Once(Claims(js)))
        intake.follow(POLICY)
        return intake


def delivery(request: PlanRequest) -> Delivery:
    return Delivery(
        id=request.id,
        n=1,
        tenant=request.principal.tenant,
        credential=request.principal.credential,
        reverse_path=request.envelope.reverse_path,
        return_path=request.envelope.reverse_path,
        recipients=request.envelope.recipients,
        domain="one.example",
        site="one.example",
        group="other",
        pool=POOL.token,
        lane=request.lane,
        partition=3,
        prefix=request.tag_fields,
        size_bytes=request.size_bytes,
        eight_bit=request.envelope.eight_bit,
        accepted_ms=request.accepted_ms,
        expires_ms=request.accepted_ms + 1000,
        next_ms=request.hold_ms,
        held=request.hold_ms > 0,
        reason=request.hold_reason,
        refuse_ms=request.refuse_ms,
    )


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def web() -> Principal:
    return replace(WEB)
