"""Sessions and their dialogue in memory: what each event is answered with."""

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import pytest

from paquebot.mail.principal import Principal
from paquebot.mail.reply import Reply
from paquebot.runtime.rpc_client import RpcUnavailableError
from paquebot.smtp.server import ServerLimits, ServerSession
from paquebot.submission.crowd import Crowd, CrowdLimits
from paquebot.submission.dialogue import Dialogue
from paquebot.wire.auth import LeaseAnswer, Refusal

AUTH = b"AUTH PLAIN " + base64.b64encode(b"\0shop.web\0correct horse") + b"\r\n"
HELLO = b"EHLO client.example\r\n"

Say = Callable[[bytes], Any]


class _Client:
    """Talks to a session and its dialogue, waiting for each answer."""

    def __init__(self, world: Any, crowd: Crowd | None = None, memory: str = "free") -> None:
        self.session = ServerSession("mx.example", ServerLimits(), tls=True, starttls=False)
        self.crowd = crowd or Crowd()
        room = world.room(waiting_max=0)
        if memory != "free":
            room.be_short()
        self.dialogue = Dialogue(self.session, world.intake(), world.authenticate, self.crowd, "192.0.2.1", room)
        self.session.greet()
        self.session.data_to_send()

    async def say(self, octets: bytes) -> list[str]:
        self.session.receive_data(octets)
        while (event := self.session.next_event()) is not None:
            answer = self.dialogue.answer(event)
            self.session.answer(answer if isinstance(answer, Reply) else await answer)
        return self.session.data_to_send().decode().splitlines()

    async def log_in(self) -> "_Client":
        assert (await self.say(HELLO + AUTH))[-1].startswith("235 2.7.0")
        return self


async def test_nobody_relays_without_authentication(world: Any) -> None:
    client = _Client(world)
    said = await client.say(HELLO + b"MAIL FROM:<ann@shop.example>\r\nRCPT TO:<bob@one.example>\r\nDATA\r\n")
    assert [line[:3] for line in said[-3:]] == ["530", "503", "503"]
    assert (world.kept, world.leased, world.admitted) == ([], [], [])


async def test_a_dialogue_that_lost_its_principal_takes_no_mail(world: Any) -> None:
    client = await _Client(world).log_in()
    client.dialogue.leave()
    with pytest.raises(PermissionError):
        await client.say(b"MAIL FROM:<ann@shop.example>\r\n")


async def test_a_pipelined_message_is_answered_in_order(world: Any) -> None:
    client = await _Client(world).log_in()
    said = await client.say(
        b"MAIL FROM:<ann@shop.example>\r\nRCPT TO:<bob@one.example>\r\nRCPT TO:<bob@localhost>\r\nDATA\r\n"
    )
    assert [line[:9] for line in said] == ["250 2.1.0", "250 2.1.5", "550 5.1.2", "354 Send "]
    (done,) = await client.say(b"From: ann@shop.example\r\n\r\n..Hello\r\n.\r\n")
    assert done.startswith("250 2.0.0 Ok: queued as 0")
    ((plan, content),) = world.kept
    assert plan.deliveries[0].recipients == ("bob@one.example",)
    assert content.endswith(b"\r\n\r\n.Hello\r\n")
    assert world.plans[0].protocol == "ESMTPSA"
    assert world.plans[0].client_name == "client.example"


async def test_a_wrong_password_is_refused_and_the_right_one_still_works(world: Any) -> None:
    client = _Client(world)
    wrong = b"AUTH PLAIN " + base64.b64encode(b"\0shop.web\0wrong") + b"\r\n"
    said = await client.say(HELLO + wrong)
    assert said[-1] == "535 5.7.8 Authentication failed"
    assert (await client.say(AUTH))[-1].startswith("235")


async def test_guessing_ends_with_421(world: Any) -> None:
    world.principal = Refusal(Reply(535, "5.7.8", "Too many failures"), delay_ms=1, close=True)
    client = _Client(world)
    said = await client.say(HELLO + AUTH)
    assert said[-1] == "421 4.7.0 Too many failures"
    assert client.session.closed


async def test_while_auth_is_down_newcomers_hear_454(world: Any) -> None:
    world.principal = RpcUnavailableError("gone")
    client = _Client(world)
    assert (await client.say(HELLO + AUTH))[-1].startswith("454 4.7.0")
    assert (await client.say(b"MAIL FROM:<ann@shop.example>\r\n"))[-1].startswith("530")


async def test_while_auth_is_down_the_authenticated_go_on(world: Any) -> None:
    client = await _Client(world).log_in()
    world.lease = RpcUnavailableError("gone")
    assert (await client.say(b"MAIL FROM:<ann@shop.example>\r\n"))[-1].startswith("250 2.1.0")


async def test_a_credential_may_have_only_so_many_sessions(world: Any) -> None:
    crowd = Crowd(CrowdLimits(connections_of_principal_max=1))
    first = await _Client(world, crowd).log_in()
    second = _Client(world, crowd)
    assert (await second.say(HELLO + AUTH))[-1].startswith("421 4.7.0 Too many connections of shop.web")
    assert second.session.closed
    first.dialogue.leave()
    await _Client(world, crowd).log_in()


async def test_who_leaves_while_authenticating_takes_no_seat(world: Any) -> None:
    client = _Client(world)
    client.session.receive_data(HELLO + AUTH)
    event = client.session.next_event()
    assert event is not None
    answer = client.dialogue.answer(event)
    assert asyncio.iscoroutine(answer)
    client.dialogue.leave()
    assert (await answer).code == 421
    assert not client.crowd.principals


async def test_the_credentials_limits_become_the_sessions(world: Any) -> None:
    world.principal = Principal("shop", "web", ("*@shop.example",), message_size_max_bytes=1000, recipients_max=1)
    client = await _Client(world).log_in()
    assert "250-SIZE 1000" in await client.say(HELLO)
    assert (await client.say(b"MAIL FROM:<ann@shop.example> SIZE=1001\r\n"))[-1].startswith("552 5.3.4")
    said = await client.say(
        b"MAIL FROM:<ann@shop.example> SIZE=1000\r\nRCPT TO:<a@one.example>\r\nRCPT TO:<b@one.example>\r\n"
    )
    assert [line[:9] for line in said] == ["250 2.1.0", "250 2.1.5", "452 4.5.3"]


async def test_a_used_up_quota_is_said_at_mail(world: Any) -> None:
    client = await _Client(world).log_in()
    world.lease = LeaseAnswer(0, retry_ms=1000, reason="used")
    assert (await client.say(b"MAIL FROM:<ann@shop.example>\r\n"))[-1] == "452 4.7.1 used: try again in 1 s"
    assert not client.dialogue.in_transaction


async def test_a_forged_sender_is_refused_at_mail(world: Any) -> None:
    client = await _Client(world).log_in()
    said = await client.say(b"MAIL FROM:<boss@bank.example>\r\nMAIL FROM:<>\r\n")
    assert [line[:9] for line in said] == ["550 5.7.1", "550 5.7.1"]


async def test_without_memory_no_content_begins(world: Any) -> None:
    client = await _Client(world, memory="full").log_in()
    said = await client.say(b"MAIL FROM:<ann@shop.example>\r\nRCPT TO:<a@one.example>\r\nDATA\r\n")
    assert said[-1].startswith("452 4.3.1")
    assert not client.dialogue.in_transaction


async def test_a_transaction_lasts_from_mail_to_the_reply(world: Any) -> None:
    client = await _Client(world).log_in()
    assert not client.dialogue.in_transaction
    await client.say(b"MAIL FROM:<ann@shop.example>\r\nRCPT TO:<a@one.example>\r\nDATA\r\n")
    assert client.dialogue.in_transaction
    await client.say(b"From: ann@shop.example\r\n\r\n.\r\n")
    assert not client.dialogue.in_transaction
