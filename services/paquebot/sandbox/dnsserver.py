"""An authoritative DNS server on loopback, over UDP and TCP (RFC 1035 §4.2)."""

import asyncio
import contextlib
from typing import cast

import dns.exception
import dns.flags
import dns.message

from paquebot.sandbox.zone import Zone

UDP_MAX = 512  # without EDNS, RFC 1035 §2.3.4
UDP_EDNS_MAX = 1_232
PORT_TRIES_MAX = 20
TCP_IDLE_S = 30.0
_LENGTH = 2


class DnsServer:
    """Answers from one zone."""

    def __init__(self, zone: Zone, host: str, port: int) -> None:
        self._zone = zone
        self._host = host
        self._wanted_port = port
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._conversations: set[asyncio.Task[None]] = set()
        self.port = 0

    async def start(self) -> None:
        """Listen on one port for both; port 0 takes any that is free for both."""
        for tries_left in reversed(range(PORT_TRIES_MAX)):
            try:
                await self._listen()
            except OSError:
                if self._wanted_port or not tries_left:
                    raise
            else:
                return

    async def stop(self) -> None:
        """Listen no more."""
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
        for conversation in self._conversations:
            conversation.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)

    def respond(self, wire: bytes, size_max: int | None) -> bytes | None:
        """Answer a query as it stands on the wire; what is no query gets no answer."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        if query.flags & dns.flags.QR:
            return None
        response = self._zone.answer(query)
        if size_max is None:
            return response.to_wire()
        room = min(max(query.payload, UDP_MAX), size_max) if query.edns >= 0 else UDP_MAX
        try:
            return response.to_wire(max_size=room)
        except dns.exception.TooBig:
            truncated = dns.message.make_response(query)
            truncated.flags |= dns.flags.TC | dns.flags.AA
            return truncated.to_wire()

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        tcp = await asyncio.start_server(self._converse, self._host, self._wanted_port)
        port = int(tcp.sockets[0].getsockname()[1])
        try:
            udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), (self._host, port))
        except OSError:
            tcp.close()
            raise
        self._udp, self._tcp, self.port = udp, tcp, port

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = asyncio.current_task()
        assert conversation is not None  # noqa: S101  (start_server runs us in one)
        self._conversations.add(conversation)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, TimeoutError, ConnectionError):
                await self._answer_all(reader, writer)
        finally:
            self._conversations.discard(conversation)
            writer.close()

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            async with asyncio.timeout(TCP_IDLE_S):
                length = int.from_bytes(await reader.readexactly(_LENGTH), "big")
                answer = self.respond(await reader.readexactly(length), None)
            if answer is None:
                return
            writer.write(len(answer).to_bytes(_LENGTH, "big") + answer)
            await writer.drain()


class _Datagrams(asyncio.DatagramProtocol):
    """One query a datagram."""

    def __init__(self, server: DnsServer) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast("asyncio.DatagramTransport", transport)  # uvloop's is no subclass of asyncio's

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer at once."""
        answer = self._server.respond(data, UDP_EDNS_MAX)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)
