"""Other mail beside a long queue: sent at a steady rate, taken by a host here, timed from its begin to its arrival."""

import asyncio
import base64
import ssl
import time
from dataclasses import dataclass, field
from pathlib import Path

from paquebot.queue.subjects import PARTITIONS, partition_of

SESSIONS = 8
ARRIVES_MAX_S = 120.0
SINK = "127.0.0.10"


def _own() -> dict[int, str]:
    """Return a destination for each partition: the name of its DestinationPolicy, and so of its site."""
    found: dict[int, str] = {}
    number = 0
    while len(found) < PARTITIONS:
        found.setdefault(partition_of(f"own{number}"), f"own{number}")
        number += 1
    return found


OWN = tuple(_own().values())


@dataclass(slots=True)
class Sink:
    """A host that takes every message, and knows when each came by its Subject. `others` counts those without one."""

    arrived: dict[bytes, float] = field(default_factory=dict)
    others: int = 0
    server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen on any port, and return it."""
        self.server = await asyncio.get_running_loop().create_server(lambda: _Session(self), SINK, 0, backlog=1024)
        return int(self.server.sockets[0].getsockname()[1])

    def take(self, content: bytes) -> None:
        """Note a message."""
        marked = content.find(b"\r\nSubject: probe ")
        if marked < 0:
            self.others += 1
            return
        name = content[marked + 17 : content.index(b"\r\n", marked + 17)]
        self.arrived.setdefault(name, time.perf_counter())


class _Session(asyncio.Protocol):
    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.buffer = b""
        self.in_content = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        transport.write(b"220 sink.test ESMTP\r\n")  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        out = []
        while (answer := self._next()) is not None:
            out.append(answer)
        self.transport.write(b"".join(out))  # type: ignore[attr-defined]

    def _next(self) -> bytes | None:
        if self.in_content:
            content, found, rest = self.buffer.partition(b"\r\n.\r\n")
            if not found:
                return None
            self.buffer, self.in_content = rest, False
            self.sink.take(content)
            return b"250 2.0.0 taken\r\n"
        line, found, rest = self.buffer.partition(b"\r\n")
        if not found:
            return None
        self.buffer = rest
        verb = line[:4].upper()
        self.in_content = verb == b"DATA"
        if verb == b"EHLO":
            return b"250-sink.test\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
        return b"354 go\r\n" if self.in_content else b"250 2.1.0 ok\r\n"


@dataclass(slots=True)
class Probe:
    """Sends over a few persistent connections to one platform."""

    sink: Sink
    port: int
    authority: Path
    token: bytes  # of AUTH PLAIN
    name: str
    sent: int = 0
    refused: int = 0

    async def run(self, messages: int, per_s: float) -> list[float]:
        """Send at a rate; return the seconds from the begin of each transaction to its arrival, sorted."""
        first, self.sent = self.sent, self.sent + messages
        begun: dict[bytes, float] = {}
        loop = asyncio.get_running_loop()
        start = loop.time()

        async def session(offset: int) -> None:
            reader, writer = await self._connect()
            for number in range(offset, messages, SESSIONS):
                await asyncio.sleep(max(0.0, start + 0.5 + number / per_s - loop.time()))
                mark = b"%s-%d" % (self.name.encode(), first + number)
                began = time.perf_counter()
                if await self._send(reader, writer, mark, OWN[number % PARTITIONS]):
                    begun[mark] = began
                else:
                    self.refused += 1
            writer.close()

        await asyncio.gather(*(session(offset) for offset in range(min(SESSIONS, messages))))
        async with asyncio.timeout(ARRIVES_MAX_S):
            while not begun.keys() <= self.sink.arrived.keys():  # noqa: ASYNC110  (they come from elsewhere)
                await asyncio.sleep(0.02)
        return sorted(self.sink.arrived.pop(mark) - began for mark, began in begun.items())

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        context = ssl.create_default_context(cafile=self.authority)
        reader, writer = await asyncio.open_connection("localhost", self.port, ssl=context)
        await _reply(reader)
        for command in (b"EHLO bench.test\r\n", b"AUTH PLAIN " + base64.b64encode(self.token) + b"\r\n"):
            writer.write(command)
            await _reply(reader)
        return reader, writer

    async def _send(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mark: bytes, own: str) -> bool:
        writer.write(b"MAIL FROM:<a@nowhere.test>\r\nRCPT TO:<r@%s.test>\r\nDATA\r\n" % own.encode())
        for _ in range(3):
            answer = await _reply(reader)
        if not answer.startswith(b"354"):
            return False
        writer.write(b"From: <a@nowhere.test>\r\nTo: <r@own.test>\r\nMessage-ID: <%s@bench.test>\r\n" % mark)
        writer.write(
            b"Date: Thu, 26 Nov 2026 10:00:00 +0000\r\nSubject: probe %s\r\n\r\n%s.\r\n" % (mark, b"Hi.\r\n" * 400)
        )
        return (await _reply(reader)).startswith(b"250")


async def _reply(reader: asyncio.StreamReader) -> bytes:
    while (line := await reader.readline())[3:4] == b"-":
        pass
    return line
