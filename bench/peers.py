"""The two strangers of the benchmark: a client that submits as fast as it is answered, and a host that takes all.

Run as `python bench/peers.py client|sink ARGUMENTS`, each a process of its own, so that their CPU time is their own.
"""

import asyncio
import base64
import json
import ssl
import sys
import time

import uvloop

SIZE_BYTES = 2048


class Sink(asyncio.Protocol):
    """Takes every message; counts them."""

    taken = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self.transport = transport
        self.buffer = b""
        self.in_content = False
        transport.write(b"220 sink.test ESMTP\r\n")  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """Answer whatever has come whole."""
        self.buffer += data
        out = []
        while True:
            if self.in_content:
                end = self.buffer.find(b"\r\n.\r\n")
                if end < 0:
                    break
                self.buffer = self.buffer[end + 5 :]
                self.in_content = False
                Sink.taken += 1
                out.append(b"250 2.0.0 taken\r\n")
                continue
            line, found, rest = self.buffer.partition(b"\r\n")
            if not found:
                break
            self.buffer = rest
            verb = line[:4].upper()
            if verb == b"EHLO":
                out.append(b"250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 0\r\n")
            elif verb == b"DATA":
                self.in_content = True
                out.append(b"354 go\r\n")
            else:
                out.append(b"250 2.1.0 ok\r\n")
        if out:
            self.transport.write(b"".join(out))  # type: ignore[attr-defined]


async def sink(port: int) -> None:
    """Listen on 127.0.0.10; tell the count when asked by a line on standard input."""
    loop = asyncio.get_running_loop()
    await loop.create_server(Sink, "127.0.0.10", port, backlog=512)
    print("ready", flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(Sink.taken, flush=True)


async def client(arguments: dict) -> None:
    """Submit `messages` over `sessions` connections with TLS and AUTH; print seconds and latencies."""
    context = ssl.create_default_context(cafile=arguments["ca"])
    token = base64.b64encode(f"\0{arguments['username']}\0{arguments['password']}".encode())
    left = iter(range(arguments["messages"]))
    latencies: list[float] = []

    async def session() -> None:
        reader, writer = await asyncio.open_connection("localhost", arguments["port"], ssl=context)

        async def reply() -> bytes:
            while True:
                line = await reader.readline()
                if line[3:4] != b"-":
                    return line

        await reply()
        for command in (b"EHLO bench.test\r\n", b"AUTH PLAIN " + token + b"\r\n"):
            writer.write(command)
            await reply()
        for number in left:
            began = time.perf_counter()
            sender = arguments["sender"].encode()
            writer.write(b"MAIL FROM:<%s>\r\nRCPT TO:<r%d@own%d.test>\r\nDATA\r\n" % (sender, number, number % 16))
            for _ in range(3):
                answer = await reply()
            if not answer.startswith(b"354"):
                sys.exit(f"refused: {answer!r}")
            writer.write(message(sender, number, arguments["size"]))
            answer = await reply()
            if not answer.startswith(b"250"):
                sys.exit(f"refused: {answer!r}")
            latencies.append(time.perf_counter() - began)
        writer.write(b"QUIT\r\n")
        await reply()
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(session() for _ in range(arguments["sessions"])))
    latencies.sort()
    middle, late = latencies[len(latencies) // 2], latencies[int(len(latencies) * 0.99)]
    print(json.dumps({"seconds": time.perf_counter() - began, "p50_ms": middle * 1000, "p99_ms": late * 1000}))


def message(sender: bytes, number: int, size: int) -> bytes:
    """Return a whole message of about `size` octets, with its final dot."""
    header = (
        b"From: <%s>\r\nTo: <r%d@own.test>\r\nSubject: number %d\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\n"
        b"Message-ID: <%d@bench.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
        % (sender, number, number, number)
    )
    line = b"The quick brown fox jumps over the lazy dog, again and again, until the line is full.\r\n"
    return header + line * ((size - len(header)) // len(line)) + b".\r\n"


if __name__ == "__main__":
    if sys.argv[1] == "sink":
        uvloop.run(sink(int(sys.argv[2])))
    else:
        uvloop.run(client(json.loads(sys.argv[2])))
