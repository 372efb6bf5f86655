"""Receiving hosts as the field has them: each a script of what to say."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

HANG_UP, SILENCE = object(), object()
EHLO = b"250-mx.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 1000\r\n"
GOOD = {b"EHLO": EHLO, b"MAIL": b"250 ok\r\n", b"RCPT": b"250 ok\r\n", b"DATA": b"354 go\r\n", b".": b"250 taken\r\n"}
GOOD |= {b"QUIT": b"221 bye\r\n", b"RSET": b"250 ok\r\n", b"HELO": b"250 mx.test\r\n"}


class Host:
    """Answers by verb; notes every transaction it took."""

    def __init__(self, greeting: object = b"220 mx.test\r\n", **script: object) -> None:
        self.greeting = greeting
        self.script = GOOD | {key.encode(): value for key, value in script.items() if key != "dot"}
        if "dot" in script:
            self.script[b"."] = script["dot"]
        self.taken: list[bytes] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.connections = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        if await self.say(writer, self.greeting):
            while line := await reader.readline():
                verb = line[:4].strip().upper()
                answer = self.script.get(verb, b"500 what\r\n")
                if callable(answer):
                    answer = answer(line)
                if not await self.say(writer, answer):
                    break
                if verb == b"DATA" and isinstance(answer, bytes) and answer.startswith(b"354"):
                    content = b""
                    while not content.endswith(b"\r\n.\r\n"):
                        chunk = await reader.read(65536)
                        if not chunk:
                            break
                        content += chunk
                    self.taken.append(content)
                    if not await self.say(writer, self.script[b"."]):
                        break
        writer.close()

    async def say(self, writer: asyncio.StreamWriter, answer: object) -> bool:
        if answer is SILENCE:
            await asyncio.sleep(5)
        if not isinstance(answer, bytes):
            return False
        writer.write(answer)
        await writer.drain()
        return True


@asynccontextmanager
async def listening(*hosts: Host) -> AsyncIterator[int]:
    """Let hosts listen on 127.0.0.1, 127.0.0.2, … and one port."""
    servers: list[asyncio.Server] = []
    port = 0
    for number, host in enumerate(hosts, 1):
        server = await asyncio.start_server(host.serve, f"127.0.0.{number}", port)
        port = server.sockets[0].getsockname()[1]
        servers.append(server)
    yield port
    for server in servers:
        server.close()
    for writer in (writer for host in hosts for writer in host.writers):
        writer.transport.abort()
    await asyncio.sleep(0.05)
