"""A smarthost for tests: STARTTLS or TLS from the first octet, AUTH PLAIN and LOGIN, then it takes everything."""

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(eq=False)
class Relay:
    """Knows one login; notes what was taken and who tried to log in."""

    context: ssl.SSLContext
    username: str = "paquebot"
    password: str = "s3cret päss"
    mechanisms: str = "PLAIN LOGIN"
    implicit: bool = False
    known: bool = False  # nobody needs to log in
    taken: list[bytes] = field(default_factory=list)
    logins: list[tuple[str, bool]] = field(default_factory=list)  # mechanism, whether it was good
    port: int = 0
    connections: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await self.talk(reader, writer)
        writer.transport.abort()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        secured, known = self.implicit, self.known
        writer.write(b"220 relay.test\r\n")
        while line := await reader.readline():
            verb = line[:4].strip().upper()
            if verb == b"EHLO":
                offers = f"AUTH {self.mechanisms}" if secured else "STARTTLS"
                writer.write(f"250-relay.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 {offers}\r\n".encode())
            elif verb == b"STAR":
                writer.write(b"220 go\r\n")
                plain = writer.transport
                try:
                    await writer.start_tls(self.context)
                except AttributeError:  # Python's way to say that the handshake failed; the writer forgot what to close
                    writer._transport = plain  # type: ignore[attr-defined]
                    return
                secured = True
            elif verb == b"AUTH":
                known = await self.log_in(line, reader, writer)
                writer.write(b"235 2.7.0 welcome\r\n" if known else b"535 5.7.8 who are you\r\n")
            elif verb == b"MAIL":
                writer.write(b"250 ok\r\n" if known else b"530 5.7.0 log in first\r\n")
            elif verb == b"DATA" and not known:
                writer.write(b"503 5.5.1 no\r\n")
            elif verb == b"DATA":
                writer.write(b"354 go\r\n")
                self.taken.append(await reader.readuntil(b"\r\n.\r\n"))
                writer.write(b"250 2.0.0 taken\r\n")
            elif verb == b"QUIT":
                break
            else:
                writer.write(b"250 ok\r\n")
            await writer.drain()

    async def log_in(self, line: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        _, mechanism, *rest = line.split()
        if mechanism == b"PLAIN":
            words = base64.b64decode(rest[0]).split(b"\0")[1:]
        else:
            words = []
            for _ in range(2):
                writer.write(b"334 bm93\r\n")
                words.append(base64.b64decode(await reader.readline()))
        good = words == [self.username.encode(), self.password.encode()]
        self.logins.append((mechanism.decode(), good))
        return good


@asynccontextmanager
async def listening(relay: Relay, port: int = 0) -> AsyncIterator[Relay]:
    """Let it listen on 127.0.0.1."""
    server = await asyncio.start_server(relay.serve, "127.0.0.1", port, ssl=relay.context if relay.implicit else None)
    relay.port = server.sockets[0].getsockname()[1]
    yield relay
    server.close()
    for writer in relay.connections:
        writer.transport.abort()
    await asyncio.sleep(0.05)
