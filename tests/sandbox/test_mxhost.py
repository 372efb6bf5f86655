import asyncio
import contextlib

from paquebot.sandbox.certificate import self_signed_context
from paquebot.sandbox.manner import Manner
from paquebot.sandbox.mxhost import MxHost, Received

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
