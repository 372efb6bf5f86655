"""The cluster's DNS: Services and pods of StatefulSets from what the API says, all else from one resolver."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any, cast

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from cluster.services import endpoints, headless

Manifest = Mapping[str, Any]
Key = tuple[str, str]
Place = tuple[str, int]
TTL_S = 1
UDP_BYTES_MAX = 1232
FORWARD_S = 5.0
ZONE = ".cluster.local"


def addresses(name: str, services: Mapping[Key, Manifest], slices: Mapping[Key, Manifest]) -> list[str] | None:
    """Return the addresses of `service.namespace.svc` or `pod.service.namespace.svc`; None: no such name."""
    labels = name.removesuffix(ZONE).split(".")
    if len(labels) not in {3, 4} or labels[-1] != "svc":
        return None
    key = (labels[-2], labels[-3])
    service = services.get(key)
    if service is None:
        return None
    if len(labels) == 3 and not headless(service):
        return [service["spec"]["clusterIP"]]
    found = [each for each, _ in endpoints(slices, key)]
    if len(labels) == 4:
        found = [each for each in found if each.get("hostname") == labels[0]]
        if not found:
            return None
    return sorted({address for each in found for address in each["addresses"]})


class Names:
    """A DNS server over UDP and TCP; `forward` says where all other names are asked, or that nobody is."""

    def __init__(self, look: Callable[[str], list[str] | None], forward: Callable[[], Place | None]) -> None:
        self._look = look
        self._forward = forward
        self._tasks: set[asyncio.Task[None]] = set()
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None

    async def start(self, address: str, port: int) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), (address, port))
        self._tcp = await asyncio.start_server(self._converse, address, port)

    async def stop(self) -> None:
        """Listen no more."""
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def respond(self, wire: bytes) -> dns.message.Message | None:
        """Answer a query; what is none gets no answer."""
        try:
            query = dns.message.from_wire(wire)
            question = query.question[0]
        except (dns.exception.DNSException, IndexError):
            return None
        name = question.name.to_text(omit_final_dot=True).lower()
        if not name.endswith((ZONE, ".svc")):
            return await self._ask(query)
        found = self._look(name)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA
        if found is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif found and question.rdtype == dns.rdatatype.A:
            answer.answer.append(dns.rrset.from_text(question.name, TTL_S, "IN", "A", *found))
        return answer

    async def _ask(self, query: dns.message.Message) -> dns.message.Message:
        place = self._forward()
        if place is not None:
            with contextlib.suppress(OSError, dns.exception.DNSException):
                answer, _ = await dns.asyncquery.udp_with_fallback(query, place[0], FORWARD_S, place[1])
                return answer
        refusal = dns.message.make_response(query)
        refusal.set_rcode(dns.rcode.NXDOMAIN if place is None else dns.rcode.SERVFAIL)
        return refusal

    def take(self, wire: bytes, client: Any, transport: asyncio.DatagramTransport) -> None:
        """Answer a datagram when there is an answer."""

        async def reply() -> None:
            answer = await self.respond(wire)
            if answer is not None and not transport.is_closing():
                transport.sendto(_fitting(answer), client)

        task = asyncio.create_task(reply())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while True:
                    length = int.from_bytes(await reader.readexactly(2), "big")
                    answer = await self.respond(await reader.readexactly(length))
                    if answer is None:
                        return
                    wire = answer.to_wire(max_size=65_535)
                    writer.write(len(wire).to_bytes(2, "big") + wire)
                    await writer.drain()
        finally:
            self._tasks.discard(task)
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, names: Names) -> None:
        self._names = names
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._transport is not None:
            self._names.take(data, addr, self._transport)


def _fitting(answer: dns.message.Message) -> bytes:
    """Return the answer as a datagram; without its records, and saying so, when it is too long."""
    try:
        return answer.to_wire(max_size=UDP_BYTES_MAX)
    except dns.exception.TooBig:
        short = dns.message.Message(answer.id)
        short.flags = answer.flags | dns.flags.TC
        short.question = answer.question
        return short.to_wire()
