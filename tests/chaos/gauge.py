"""A receiving host that measures us: connections at once, when each transaction begins, what it took and how often."""

import asyncio
import re
import time
from collections import Counter

from paquebot.queue.rendezvous import owner_of
from paquebot.queue.subjects import partition_of
from paquebot.sandbox.zone import Record

FIRST, SECOND = "deliverer-mail-system_default-0", "deliverer-mail-system_default-1"


class Gauge:
    """One host at an address of its own. It answers RCPT after `rcpt_s` and the final dot after `dot_s` seconds."""

    def __init__(self, domain: str, address: str, rcpt_s: float = 0.0, dot_s: float = 0.0) -> None:
        self.domain, self.address = domain, address
        self.rcpt_s, self.dot_s = rcpt_s, dot_s
        self.open = self.most = 0
        self.began: list[float] = []
        self.taken: Counter[str] = Counter()
        self.server: asyncio.Server | None = None
        self.writers: set[asyncio.StreamWriter] = set()

    @property
    def records(self) -> tuple[Record, Record]:
        return Record(self.domain, "MX", f"10 mx.{self.domain}."), Record(f"mx.{self.domain}", "A", self.address)

    async def start(self, port: int) -> None:
        self.server = await asyncio.start_server(self._serve, self.address, port, limit=1 << 20)

    async def stop(self) -> None:
        assert self.server is not None
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()
        await asyncio.sleep(0.05)

    def fastest(self, window_s: float) -> int:
        """Return the most transactions that began within so many seconds."""
        return max((sum(at <= each < at + window_s for each in self.began) for at in self.began), default=0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            writer.write(b"220 gauge\r\n")
            while line := await reader.readline():
                if not await self._answer(line[:4].upper(), reader, writer):
                    break
        except OSError:
            pass
        finally:
            self.open -= 1
            self.writers.discard(writer)
            writer.close()

    async def _answer(self, verb: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if verb == b"MAIL":
            self.began.append(time.monotonic())
        elif verb == b"RCPT":
            await self._think(self.rcpt_s, reader)
        elif verb == b"DATA":
            writer.write(b"354 go\r\n")
            content = await reader.readuntil(b"\r\n.\r\n")
            await self._think(self.dot_s, reader)
            found = re.search(rb"^Message-ID: <(.*)@", content, re.MULTILINE)
            self.taken[found[1].decode() if found else "?"] += 1
        writer.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
        return verb != b"QUIT"

    async def _think(self, seconds: float, reader: asyncio.StreamReader) -> None:
        """Take time, but see at once when the client goes."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not reader._eof:
            await asyncio.sleep(0.02)


def name_that_moves(stem: str) -> str:
    """Return a destination's name whose partition goes to the second deliverer when it comes, and back."""
    return next(
        name
        for name in (f"{stem}{number}" for number in range(200))
        if owner_of(partition_of(name), {FIRST, SECOND}) == SECOND
    )


def destination(name: str, domain: str, limits: str) -> str:
    """Return the manifest of a DestinationPolicy."""
    return (
        f"---\n{{apiVersion: paquebot.dev/v1alpha1, kind: DestinationPolicy, metadata: {{name: {name}}},\n"
        f" spec: {{match: {{domains: [{domain}]}}, limits: {{{limits}}}}}}}\n"
    )
