"""The two strangers of the benchmark: a client that submits as fast as it is answered, and a host that takes all.

Run as `python bench/peers.py client|sink ARGUMENTS`, each a process of its own, so that their CPU time is their own.
A message carries its number and when it was begun, so that the host knows what came, what came twice, and how late.
"""

import asyncio
import base64
import itertools
import json
import ssl
import sys
import time
from dataclasses import dataclass, field

import uvloop

MARK = b"\r\nX-Bench: "
FINAL_DOT = b"\r\n.\r\n"
LINE = b"The quick brown fox jumps over the lazy dog, again and again, until the line is full.\r\n"


@dataclass(slots=True)
class Arrivals:
    """What has come: transactions, and seconds from begin to arrival by number."""

    transactions: int = 0
    took_s: dict[int, float] = field(default_factory=dict)

    def take(self, content: bytes) -> None:
        """Note a message."""
        self.transactions += 1
        begin = content.find(MARK) + len(MARK)
        number, began_ns = content[begin : content.find(b"\r\n", begin)].split()
        self.took_s.setdefault(int(number), (time.monotonic_ns() - int(began_ns)) / 1e9)

    def told(self) -> dict:
        """Return it in figures."""
        took = sorted(self.took_s.values())
        return {"messages": len(took), "duplicated": self.transactions - len(took), **percentiles("e2e", took)}


def percentiles(name: str, took_s: list[float]) -> dict:
    """Return the median and the 99th percentile of sorted seconds, in milliseconds."""
    if not took_s:
        return {}
    return {f"{name}_p50_ms": took_s[len(took_s) // 2] * 1000, f"{name}_p99_ms": took_s[int(len(took_s) * 0.99)] * 1000}


class Sink(asyncio.Protocol):
    """Takes every message, over TLS if the other side wants it."""

    def __init__(self, arrivals: Arrivals, context: ssl.SSLContext | None) -> None:
        self.arrivals = arrivals
        self.context = context
        self.buffer = b""
        self.searched = 0  # up to there is no final dot
        self.in_content = False
        self.secured: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self.transport = transport
        transport.write(b"220 sink.test ESMTP\r\n")  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """Answer whatever has come whole."""
        self.buffer += data
        out = []
        while (answer := self._content() if self.in_content else self._command()) is not None:
            out.append(answer)
        if out:
            self.transport.write(b"".join(out))  # type: ignore[attr-defined]

    def _content(self) -> bytes | None:
        end = self.buffer.find(FINAL_DOT, self.searched)
        if end < 0:
            self.searched = max(0, len(self.buffer) - len(FINAL_DOT))
            return None
        self.arrivals.take(self.buffer[:end])
        self.buffer = self.buffer[end + len(FINAL_DOT) :]
        self.searched, self.in_content = 0, False
        return b"250 2.0.0 taken\r\n"

    def _command(self) -> bytes | None:
        line, found, rest = self.buffer.partition(b"\r\n")
        if not found:
            return None
        self.buffer = rest
        match line[:4].upper():
            case b"EHLO":
                starttls = b"250-STARTTLS\r\n" if self.context and self.secured is None else b""
                return b"250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n%b250 SIZE 0\r\n" % starttls
            case b"STAR":
                self.secured = asyncio.create_task(self._secure())
                return b"220 2.0.0 go\r\n"
            case b"DATA":
                self.in_content = True
                return b"354 go\r\n"
        return b"250 2.1.0 ok\r\n"

    async def _secure(self) -> None:
        loop = asyncio.get_running_loop()
        self.transport = await loop.start_tls(self.transport, self, self.context, server_side=True)  # type: ignore[arg-type, assignment]


async def sink(port: int, certificate: str) -> None:
    """Listen on 127.0.0.10; for each line on standard input tell what has come, after `reset` from the start."""
    loop = asyncio.get_running_loop()
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{certificate}/tls.crt", f"{certificate}/tls.key")
    arrivals = Arrivals()
    await loop.create_server(lambda: Sink(arrivals, context), "127.0.0.10", port, backlog=512)
    print("ready", flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if line.startswith("reset"):
            arrivals.transactions = 0
            arrivals.took_s.clear()
        print(json.dumps(arrivals.told()), flush=True)


@dataclass(slots=True)
class Client:
    """Submits over `sessions` connections with TLS and AUTH; each takes the next number while there is one."""

    wanted: dict
    context: ssl.SSLContext
    ports: "itertools.cycle[int]"
    left: "iter"  # type: ignore[valid-type]
    took_s: list[float] = field(default_factory=list)

    async def session(self) -> None:
        """Send over one connection, or over one for each message."""
        connection = None
        for number in self.left:
            began = time.monotonic_ns()
            connection = connection or await Connection.opened(self)
            await connection.submit(number, began)
            self.took_s.append((time.monotonic_ns() - began) / 1e9)
            if not self.wanted["persistent"]:
                await connection.leave()
                connection = None
        if connection is not None:
            await connection.leave()


@dataclass(slots=True)
class Connection:
    """One connection to submission."""

    client: Client
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def opened(cls, client: Client) -> "Connection":
        """Connect, greet, log in."""
        self = cls(client, *await asyncio.open_connection("localhost", next(client.ports), ssl=client.context))
        token = base64.b64encode(f"\0{client.wanted['username']}\0{client.wanted['password']}".encode())
        await self.reply(b"220")
        await self.ask(b"EHLO bench.test\r\n", b"250")
        await self.ask(b"AUTH PLAIN " + token + b"\r\n", b"235")
        return self

    async def submit(self, number: int, began_ns: int) -> None:
        """Send one message, the envelope and DATA together."""
        sender = self.client.wanted["sender"].encode()
        self.writer.write(b"MAIL FROM:<%b>\r\nRCPT TO:<u%d@d%d.bench.test>\r\nDATA\r\n" % (sender, number, number % 16))
        for code in (b"250", b"250", b"354"):
            await self.reply(code)
        await self.ask(message(sender, number, began_ns, self.client.wanted["size"]), b"250")

    async def leave(self) -> None:
        """Say goodbye."""
        await self.ask(b"QUIT\r\n", b"221")
        self.writer.close()

    async def ask(self, octets: bytes, code: bytes) -> None:
        """Send, and hear a reply."""
        self.writer.write(octets)
        await self.reply(code)

    async def reply(self, code: bytes) -> None:
        """Hear a reply; any other code ends the run."""
        while (line := await self.reader.readline())[3:4] == b"-":
            pass
        if not line.startswith(code):
            sys.exit(f"refused: {line!r}")


async def client(wanted: dict) -> None:
    """Submit; print seconds and latencies."""
    context = ssl.create_default_context(cafile=wanted["ca"])
    running = Client(wanted, context, itertools.cycle(wanted["ports"]), iter(range(wanted["messages"])))
    began = time.perf_counter()
    await asyncio.gather(*(running.session() for _ in range(wanted["sessions"])))
    seconds = time.perf_counter() - began
    print(json.dumps({"accept_seconds": seconds, **percentiles("accept", sorted(running.took_s))}))


def message(sender: bytes, number: int, began_ns: int, size: int) -> bytes:
    """Return a whole message of about `size` octets, with its final dot."""
    header = (
        b"From: <%b>\r\nTo: <u%d@bench.test>\r\nSubject: number %d\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000"
        b"%b%d %d\r\n"
        b"Message-ID: <%d.%d@bench.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
        % (sender, number, number, MARK, number, began_ns, number, began_ns)
    )
    return header + LINE * ((size - len(header)) // len(LINE)) + b".\r\n"


if __name__ == "__main__":
    if sys.argv[1] == "sink":
        uvloop.run(sink(int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""))
    else:
        uvloop.run(client(json.loads(sys.argv[2])))
