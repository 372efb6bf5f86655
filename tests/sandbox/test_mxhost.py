import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from paquebot.mail.reply import Reply
from paquebot.sandbox.certificate import self_signed_context
from paquebot.sandbox.manner import Act, Handshake, Manner, Stage, Trouble, Wording
from paquebot.sandbox.mxhost import MxHost, Received
from tests_support import wait_for

TRANSACTION = b"MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nRCPT TO:<b@c.test>\r\nDATA\r\n"


async def test_a_pipelining_client_gets_its_replies_in_order_and_a_hang_up_forgets_it() -> None:
    kept: list[Received] = []
    host = MxHost("mx.b.test", "127.0.0.1", frozenset({"b.test"}), Manner(), kept.append)
    port = await host.start(0, self_signed_context(("mx.b.test",)))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"EHLO c.test\r\n" + TRANSACTION)
    assert b"354" in await reader.readuntil(b"354 Send the content, end with CRLF.CRLF\r\n")
    assert host.open_connections() == 1
    writer.write(b"From: a@a.test\r\n\r\nhello\r\n.\r\nQUIT\r\n")
    assert (await reader.read()).startswith(b"250 2.0.0 ")
    writer.close()
    await writer.wait_closed()
    async with asyncio.timeout(5):
        while host.open_connections():
            await asyncio.sleep(0)
    assert [received.envelope.recipients for received in kept] == [("b@b.test",)]
    await host.stop()


async def test_stop_cuts_clients_also_in_the_middle_of_a_handshake() -> None:
    host = MxHost("mx.b.test", "127.0.0.1", frozenset(), Manner(), lambda _: None)
    port = await host.start(0, self_signed_context(("mx.b.test",)))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"EHLO c.test\r\nSTARTTLS\r\n")
    await reader.readuntil(b"Ready to start TLS\r\n")
    await host.stop()
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()


@dataclass
class Client:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def hear(self) -> str:
        """Return one reply, all its lines; "" when the host hung up."""
        lines = ""
        with contextlib.suppress(ConnectionResetError):
            while (line := (await self.reader.readline()).decode()) and line[3:4] == "-":
                lines += line
            return lines + line
        return ""

    async def ask(self, command: str) -> str:
        self.writer.write(f"{command}\r\n".encode())
        return await self.hear()

    async def begin(self) -> None:
        """Come as far as the content."""
        await self.hear()
        for command in ("EHLO c.test", "MAIL FROM:<a@a.test>", "RCPT TO:<b@b.test>"):
            assert (await self.ask(command))[0] == "2"
        assert (await self.ask("DATA"))[0] == "3"


@asynccontextmanager
async def client_of(manner: Manner, kept: list[Received] | None = None) -> AsyncIterator[Client]:
    """Let a host of a manner live, and be connected to it."""
    take = (lambda _received: None) if kept is None else kept.append
    host = MxHost("mx.b.test", "127.0.0.1", frozenset({"b.test"}), manner, take)
    port = await host.start(0, self_signed_context(("mx.b.test",)))
    client = Client(*await asyncio.open_connection("127.0.0.1", port))
    async with asyncio.timeout(20):
        yield client
    client.writer.close()
    await host.stop()


BUSY = Reply(451, "4.3.0", "Busy")


@pytest.mark.parametrize("stage", list(Stage))
async def test_a_host_may_say_not_now_at_every_stage(stage: Stage) -> None:
    kept: list[Received] = []
    async with client_of(Manner(troubles=(Trouble(stage, BUSY),)), kept) as client:
        steps = {
            Stage.CONNECT: client.hear,
            Stage.EHLO: lambda: client.ask("EHLO c.test"),
            Stage.MAIL: lambda: client.ask("MAIL FROM:<a@a.test>"),
            Stage.RCPT: lambda: client.ask("RCPT TO:<b@b.test>"),
            Stage.DATA: lambda: client.ask("DATA"),
            Stage.CONTENT: lambda: client.ask("Subject: x"),
            Stage.DOT: lambda: client.ask("."),
        }
        replies = []
        for at, step in steps.items():
            if at is Stage.CONTENT is not stage:
                client.writer.write(b"Subject: x\r\n")
                continue
            replies.append(await step())
            if at is stage:
                break
    assert [reply[:3] for reply in replies][-1] == "451"
    assert not [reply for reply in replies[:-1] if reply[0] not in "23"]
    assert not kept


@pytest.mark.parametrize("stage", list(Stage))
async def test_a_host_may_hang_up_at_every_stage(stage: Stage) -> None:
    async with client_of(Manner(troubles=(Trouble(stage, Act.HANG_UP),))) as client:
        said = [await client.hear()]
        commands = ("EHLO c.test", "MAIL FROM:<a@a.test>", "RCPT TO:<b@b.test>", "DATA", "Subject: x\r\n.")
        said += [await client.ask(command) for command in commands]
    assert "" in said
    reached = said.index("")
    assert reached == {stage: at for at, stage in enumerate(s for s in Stage if s is not Stage.DOT)}.get(stage, 5)


async def test_silence_after_the_final_dot_keeps_the_message_and_never_says_so() -> None:
    kept: list[Received] = []
    async with client_of(Manner(troubles=(Trouble(Stage.DOT, Act.SILENT, keeps=True),)), kept) as client:
        await client.begin()
        client.writer.write(b"Subject: x\r\n\r\n.\r\nNOOP\r\n")
        await wait_for(lambda: kept)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await client.hear()


async def test_keywords_are_left_out_and_starttls_with_them() -> None:
    async with client_of(Manner(frozenset({"STARTTLS", "PIPELINING", "8BITMIME"}))) as client:
        await client.hear()
        said = await client.ask("EHLO c.test")
        assert "SIZE" in said
        assert not {"STARTTLS", "PIPELINING", "8BITMIME"} & set(said.replace("-", " ").split())
        assert (await client.ask("STARTTLS"))[0] == "5"


async def test_ehlo_may_be_unknown_and_helo_is_not() -> None:
    async with client_of(Manner(troubles=(Trouble(Stage.EHLO, Reply(502, "", "What?")),))) as client:
        await client.hear()
        assert (await client.ask("EHLO c.test")).startswith("502 What?")
        assert (await client.ask("HELO c.test")).startswith("250 ")


@pytest.mark.parametrize(
    "manner", [Manner(wording=Wording.ODD), Manner(wording=Wording.MULTILINE), Manner(delay_s=0.01)]
)
async def test_mail_is_taken_however_replies_are_worded_and_paced(manner: Manner) -> None:
    kept: list[Received] = []
    async with client_of(manner, kept) as client:
        await client.begin()
        assert (await client.ask("Subject: x\r\n\r\n."))[0] == "2"
        assert (await client.ask("QUIT"))[:3] == "221"
        assert await client.hear() == ""
    assert [received.content for received in kept] == [b"Subject: x\r\n\r\n"]


async def test_a_broken_handshake_is_answered_with_what_is_no_tls() -> None:
    async with client_of(Manner(handshake=Handshake.BROKEN)) as client:
        await client.hear()
        await client.ask("EHLO c.test")
        assert (await client.ask("STARTTLS"))[:3] == "220"
        client.writer.write(b"\x16\x03\x01 hello")
        assert b"no TLS" in await client.reader.read()


async def test_a_silent_handshake_is_never_answered() -> None:
    async with client_of(Manner(handshake=Handshake.SILENT)) as client:
        await client.hear()
        await client.ask("EHLO c.test")
        assert (await client.ask("STARTTLS"))[:3] == "220"
        client.writer.write(b"\x16\x03\x01 hello")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await client.reader.read()
