"""A client that did not hear our 250 sends again: it is answered with the first id, and one message arrives."""

import asyncio
import base64
import contextlib
import signal
import smtplib
from dataclasses import replace

import pytest
from click.testing import CliRunner

from paquebot.cli.send import send
from paquebot.cli.trace import trace
from paquebot.mail.envelope import Envelope
from paquebot.runtime.rpc_client import Channel, RpcRefusedError
from paquebot.wire.submission import SUBMIT, SubmitAnswer, SubmitRequest
from platform_support import PASSWORD, SENDER, SHOP, Stage, content
from tests_support import wait_for

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(400)]

MESSAGES, SESSIONS = 60, 4
BASIC = (("authorization", "Basic " + base64.b64encode(f"{SHOP}:{PASSWORD}".encode()).decode()),)


async def kill_submission(stage: Stage) -> None:
    """Kill it and wait for the one that is started in its place."""
    service = stage.platform.services["submission"]
    killed = service.process
    assert killed is not None
    killed.send_signal(signal.SIGKILL)
    await wait_for(lambda: service.process not in {None, killed}, 60)


async def until_heard(stage: Stage, message: bytes, recipient: str, envid: str) -> str:
    """Send as a client does that wants an answer; return the reply."""

    def session() -> str:
        with stage.client() as client:
            return stage.send(message, recipient, client=client, envid=envid)

    async with asyncio.timeout(240):
        while True:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                reply = await asyncio.to_thread(session)
                if not reply.startswith("4"):
                    return reply
            await asyncio.sleep(0.2)


async def arrivals(stage: Stage, recipient: str) -> list[bytes]:
    await stage.settled(90)
    return [each.content for each in stage.internet if recipient in each.envelope.recipients]


async def trace_of(stage: Stage, ident: str, last: str) -> str:
    """Return the trace of a message, once its last record is stored too."""
    async with asyncio.timeout(30):
        while True:
            run = await asyncio.to_thread(CliRunner().invoke, trace, [ident, "--state", str(stage.root)])
            if last in run.output:
                return run.output
            await asyncio.sleep(0.1)


async def test_over_smtp_by_envid_also_when_submission_was_killed_in_between(stage: Stage) -> None:
    message = content("again")
    first = await until_heard(stage, message, "again@plain.test", "order 7")
    assert first.startswith("250 2.0.0 Ok: queued as ")
    assert await until_heard(stage, message, "again@plain.test", "order 7") == first
    await kill_submission(stage)
    assert await until_heard(stage, message, "again@plain.test", "order 7") == first
    refused = await until_heard(stage, content("another"), "again@plain.test", "order 7")
    ident = first.rpartition(" ")[2]
    assert refused.startswith(f"554 5.5.4 This ENVID stands for another message, {ident}, until ")
    assert len(await arrivals(stage, "again@plain.test")) == 1
    told = await trace_of(stage, ident, "554 5.5.4 This ENVID stands for another message")
    assert "sent again with its ENVID: answered with this id, stored once" in told


async def test_under_load_submission_is_killed_twice_and_nothing_is_lost_or_stored_twice(stage: Stage) -> None:
    numbers, heard = iter(range(MESSAGES)), list[str]()

    async def client() -> None:
        for number in numbers:
            message = content(f"load-{number}")
            heard.append(await until_heard(stage, message, f"load-{number}@plain.test", f"load {number}"))

    clients = [asyncio.create_task(client()) for _ in range(SESSIONS)]
    for share in (MESSAGES // 4, MESSAGES // 2):
        await wait_for(lambda share=share: len(heard) >= share, 240)
        await kill_submission(stage)
    await asyncio.gather(*clients)
    assert all(reply.startswith("250") for reply in heard)
    assert len(set(heard)) == MESSAGES
    account = await stage.settled(90)
    assert account.lost == 0
    arrived = [each for each in stage.internet if b"Subject: load-" in each.content]
    assert len(arrived) == MESSAGES


async def test_over_grpc_by_its_key(stage: Stage) -> None:
    address = stage.platform.ports["submission"]
    client = Channel(f"127.0.0.1:{address}", stage.place.identity("admin"), "submission")
    request = SubmitRequest(Envelope(SENDER, ("key@plain.test",)), content("by-key"), idempotency_key="order 7")

    async def submit(asked: SubmitRequest) -> SubmitAnswer:
        return await client.unary(SUBMIT, asked, 20, BASIC)

    first = await submit(request)
    assert first.reply.code == 250
    assert await submit(request) == first
    with pytest.raises(RpcRefusedError, match=f"ALREADY_EXISTS: 554 5.5.4 .*{first.id}"):
        await submit(replace(request, content=content("by-key", body="Other.\r\n")))
    await client.close()


async def test_the_command_names_one_message_and_may_be_run_again(stage: Stage) -> None:
    words = ["--username", SHOP, "--from", SENDER, "--to", "typed@plain.test", "--state", str(stage.root)]
    words += ["--password", PASSWORD, "--envid", "order 8"]
    runs = [await asyncio.to_thread(CliRunner().invoke, send, words, "Hello\n") for _ in range(2)]
    assert [run.exit_code for run in runs] == [0, 0]
    assert runs[0].output == runs[1].output
    too_long = await asyncio.to_thread(CliRunner().invoke, send, [*words, "--envid", "x" * 101], "Hello\n")
    assert "is longer than 100 octets" in too_long.output
