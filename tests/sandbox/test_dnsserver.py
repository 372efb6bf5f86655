import asyncio
from collections.abc import AsyncIterator

import dns.asyncquery
import dns.flags
import dns.message
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paquebot.sandbox.dnsserver import DnsServer
from paquebot.sandbox.zone import Zone, txt_record

ZONE = Zone([txt_record("long.test", "x" * 3_000), txt_record("short.test", "x")], dict)


@pytest.fixture
async def server() -> AsyncIterator[DnsServer]:
    listening = DnsServer(ZONE, "127.0.0.1", 0)
    await listening.start()
    yield listening
    await listening.stop()


async def test_udp_and_tcp_answer_on_one_port(server: DnsServer) -> None:
    query = dns.message.make_query("short.test", "TXT")
    for ask in (dns.asyncquery.udp, dns.asyncquery.tcp):
        answer = await ask(query, "127.0.0.1", port=server.port, timeout=5)
        assert answer.answer[0][0].strings == (b"x",)


async def test_what_does_not_fit_a_datagram_is_truncated_and_whole_over_tcp(server: DnsServer) -> None:
    query = dns.message.make_query("long.test", "TXT")
    truncated = await dns.asyncquery.udp(query, "127.0.0.1", port=server.port, timeout=5)
    assert truncated.flags & dns.flags.TC
    assert not truncated.answer
    whole, by_tcp = await dns.asyncquery.udp_with_fallback(query, "127.0.0.1", port=server.port, timeout=5)
    assert by_tcp
    assert sum(map(len, whole.answer[0][0].strings)) == 3_000


async def test_one_tcp_connection_takes_several_queries_and_stop_ends_it(server: DnsServer) -> None:
    wire = dns.message.make_query("short.test", "TXT").to_wire()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    for _ in range(2):
        writer.write(len(wire).to_bytes(2, "big") + wire)
        length = int.from_bytes(await reader.readexactly(2), "big")
        assert dns.message.from_wire(await reader.readexactly(length)).answer
    await server.stop()
    assert await reader.read() == b""
    writer.close()


async def test_a_taken_port_is_an_error(server: DnsServer) -> None:
    with pytest.raises(OSError, match="in use"):
        await DnsServer(ZONE, "127.0.0.1", server.port).start()


@settings(deadline=None)
@given(st.binary(max_size=80))
def test_whatever_comes_never_raises(wire: bytes) -> None:
    DnsServer(ZONE, "127.0.0.1", 0).respond(wire, 512)


def test_a_response_is_not_answered() -> None:
    response = dns.message.make_response(dns.message.make_query("short.test", "TXT")).to_wire()
    assert DnsServer(ZONE, "127.0.0.1", 0).respond(response, 512) is None
