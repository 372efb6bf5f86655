"""Mail from programs: the same replies as over SMTP, and reports only from our own deliverers."""

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from paquebot.mail.delivery import Lane
from paquebot.mail.envelope import Envelope, Wish
from paquebot.mail.principal import Principal
from paquebot.mail.reply import Reply
from paquebot.queue.jetstream import JetStream
from paquebot.runtime.authority import create_authority, issue
from paquebot.runtime.readiness import Readiness
from paquebot.runtime.rpc_client import Channel, RpcRefusedError, RpcUnavailableError
from paquebot.runtime.rpc_server import BusyError, Caller, Server
from paquebot.runtime.settings import Address
from paquebot.submission.program import ProgramDoor
from paquebot.submission.repeat import IDEMPOTENCY_KEY_MAX
from paquebot.submission.room import Claim
from paquebot.wire.auth import AuthenticateRequest, Refusal
from paquebot.wire.submission import SUBMIT, SubmitAnswer, SubmitRequest
from queue_fixtures import connect, identities, js, nats

__all__ = ["connect", "identities", "js", "nats"]

CONTENT = b"From: ann@shop.example\r\n\r\nHello\r\n"
REPORT_ID = "11111111-2222-5333-8444-555555555555"
BASIC = {"authorization": "Basic " + base64.b64encode(b"shop.web:correct horse").decode()}
MAIL = SubmitRequest(Envelope("ann@shop.example", ("bob@one.example",)), CONTENT)
REPORT = SubmitRequest(
    Envelope("", ("ann@shop.example",)),
    CONTENT.replace(b"ann@shop", b"mailer-daemon@mx"),
    REPORT_ID,
    "id.1",
    "shop",
    "mail_main",
)


def _door(world: Any) -> ProgramDoor:
    return ProgramDoor(world.intake(), world.authenticate, world.room())


async def _submit(world: Any, request: SubmitRequest, metadata: dict[str, str] | None = None) -> SubmitAnswer:
    return await _door(world).submit(request, Caller("client", BASIC if metadata is None else metadata))


async def test_a_client_with_a_password_sends_mail(world: Any) -> None:
    answer = await _submit(world, MAIL)
    assert answer.reply.code == 250
    assert answer.reply.text == f"Ok: queued as {answer.id}"
    (asked,) = world.plans
    assert (asked.id, asked.protocol, asked.client_address, asked.lane) == (answer.id, "GRPC", "", Lane.NORMAL)
    assert (asked.principal.tenant, asked.principal.credential) == ("shop", "web")


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"authorization": "Bearer "},
        {"authorization": "Digest abc"},
        {"authorization": "Basic !!!"},
        {"authorization": "Basic " + base64.b64encode(b"no colon").decode()},
        {"authorization": "Basic " + base64.b64encode(b"\xff:x").decode()},
    ],
)
async def test_a_client_without_password_sends_nothing(world: Any, metadata: dict[str, str]) -> None:
    answer = await _submit(world, MAIL, metadata)
    assert (answer.reply.code, answer.reply.enhanced) == (530, "5.7.0")
    assert world.kept == []


async def test_a_program_without_room_is_told_when_to_try_again_and_reports_come_through(world: Any) -> None:
    room = world.room(messages_max=1, waiting_max_s=0.01)
    door = ProgramDoor(world.intake(), world.authenticate, room)
    busy = Claim("shop.other")
    assert room.ask(busy, 1)
    with pytest.raises(BusyError, match=r"452 4\.3\.2 1 messages are being taken") as caught:
        await door.submit(MAIL, Caller("client", BASIC))
    assert caught.value.again_s == 5
    assert (await door.submit(REPORT, Caller("deliverer", {}))).reply.code == 250
    room.leave(busy)
    assert (await door.submit(MAIL, Caller("client", BASIC))).reply.code == 250
    assert (room.held_bytes, room.messages) == (0, 0)


async def test_a_token_comes_as_a_bearer(world: Any) -> None:
    asked: list[AuthenticateRequest] = []

    async def authenticate(request: AuthenticateRequest) -> Any:
        asked.append(request)
        return world.principal

    door = ProgramDoor(world.intake(), authenticate, world.room())
    answer = await door.submit(MAIL, Caller("client", {"authorization": "Bearer abc.def.ghi"}))
    assert answer.reply.code == 250
    assert asked == [AuthenticateRequest("", b"", "grpc:client", b"abc.def.ghi")]
    assert "abc" not in repr(asked)


async def test_wishes_for_reports_are_held_to_the_grammar_and_follow_their_recipient(world: Any, js: JetStream) -> None:
    door = ProgramDoor(world.intake(js), world.authenticate, world.room())
    wishes = {"bob@One.example": Wish(("NEVER",))}
    envelope = Envelope("ann@shop.example", ("bob@One.example",), ret="HDRS", envelope_id="x", wishes=wishes)
    assert (await door.submit(SubmitRequest(envelope, CONTENT), Caller("client", BASIC))).reply.code == 250
    assert world.plans[0].envelope.wishes == {"bob@one.example": Wish(("NEVER",))}
    forged = replace(envelope, envelope_id="x\r\nRSET")
    assert (await _submit(world, SubmitRequest(forged, CONTENT))).reply.code == 501


async def test_addresses_beyond_ascii_want_the_flag_and_their_domains_become_a_labels(world: Any) -> None:
    envelope = Envelope("ann@shop.example", ("ö@Bücher.example", "bob@bücher.example"))
    refused = (await _submit(world, SubmitRequest(envelope, CONTENT))).reply
    assert (refused.code, refused.enhanced) == (553, "5.6.7")
    assert (await _submit(world, SubmitRequest(replace(envelope, utf8=True), CONTENT))).reply.code == 250
    assert world.plans[0].envelope.recipients == ("ö@xn--bcher-kva.example", "bob@xn--bcher-kva.example")
    for none in ("ö@ü..example", "ö\n@one.example"):
        forged = replace(envelope, recipients=(none,), utf8=True)
        assert (await _submit(world, SubmitRequest(forged, CONTENT))).reply.code == 501


async def test_a_principal_sends_as_its_domain_however_it_is_written(world: Any) -> None:
    world.principal = replace(world.principal, senders=("*@xn--bcher-kva.example",))
    content = "From: Änne <ä@Bücher.example>\r\n\r\nHello\r\n".encode()
    envelope = Envelope("ä@bücher.example", ("bob@one.example",), utf8=True)
    assert (await _submit(world, SubmitRequest(envelope, content))).reply.code == 250
    other = content.replace("Bücher".encode(), "Büchér".encode())
    assert (await _submit(world, SubmitRequest(envelope, other))).reply.enhanced == "5.7.1"


async def test_a_wrong_password_and_a_missing_auth_are_told_apart(world: Any) -> None:
    wrong = {"authorization": "Basic " + base64.b64encode(b"shop.web:wrong").decode()}
    assert (await _submit(world, MAIL, wrong)).reply.code == 535
    world.principal = RpcUnavailableError("gone")
    assert (await _submit(world, MAIL)).reply.code == 454
    world.principal = Refusal(Reply(535, "5.7.8", "Too many failures"), close=True)
    assert (await _submit(world, MAIL)).reply.code == 535
    assert world.kept == []


@pytest.mark.parametrize(
    ("reverse_path", "recipients", "code", "enhanced"),
    [
        ("boss@bank.example", ("bob@one.example",), 550, "5.7.1"),
        ("", ("bob@one.example",), 550, "5.7.1"),
        ("ann@shop.example", (), 554, "5.5.1"),
        ("ann@shop.example", ("bob@localhost",), 550, "5.1.2"),
        ("ann@shop.example", ("bob@one.example\r\nRCPT TO:<x@y.example>",), 501, "5.1.3"),
        ("ann@shop.example", ("b\u00f6b@one.example",), 553, "5.6.7"),
        ("<ann>@shop.example", ("bob@one.example",), 501, "5.1.7"),
        ("ann@shop.example", tuple(f"u{i}@one.example" for i in range(101)), 452, "4.5.3"),
    ],
)
async def test_an_envelope_is_held_to_what_smtp_would_hold_it_to(
    world: Any, reverse_path: str, recipients: tuple[str, ...], code: int, enhanced: str
) -> None:
    answer = await _submit(world, SubmitRequest(Envelope(reverse_path, recipients), CONTENT))
    assert (answer.reply.code, answer.reply.enhanced) == (code, enhanced)
    assert world.kept == []


async def test_lane_and_tags_of_a_call_reach_the_router(world: Any) -> None:
    answer = await _submit(world, replace(MAIL, lane="bulk", tags={"campaign": "spring"}))
    assert answer.reply.code == 250
    assert (world.plans[0].lane, world.plans[0].tags) == (Lane.BULK, {"campaign": "spring"})


@pytest.mark.parametrize(
    ("unfit", "told"),
    [({"lane": "fast"}, "lane is 'fast'"), ({"tags": {"a b": "c"}}, "tags: 'a b' is no name")],
)
async def test_an_unfit_lane_or_tag_is_refused_by_name(world: Any, unfit: dict[str, Any], told: str) -> None:
    answer = await _submit(world, replace(MAIL, **unfit))
    assert (answer.reply.code, answer.reply.enhanced) == (554, "5.6.0")
    assert told in answer.reply.text
    assert world.plans == []


async def test_domains_come_in_lower_case_and_recipients_once(world: Any) -> None:
    envelope = Envelope("ann@SHOP.example", ("Bob@ONE.example", "Bob@one.example"))
    assert (await _submit(world, SubmitRequest(envelope, CONTENT))).reply.code == 250
    assert world.plans[0].envelope == Envelope("ann@shop.example", ("Bob@one.example",))


async def test_content_over_the_limit_is_refused(world: Any) -> None:
    world.principal = Principal("shop", "web", ("*@shop.example",), message_size_max_bytes=len(CONTENT) - 1)
    assert (await _submit(world, MAIL)).reply.code == 552


async def test_a_client_cannot_pass_for_a_deliverer(world: Any) -> None:
    answer = await _submit(world, REPORT)
    assert (answer.reply.code, answer.reply.enhanced) == (554, "5.5.4")
    assert world.kept == []


async def test_a_deliverers_report_is_kept_under_its_own_id(world: Any) -> None:
    answer = await _door(world).submit(REPORT, Caller("deliverer", {}))
    assert (answer.reply.code, answer.id) == (250, REPORT_ID)
    (asked,) = world.plans
    assert asked.principal == Principal("shop", "", internal=True)
    assert (asked.lane, asked.pool) == (Lane.URGENT, "mail_main")
    assert world.judged == []
    assert world.records[0].report_of == "id.1"


@pytest.mark.parametrize(
    "report",
    [
        SubmitRequest(Envelope("ann@shop.example", ("a@one.example",)), CONTENT, REPORT_ID, "id.1", "shop", "p"),
        SubmitRequest(Envelope("", ("a@one.example",)), CONTENT, "no uuid", "id.1", "shop", "mail_main"),
        SubmitRequest(Envelope("", ("a@one.example",)), CONTENT, REPORT_ID, "id.1", "", "mail_main"),
        SubmitRequest(Envelope("", ("a@one.example",)), CONTENT, REPORT_ID, "", "shop", "mail_main"),
        SubmitRequest(Envelope("", ()), CONTENT, REPORT_ID, "id.1", "shop", "mail_main"),
    ],
)
async def test_a_report_that_lacks_something_is_refused(world: Any, report: SubmitRequest) -> None:
    answer = await _door(world).submit(report, Caller("deliverer", {}))
    assert answer.reply.is_permanent
    assert world.kept == []


@pytest.mark.parametrize(("key", "code"), [("k" * IDEMPOTENCY_KEY_MAX, 250), ("k" * 201, 554), ("a\tb", 554)])
async def test_an_idempotency_key_is_short_and_printable(world: Any, js: JetStream, key: str, code: int) -> None:
    door = ProgramDoor(world.intake(js), world.authenticate, world.room())
    answer = await door.submit(replace(MAIL, idempotency_key=key), Caller("client", BASIC))
    assert (answer.reply.code, len(world.kept)) == (code, int(code == 250))


async def test_a_key_that_stands_for_another_message_is_already_there(
    world: Any, js: JetStream, tmp_path: Path
) -> None:
    create_authority(tmp_path / "authority")
    for name in ("submission", "client"):
        issue(tmp_path / "authority", name, tmp_path / name, ())
    server = Server(Address("127.0.0.1", 0), tmp_path / "submission", Readiness())
    ProgramDoor(world.intake(js), world.authenticate, world.room()).serve(server)
    client = Channel(f"127.0.0.1:{await server.start()}", tmp_path / "client", "submission")
    request = replace(MAIL, idempotency_key="order-7")
    first = await client.unary(SUBMIT, request, 10, tuple(BASIC.items()))
    assert await client.unary(SUBMIT, request, 10, tuple(BASIC.items())) == first
    with pytest.raises(RpcRefusedError, match=f"ALREADY_EXISTS: 554 5.5.4 .* another message, {first.id}, until"):
        await client.unary(SUBMIT, replace(request, content=CONTENT + b"!\r\n"), 10, tuple(BASIC.items()))
    assert len(world.kept) == 1
    await client.close()
    await server.stop(0)


async def test_over_the_wire_identities_decide_who_may_submit(world: Any, tmp_path: Path) -> None:
    create_authority(tmp_path / "authority")
    for name in ("submission", "client", "deliverer", "router"):
        issue(tmp_path / "authority", name, tmp_path / name, ())
    server = Server(Address("127.0.0.1", 0), tmp_path / "submission", Readiness())
    _door(world).serve(server)
    target = f"127.0.0.1:{await server.start()}"
    client, deliverer, router = (
        Channel(target, tmp_path / name, "submission") for name in ("client", "deliverer", "router")
    )
    answer = await client.unary(SUBMIT, MAIL, 10, tuple(BASIC.items()))
    assert answer.reply.code == 250
    assert (await client.unary(SUBMIT, MAIL, 10)).reply.code == 530
    assert (await deliverer.unary(SUBMIT, REPORT, 10)).id == REPORT_ID
    with pytest.raises(RpcRefusedError, match="may not call"):
        await router.unary(SUBMIT, REPORT, 10)
    for channel in (client, deliverer, router):
        await channel.close()
    await server.stop(0)
