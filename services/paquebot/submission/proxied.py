"""Reading a PROXY header from a socket, before TLS and SMTP begin: exactly its octets, within a time."""

import asyncio
import socket

from paquebot.smtp.proxy import ProxyFault, client_of, missing

HEADER_S = 5.0  # a load balancer sends it with its first octets


async def client_address(client: socket.socket, peer: str) -> str:
    """Return whose connection `peer` passes on, or `peer` itself.

    Raises ProxyFault when it does not say in time, or not so that it can be understood; OSError.
    """
    loop = asyncio.get_running_loop()
    octets = b""
    try:
        async with asyncio.timeout(HEADER_S):
            while wanted := missing(octets):
                piece = await loop.sock_recv(client, wanted)
                if not piece:
                    raise ProxyFault("the connection ended in the PROXY header")
                octets += piece
    except TimeoutError as late:
        raise ProxyFault(f"no PROXY header within {HEADER_S:.0f} s") from late
    return client_of(octets) or peer
