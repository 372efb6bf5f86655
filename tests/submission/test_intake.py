"""The one way in: what is asked in which order, and what each failure says to the client."""

from dataclasses import replace
from typing import Any

import pytest

from paquebot.mail.delivery import Lane, Plan
from paquebot.mail.envelope import Envelope
from paquebot.mail.mime import SAMPLE_FROM_BYTES
from paquebot.mail.principal import Principal
from paquebot.mail.record import Kind
from paquebot.mail.reference import reference_of
from paquebot.mail.reply import Reply
from paquebot.mail.verdict import Action, Reason, Verdict
from paquebot.policy.route import Match, Reject, Routes, TransportRoute
from paquebot.queue.jetstream import ApiError, QueueFullError, QueueUnavailableError
from paquebot.runtime.rpc_client import RpcRefusedError, RpcUnavailableError
from paquebot.submission.handed import Mail
from paquebot.wire.auth import LeaseAnswer
from paquebot.wire.router import PlanRequest

CONTENT = (
    b"Date: Mon, 24 Nov 2025 16:00:00 +0000\r\n"
    b"From: Ann <ann@shop.example>\r\n"
    b"Message-ID: <1@shop.example>\r\n"
    b"\r\n"
    b"Hello\r\n"
)


def _mail(web: Principal, content: bytes = CONTENT, **rest: Any) -> Mail:
    mail = Mail(
        principal=web,
        envelope=Envelope("ann@shop.example", ("bob@one.example",)),
        content=content,
        protocol="ESMTPSA",
        client_name="client.example",
        client_address="192.0.2.1",
    )
    return replace(mail, **rest)


async def test_a_good_message_is_kept_as_it_came_and_named_in_the_reply(world: Any, web: Principal) -> None:
    answer = await world.intake().take(_mail(web))
    ((plan, content),) = world.kept
    assert content == CONTENT
    assert answer.id == plan.deliveries[0].id
    assert str(answer.reply) == f"250 2.0.0 Ok: queued as {answer.id}"
    (asked,) = world.plans
    assert (asked.client_name, asked.client_address, asked.protocol) == ("client.example", "192.0.2.1", "ESMTPSA")
    assert (asked.lane, asked.size_bytes, asked.hold_ms) == (Lane.NORMAL, len(CONTENT), 0)
    assert asked.header_section + b"\r\nHello\r\n" == CONTENT
    assert asked.tag_fields == b""


async def test_the_event_stream_hears_of_what_was_accepted(world: Any, web: Principal) -> None:
    answer = await world.intake().take(_mail(web))
    (record,) = world.records
    assert (record.kind, record.id, record.n, record.tenant) == (Kind.ACCEPTED, answer.id, 1, "shop")
    assert (record.recipients, record.reverse_path) == (("bob@one.example",), "ann@shop.example")
    assert (record.credential, record.size_bytes) == ("web", len(CONTENT))


async def test_content_is_finished_before_anybody_sees_it(world: Any, web: Principal) -> None:
    await world.intake().take(_mail(web, b"Subject: Hi\r\nBcc: x@y.example\r\n\r\n\xc3\xa9\r\n"))
    ((_, kept),) = world.kept
    assert world.judged[0].content == kept
    assert b"Bcc" not in kept
    assert b"From: <ann@shop.example>\r\n" in kept
    assert f"Message-ID: <{world.judged[0].id}@shop.example>\r\n".encode() in kept
    assert world.plans[0].envelope.eight_bit
    assert world.plans[0].size_bytes == len(kept)


async def test_what_the_sender_says_about_handling_reaches_the_router_and_nobody_else(
    world: Any, web: Principal
) -> None:
    said = b"Paquebot-Lane: bulk\r\nPaquebot-Tags: class=news, campaign=spring\r\n"
    await world.intake().take(_mail(web, said + CONTENT, tags={"campaign": "autumn"}))
    ((_, kept),) = world.kept
    assert kept == CONTENT
    assert world.judged[0].content == CONTENT
    assert (world.plans[0].lane, world.plans[0].tags) == (Lane.BULK, {"class": "news", "campaign": "autumn"})


@pytest.mark.parametrize(
    ("content", "enhanced"),
    [
        (CONTENT.replace(b"ann@", b"boss@other."), "5.7.1"),
        (CONTENT.replace(b"\r\n\r\n", b"\r\nSender: boss@other.example\r\n\r\n"), "5.7.1"),
        (CONTENT.replace(b"ann@shop", b"ann@off"), "5.7.1"),
        (CONTENT.replace(b"Hello", b"Hel\nlo"), "5.6.0"),
    ],
)
async def test_refused_content_is_neither_judged_nor_planned_nor_kept(
    world: Any, web: Principal, content: bytes, enhanced: str
) -> None:
    answer = await world.intake().take(_mail(web, content))
    assert (answer.reply.code // 100, answer.reply.enhanced, answer.id) == (5, enhanced, "")
    assert (world.judged, world.plans, world.kept, world.records) == ([], [], [], [])


async def test_a_rejected_message_is_refused_with_a_reference_and_its_verdict_is_kept(
    world: Any, web: Principal
) -> None:
    world.verdict = Verdict(Action.REJECT, 0.987, (Reason("LINK", 2.0, "A link deceives."),), model="abc")
    answer = await world.intake().take(_mail(web))
    (record,) = world.records
    assert str(answer.reply) == (
        "550 5.7.1 Refused as unwanted mail. Whoever runs this platform can explain it: "
        f"reference {reference_of(record.id)}"
    )
    assert (record.kind, record.n, record.verdict, record.reply) == (Kind.REFUSED, 0, world.verdict, answer.reply)
    assert (record.tenant, record.credential, record.recipients) == ("shop", "web", ("bob@one.example",))
    assert (world.kept, world.plans) == ([], [])


async def test_a_tagged_message_is_kept_with_its_tag(world: Any, web: Principal) -> None:
    world.verdict = Verdict(Action.TAG, 0.6, (Reason("LINK", 2.0, "A link deceives."),))
    assert (await world.intake().take(_mail(web))).reply.code == 250
    assert world.plans[0].tag_fields.startswith(b"X-Spam-Flag: YES\r\n")
    assert world.kept[0][1] == CONTENT


async def test_a_held_message_is_kept_and_says_until_when_and_why(world: Any, web: Principal) -> None:
    reasons = (
        Reason("OLD", -1.0, "A known sender."),
        Reason("LINK", 2.0, "A link deceives."),
        Reason("EXE", 5.0, "An attachment\r\n is a program\u2026"),
    )
    world.verdict = Verdict(Action.HOLD, 0.9, reasons)
    assert (await world.intake().take(_mail(web))).reply.code == 250
    (asked,) = world.plans
    assert (asked.hold_ms, asked.refuse_ms) == (asked.accepted_ms + 4 * 3_600_000, 0)
    assert asked.hold_reason == "held by the spam filter: An attachment is a program?; A link deceives"
    assert [(record.kind, record.verdict) for record in world.records] == [
        (Kind.ACCEPTED, world.verdict),
        (Kind.HELD, None),
    ]


async def test_a_hold_ends_as_the_authors_domain_wants(world: Any, web: Principal) -> None:
    world.verdict = Verdict(Action.HOLD, 0.9)
    await world.intake().take(_mail(web, CONTENT.replace(b"ann@shop", b"ann@lax")))
    (asked,) = world.plans
    assert asked.hold_ms == asked.refuse_ms == asked.accepted_ms + 60_000


@pytest.mark.parametrize("failure", [RpcUnavailableError("gone"), RpcRefusedError("odd")])
async def test_without_verdict_the_authors_domain_decides(world: Any, web: Principal, failure: Exception) -> None:
    world.verdict = failure
    answer = await world.intake().take(_mail(web))
    assert str(answer.reply) == "451 4.3.0 The spam filter does not answer: try again later"
    assert world.kept == []
    lax = CONTENT.replace(b"ann@shop", b"ann@lax")
    assert (await world.intake().take(_mail(web, lax))).reply.code == 250
    assert world.plans[0].tag_fields == b"X-Spam-Status: Unscanned\r\n"


async def test_large_content_is_sampled_for_the_verdict_and_kept_whole(world: Any, web: Principal) -> None:
    large = CONTENT + b"x" * 70 + b"\r\n"
    large += (b"y" * 70 + b"\r\n") * (SAMPLE_FROM_BYTES // 72)
    await world.intake().take(_mail(web, large))
    (asked,) = world.judged
    assert asked.sampled
    assert asked.size_bytes == len(large)
    assert len(asked.content) < SAMPLE_FROM_BYTES
    assert world.kept[0][1] == large


async def test_what_the_router_and_the_queue_cannot_do_now_is_to_be_tried_again(world: Any, web: Principal) -> None:
    intake = world.intake()
    world.no_plan = RpcUnavailableError("gone")
    assert str((await intake.take(_mail(web))).reply).startswith("451 4.3.0 The router does not answer")
    world.no_plan = None
    for failure, code, enhanced in (
        (QueueUnavailableError("no ack"), 451, "4.3.0"),
        (ApiError(503, 10_000, "stream not found"), 451, "4.3.0"),
        (QueueFullError("no room"), 452, "4.3.1"),
    ):
        world.not_kept = failure
        reply = (await intake.take(_mail(web))).reply
        assert (reply.code, reply.enhanced) == (code, enhanced)
    assert (world.kept, world.records) == ([], [])


async def test_mail_without_a_way_out_is_refused_with_the_routers_reason(world: Any, web: Principal) -> None:
    world.no_plan = RpcRefusedError("no MailDomain declares the sender's domain")
    reply = (await world.intake().take(_mail(web))).reply
    assert str(reply) == "550 5.7.1 no MailDomain declares the sender's domain"


async def test_quota_is_spent_by_messages_and_refuses_when_it_is_gone(world: Any, web: Principal) -> None:
    world.lease = LeaseAnswer(1, valid_ms=10_000)
    intake = world.intake()
    assert (await intake.take(_mail(web))).reply.code == 250
    world.lease = LeaseAnswer(0, retry_ms=5_000, reason="tenant shop has used its 1 messages an hour")
    assert str((await intake.take(_mail(web))).reply) == (
        "452 4.7.1 tenant shop has used its 1 messages an hour: try again in 5 s"
    )
    assert len(world.kept) == 1


async def test_our_own_reports_meet_neither_filter_nor_quota_nor_admission(world: Any) -> None:
    world.verdict = Verdict(Action.REJECT)
    world.full = Reply(452, "4.3.1", "full")
    world.lease = LeaseAnswer(0, reason="none")
    ours = Principal("shop", "", internal=True)
    intake = world.intake()
    assert intake.sender_refusal(ours, "") is None
    mail = _mail(
        ours,
        CONTENT.replace(b"ann@shop", b"mailer-daemon@mx"),
        envelope=Envelope("", ("ann@shop.example",)),
        id="11111111-2222-5333-8444-555555555555",
        pool="mail_main",
        report_of="id.1",
    )
    answer = await intake.take(mail)
    assert answer.id == "11111111-2222-5333-8444-555555555555"
    (asked,) = world.plans
    assert (asked.lane, asked.pool, asked.id) == (Lane.URGENT, "mail_main", answer.id)
    assert (world.judged, world.leased, world.admitted) == ([], [], [])
    assert world.records[0].report_of == "id.1"


async def test_a_full_queue_refuses_at_the_sender(world: Any, web: Principal) -> None:
    world.full = Reply(452, "4.3.1", "full")
    assert world.intake().sender_refusal(web, "ann@shop.example") == world.full
    assert world.admitted == ["mail_main"]


async def test_what_a_route_refuses_of_the_whole_message_is_its_reply(world: Any, web: Principal) -> None:
    async def plan(_request: PlanRequest, _deadline_s: float) -> Plan:
        return Plan((), Reply(553, "5.7.1", "not here"))

    world.plan = plan
    answer = await world.intake().take(_mail(web))
    assert str(answer.reply) == "553 5.7.1 not here"
    assert world.kept == []


def test_what_a_route_refuses_whatever_the_message_is_is_refused_at_once(world: Any, web: Principal) -> None:
    intake = world.intake()
    no = TransportRoute("shop", "no", Match(("one.example",), namespaces=("shop",)), Reject(Reply(550, "5.7.1", "no")))
    intake.follow(replace(intake.policy, routes=Routes.of([no])))
    assert intake.recipient_refusal(web, "ann@shop.example", "bob@One.example") == Reply(550, "5.7.1", "no")
    assert intake.recipient_refusal(web, "ann@shop.example", "bob@two.example") is None
    assert intake.recipient_refusal(replace(web, tenant="news"), "", "bob@one.example") is None
    assert intake.recipient_refusal(Principal("shop", "", internal=True), "", "bob@one.example") is None
