"""The one way in for all mail, whoever brings it and over whatever protocol (DESIGN §4).

Content is finished once, its authors are checked, it is judged, planned and published; only then is the reply
positive. Whatever fails is a reply that says what to do. The tag and hold of the verdict stand in the plan,
so judging and planning follow each other.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

import structlog

from paquebot.mail.barred import NOBODY, Barred
from paquebot.mail.delivery import Plan
from paquebot.mail.envelope import Envelope
from paquebot.mail.finish import Finished, Finishing, finish
from paquebot.mail.mime import SAMPLE_FROM_BYTES, sample
from paquebot.mail.principal import Principal
from paquebot.mail.record import Record
from paquebot.mail.reference import unwanted
from paquebot.mail.refusal import ContentRefused
from paquebot.mail.reply import Reply
from paquebot.mail.verdict import HELD_BY_FILTER, REASONS_MAX, Action, Verdict
from paquebot.mail.verdict_fields import tag_fields
from paquebot.policy.idempotency import Idempotency
from paquebot.policy.route import Passage
from paquebot.policy.values import EightBit, OnHoldExpiry, OnUnavailable, Policy, Thresholds
from paquebot.queue.jetstream import ApiError, QueueFullError, QueueUnavailableError
from paquebot.queue.suppression import Suppressions
from paquebot.runtime.logs import bind
from paquebot.runtime.rpc_client import RpcRefusedError, RpcUnavailableError
from paquebot.submission import gate
from paquebot.submission.counts import ACCEPT_SECONDS, ACCEPTED, REFUSED, REPEATED, UNSCANNED
from paquebot.submission.handed import Mail
from paquebot.submission.leases import Leases
from paquebot.submission.once import Busy, Free, Once, Taken
from paquebot.submission.records import accepted_records, rejected_record, repeated_record
from paquebot.submission.repeat import Repeatable, repeatable
from paquebot.wire.router import PlanRequest
from paquebot.wire.spamfilter import JudgeRequest
from paquebot.wire.submission import SubmitAnswer

LARGE_BYTES = 1 << 20  # finishing so much would keep all others waiting: it is done in a thread, one at a time
JUDGE_S = 15.0
PLAN_S = 6.0  # the router gives DNS two of them
_TEXT_MAX = 400  # of a refusal: a reply line has 512 octets
LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Doors:
    """Whom the intake asks. Each raises what its service raises."""

    judge: Callable[[JudgeRequest, float], Awaitable[Verdict]]
    plan: Callable[[PlanRequest, float], Awaitable[Plan]]
    accept: Callable[[Plan, bytes], Awaitable[None]]
    admit: Callable[[str], Reply | None]  # for a pool
    record: Callable[[Record], object]
    new_id: Callable[[int], str]  # for Unix milliseconds


class Intake:
    """Takes mail by the policy that it last saw."""

    __slots__ = ("_doors", "_hostname", "_large", "_once", "barred", "leases", "policy", "suppressions")

    def __init__(self, hostname: str, doors: Doors, leases: Leases, once: Once) -> None:
        self._hostname = hostname
        self._doors = doors
        self._once = once
        self._large = asyncio.Lock()
        self.leases = leases
        self.barred: Barred = NOBODY  # who may not submit, by order
        self.policy = Policy()
        self.suppressions: Suppressions | None = None  # None: there is no key to look with

    def __repr__(self) -> str:
        return f"<Intake policy {self.policy.revision or 'none'}>"

    def follow(self, policy: Policy) -> None:
        """Take mail by this policy from now on."""
        self.policy = policy
        if self.suppressions is None and policy.suppression.by_place:
            LOG.error("SuppressionLists are not applied: SUPPRESSION_KEY names no file")

    def sender_refusal(self, principal: Principal, reverse_path: str) -> Reply | None:
        """Say whether a transaction may begin: the sender's rights, and room in the queue."""
        refusal = gate.sender_refusal(principal, reverse_path, self.policy)
        if refusal is None and not principal.internal:
            refusal = self.barred.refusal(550, principal.tenant, principal.credential, int(time.time() * 1000))
        if refusal is None and not principal.internal:
            pool = gate.pool_of(principal, reverse_path, self.policy)
            refusal = gate.pool_refusal(pool, self.policy) or self._doors.admit(pool)
        return None if refusal is None else refused(refusal, "sender")

    def recipient_refusal(self, principal: Principal, reverse_path: str, recipient: str) -> Reply | None:
        """Say whether mail to a recipient can have a way, whatever the message will be."""
        refusal = gate.recipient_refusal(recipient)
        if refusal is not None:
            return refused(refusal, "recipient")
        if principal.internal:
            return None
        listed = self.suppressions and self.suppressions.find(self.policy, principal.tenant, reverse_path, recipient)
        if listed:
            return refused(Reply(550, "5.7.1", str(listed)), "suppressed")
        if not self.policy.routes.ordered:
            return None
        passage = Passage(principal.tenant, reverse_path.rpartition("@")[2], gate.domain_of(recipient))
        refusal = self.policy.routes.refusal(passage)
        return None if refusal is None else refused(refusal, "route")

    async def quota_refusal(self, principal: Principal) -> Reply | None:
        """Say whether quota is left; asks auth. `leases.has_room` says when asking is needless."""
        refusal = await self.leases.refusal(principal)
        return None if refusal is None else refused(refusal, "quota")

    async def take(self, mail: Mail) -> SubmitAnswer:
        """Take a message whose sender and recipients were found good. A positive reply means kept.

        A message that was taken before is answered with the id of then. The id of a negative answer is that of
        another message which has the same key.
        """
        begun = time.perf_counter()
        wanted = repeatable(mail, self._idempotency(mail))
        answer = await (self._taken(mail) if wanted is None else self._taken_once(mail, wanted))
        ACCEPT_SECONDS.observe(time.perf_counter() - begun)
        if not answer.reply.is_positive:
            LOG.info("refused", reply=str(answer.reply))
        return answer

    def _idempotency(self, mail: Mail) -> Idempotency:
        credential = self.policy.credentials.get(f"{mail.principal.tenant}.{mail.principal.credential}")
        return credential.idempotency if credential else Idempotency()

    async def _taken_once(self, mail: Mail, wanted: Repeatable) -> SubmitAnswer:
        """Take a message unless it, or another, was taken under its key."""
        standing = await self._once.look(wanted)
        if standing is None:
            return await self._taken(mail)
        if isinstance(standing, Free):
            return await self._taken(mail, _Slot(wanted, standing))
        return self._known(mail, wanted, standing)

    def _known(self, mail: Mail, wanted: Repeatable, standing: Taken | Busy) -> SubmitAnswer:
        """Answer for a key that stands for a message already."""
        if isinstance(standing, Busy):
            return SubmitAnswer(refused(_being_stored(wanted), "repeat"))
        bind(standing.id, mail.principal.tenant)
        reply = _queued(standing.id)
        if standing.same:
            REPEATED.labels(wanted.named_by).inc()
        else:
            reply = refused(_other_content(wanted, standing), "other content")
        self._doors.record(repeated_record(mail, standing.id, reply, wanted))
        return SubmitAnswer(reply, standing.id)

    async def _taken(self, mail: Mail, slot: "_Slot | None" = None) -> SubmitAnswer:
        now_ms = int(time.time() * 1000)
        ident = mail.id or (slot and slot.free.id) or self._doors.new_id(now_ms)
        bind(ident, mail.principal.tenant)
        refusal = await self._spent(mail.principal)
        message = refusal or await self._made_whole(mail, ident, now_ms)
        if isinstance(message, Reply):
            return SubmitAnswer(message)
        verdict = await self._judged(message)
        if isinstance(verdict, Reply):
            return SubmitAnswer(verdict)
        plan = await self._planned(message, verdict)
        return SubmitAnswer(plan) if isinstance(plan, Reply) else await self._kept(message, verdict, plan, slot)

    async def _spent(self, principal: Principal) -> Reply | None:
        """Spend the quota for a message; return why there is none."""
        if not self.leases.has_room(principal):
            refusal = await self.quota_refusal(principal)
            if refusal is not None:
                return refusal
        self.leases.spend(principal)
        return None

    async def _made_whole(self, mail: Mail, ident: str, now_ms: int) -> "_Message | Reply":
        """Finish the content; a large one in a thread, and only one of these at a time, for they take memory."""
        if len(mail.content) <= LARGE_BYTES:
            return self._finished(mail, ident, now_ms)
        async with self._large:
            return await asyncio.to_thread(self._finished, mail, ident, now_ms)

    def _finished(self, mail: Mail, ident: str, now_ms: int) -> "_Message | Reply":
        """Finish the content, and look who its authors say they are."""
        reverse_path = mail.envelope.reverse_path
        sender_domain = reverse_path.rpartition("@")[2]
        domain = self.policy.domain_of(sender_domain)
        finishing = Finishing(
            now_ms=now_ms,
            id=ident,
            domain=sender_domain or self._hostname,
            default_from=reverse_path,
            encode=domain is not None and domain.eight_bit is EightBit.ENCODE,
            utf8=mail.envelope.utf8,
        )
        try:
            finished = finish(mail.content, finishing)
        except ContentRefused as refusal:
            return refused(refusal.reply, "content")
        refusal_of_author = gate.author_refusal(mail.principal, finished.authors, finished.sender, self.policy)
        if refusal_of_author is not None:
            return refused(refusal_of_author, "author")
        envelope = replace(mail.envelope, eight_bit=finished.eight_bit)
        return _Message(ident, now_ms, mail, envelope, finished)

    async def _judged(self, message: "_Message") -> Verdict | Reply:
        """Ask the spam filter; our own reports are not judged."""
        mail, content = message.mail, message.finished.content
        if mail.principal.internal:
            return Verdict(Action.ACCEPT)
        large = len(content) > SAMPLE_FROM_BYTES
        shown = await asyncio.to_thread(sample, content) if large else content
        request = JudgeRequest(
            message.id,
            mail.principal,
            message.envelope,
            shown,
            large,
            len(content),
            mail.client_address,
            mail.client_name,
        )
        try:
            verdict = await self._doors.judge(request, JUDGE_S)
        except (RpcUnavailableError, RpcRefusedError) as error:
            return self._unjudged(message, error)
        if verdict.action is not Action.REJECT:
            return _slowed(verdict) if verdict.slow else verdict
        reply = refused(Reply(550, "5.7.1", unwanted(message.id)), "rejected")
        self._doors.record(rejected_record(mail, message.id, reply, verdict))
        return reply

    def _unjudged(self, message: "_Message", error: Exception) -> Verdict | Reply:
        """Do what the author's domain wants done while the filter does not answer."""
        wish = self._wanted(message).on_unavailable
        LOG.warning("no verdict", why=str(error), then=wish)
        if wish is OnUnavailable.ACCEPT:
            UNSCANNED.inc()
            return Verdict(Action.ACCEPT, unscanned=True)
        return refused(Reply(451, "4.3.0", "The spam filter does not answer: try again later"), "spamfilter")

    def _wanted(self, message: "_Message") -> Thresholds:
        """Return what is wanted of the filter: by the author's domain, else by the reverse-path's."""
        author = message.finished.authors[0].rpartition("@")[2]
        return self.policy.content_of(author, message.envelope.reverse_path.rpartition("@")[2])

    async def _planned(self, message: "_Message", verdict: Verdict) -> Plan | Reply:
        mail, finished = message.mail, message.finished
        request = PlanRequest(
            id=message.id,
            principal=mail.principal,
            envelope=message.envelope,
            header_section=finished.header_section,
            body_hash=finished.body_hash,
            size_bytes=len(finished.content),
            accepted_ms=message.accepted_ms,
            client_name=mail.client_name,
            client_address=mail.client_address,
            protocol=mail.protocol,
            lane=gate.lane_of(mail.principal, (mail.lane, finished.handling.lane), self.policy),
            tag_fields=tag_fields(verdict),
            pool=mail.pool,
            tags={**finished.handling.tags, **mail.tags},
        )
        if verdict.action is Action.HOLD:
            request = self._held(request, message, verdict)
        try:
            plan = await self._doors.plan(request, PLAN_S)
        except RpcUnavailableError as error:
            LOG.warning("no plan", message_id=message.id, why=str(error))
            return refused(Reply(451, "4.3.0", "The router does not answer: try again later"), "router")
        except RpcRefusedError as error:
            return refused(Reply(550, "5.7.1", str(error)[:_TEXT_MAX]), "no way out")
        return plan if plan.refusal is None else refused(plan.refusal, "route")

    def _held(self, request: PlanRequest, message: "_Message", verdict: Verdict) -> PlanRequest:
        """Return the request with the hold that the sender's domain wants, and how it ends when nobody decides."""
        wanted = self._wanted(message)
        hold_ms = message.accepted_ms + wanted.hold_for_s * 1000
        return replace(
            request,
            hold_ms=hold_ms,
            hold_reason=f"{HELD_BY_FILTER}: {_reasons(verdict)}",
            refuse_ms=hold_ms if wanted.on_hold_expiry is OnHoldExpiry.REFUSE else 0,
            alarmed=verdict.alarmed,
        )

    async def _kept(self, message: "_Message", verdict: Verdict, plan: Plan, slot: "_Slot | None") -> SubmitAnswer:
        """Publish; after a positive reply the message is ours (RFC 5321 §6.1)."""
        standing = None
        publish = partial(self._doors.accept, plan, message.finished.content)
        try:
            if slot is None:
                await publish()
            else:
                standing = await self._once.store(slot.wanted, slot.free, plan, publish)
        except QueueFullError as error:
            LOG.warning("the queue is full", message_id=message.id, why=str(error))
            return SubmitAnswer(refused(Reply(452, "4.3.1", "The queue is full: try again later"), "queue full"))
        except (QueueUnavailableError, ApiError) as error:
            LOG.warning("the queue does not answer", message_id=message.id, why=str(error))
            return SubmitAnswer(refused(Reply(451, "4.3.0", "The queue does not answer: try again later"), "queue"))
        if slot is not None and standing is not None:
            return self._known(message.mail, slot.wanted, standing)
        ACCEPTED.inc()
        for record in accepted_records(plan, message.accepted_ms, message.mail.report_of, verdict):
            self._doors.record(record)
        return SubmitAnswer(_queued(message.id), message.id)


@dataclass(frozen=True, slots=True)
class _Slot:
    """The place of a message among those that are known when they come again."""

    wanted: Repeatable
    free: Free


@dataclass(frozen=True, slots=True)
class _Message:
    """A finished message on its way through: what came, and what it has become."""

    id: str
    accepted_ms: int
    mail: Mail
    envelope: Envelope
    finished: Finished


def refused(reply: Reply, why: str) -> Reply:
    """Count a refusal under its reason; return it."""
    REFUSED.labels(why).inc()
    return reply


def _queued(ident: str) -> Reply:
    return Reply(250, "2.0.0", f"Ok: queued as {ident}")


def _slowed(verdict: Verdict) -> Reply:
    text = f"This account is slowed to its habit, try again later: {verdict.slow}"
    return refused(Reply(451, "4.7.1", text.encode("ascii", "replace").decode()[:_TEXT_MAX]), "slowed")


def _being_stored(wanted: Repeatable) -> Reply:
    text = f"A message with this {wanted.named_by} is being stored, or that cannot be known now: try again later"
    return Reply(451, "4.3.0", text)


def _other_content(wanted: Repeatable, taken: Taken) -> Reply:
    ends = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(taken.at_ms / 1000 + wanted.window_s))
    text = f"This {wanted.named_by} stands for another message, {taken.id}, until {ends}: give this one a new one"
    return Reply(554, "5.5.4", text)


def _reasons(verdict: Verdict) -> str:
    """Return what speaks against it, the weightiest first, as one line of ASCII."""
    reasons = sorted(verdict.reasons, key=lambda reason: -reason.weight)
    against = [reason.text.rstrip(".") for reason in reasons if reason.weight > 0][:REASONS_MAX]
    text = "; ".join(against) or "no rule alone decided"
    return " ".join(text.encode("ascii", "replace").decode().split())[:_TEXT_MAX]
