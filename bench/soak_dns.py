"""DNS for a long queue: every domain has one host, and that host is here. By rule, so that it is never what is slow."""

import asyncio
import socket
import struct

TTL_S = 300
_A, _MX = 1, 15
_MX_LABEL = b"\x02mx"
_OWN_NAME = b"\xc0\x0c"  # a pointer to the question's name (RFC 1035 §4.1.4)


class Nameserver(asyncio.DatagramProtocol):
    """Says `X MX 10 mx.X` and `mx.X A address`, for any X; of everything else that there is none."""

    def __init__(self, address: str) -> None:
        self.address = socket.inet_aton(address)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self.transport = transport

    def datagram_received(self, query: bytes, source: tuple[str, int]) -> None:
        """Answer one question."""
        end = query.index(b"\0", 12) + 5  # name, type, class
        kind = int.from_bytes(query[end - 4 : end - 2], "big")
        is_host = query[12:15].lower() == _MX_LABEL
        rdata = b""
        if kind == _MX and not is_host:
            rdata = b"\0\x0a" + _MX_LABEL + _OWN_NAME
        elif kind == _A and is_host:
            rdata = self.address
        answer = struct.pack(">2sHHIH", _OWN_NAME, kind, 1, TTL_S, len(rdata)) + rdata if rdata else b""
        header = query[:2] + struct.pack(">HHHHH", 0x8580, 1, bool(rdata), 0, 0)
        self.transport.sendto(header + query[12:end] + answer, source)  # type: ignore[attr-defined]


async def serve(address: str) -> tuple[asyncio.BaseTransport, str]:
    """Listen on any port; return the transport, and where it listens."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Nameserver(address), (address, 0))
    host, port = transport.get_extra_info("sockname")
    return transport, f"{host}:{port}"
