"""Cutting the connection of nats-py's client, which would say goodbye to who does not listen."""

import asyncio
import contextlib

from nats.aio.client import Client

ABANDON_S = 1.0


def abort(client: Client) -> None:
    """Cut a client's connection: to close TLS would wait for ever on a server that says nothing."""
    for name in ("_io_writer", "_bare_io_writer"):  # TLS and the socket below: nothing else reaches them
        writer = getattr(client._transport, name, None)  # noqa: SLF001
        if writer is not None:
            writer.transport.abort()


async def abandon(client: Client) -> None:
    """Let go of a client that never got through."""
    abort(client)
    with contextlib.suppress(TimeoutError, OSError):
        async with asyncio.timeout(ABANDON_S):
            await client.close()
