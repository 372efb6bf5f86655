"""Receiving hosts that count: every recipient is named once in a run, so whatever comes twice is seen.

They note what was under way in each deliverer at any moment: its connections come to a port of its own.
"""

import asyncio
import contextlib
import math
import re
import time
from collections import Counter
from dataclasses import dataclass, field

from chaos.account import Arrived
from chaos.letters import DOMAINS, Letters, number_of
from paquebot.cli.demo.account import queued_id
from paquebot.sandbox.zone import Record

HOME = "shop.test"  # where reports come home
FIRST_ADDRESS = 81
CONTENT_MAX_BYTES = 16 << 20
_FAILED = re.compile(rb"^Final-Recipient: rfc822; ?(\S+)\r\nAction: failed", re.MULTILINE | re.IGNORECASE)
_FINAL = re.compile(rb"^Final-Recipient: rfc822; ?(\S+)", re.MULTILINE | re.IGNORECASE)


@dataclass(slots=True, eq=False)
class Passage:
    """A transaction from MAIL until the client's next word after the reply to its final dot, or its end."""

    deliverer: str
    began: float
    recipients: list[str] = field(default_factory=list)
    ended: float = math.inf

    def overlaps(self, since: float, until: float) -> bool:
        """Say whether it was under way at some time between."""
        return self.began <= until and self.ended >= since


def addresses() -> dict[str, str]:
    """Return the hosts' addresses by domain."""
    return {domain: f"127.0.0.{FIRST_ADDRESS + number}" for number, domain in enumerate((*DOMAINS, HOME))}


def records() -> list[Record]:
    """Return what DNS says of them."""
    found = []
    for domain, address in addresses().items():
        found += [Record(domain, "MX", f"10 mx.{domain}."), Record(f"mx.{domain}", "A", address)]
    return found


@dataclass(eq=False)
class Hosts:
    """All receiving hosts of a run."""

    letters: Letters
    arrived: list[Arrived] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)  # recipients that a report names
    passages: list[Passage] = field(default_factory=list)
    tries: Counter[str] = field(default_factory=Counter)  # of a recipient, where the first is put off
    servers: list[asyncio.Server] = field(default_factory=list)
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def listen(self, deliverer: str) -> int:
        """Take a deliverer's connections at every host; return the port."""
        for _ in range(50):
            port, servers = 0, []
            try:
                for domain, address in addresses().items():
                    talk = self._talk(deliverer, domain)
                    servers.append(await asyncio.start_server(talk, address, port, limit=CONTENT_MAX_BYTES))
                    port = servers[0].sockets[0].getsockname()[1]
            except OSError:
                for server in servers:
                    server.close()
            else:
                self.servers += servers
                return port
        raise OSError("no port is free at all addresses")

    async def close(self) -> None:
        """Take nothing more."""
        for server in self.servers:
            server.close()
        for writer in self.writers:
            writer.transport.abort()
        await asyncio.sleep(0.05)

    def under_way(self, deliverer: str, since: float, until: float) -> list[Passage]:
        """Return what of a deliverer's transactions was under way between two times."""
        return [each for each in self.passages if each.deliverer == deliverer and each.overlaps(since, until)]

    def _talk(self, deliverer: str, domain: str):
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.writers.add(writer)
            dialogue = Dialogue(self, deliverer, domain, reader, writer)
            try:
                await dialogue.run()
            except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                pass
            finally:
                dialogue.over()
                self.writers.discard(writer)
                writer.transport.abort()

        return talk


@dataclass(eq=False)
class Dialogue:
    """One client at one host."""

    hosts: Hosts
    deliverer: str
    domain: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    passage: Passage | None = None
    replied: bool = False

    async def run(self) -> None:
        """Answer until the client goes."""
        self.writer.write(b"220 chaos\r\n")
        while line := await self.reader.readline():
            if self.replied:
                self.over()
            verb = line[:4].strip().upper()
            if verb == b"QUIT":
                self.writer.write(b"221 bye\r\n")
                await self.writer.drain()
                return
            self.writer.write(await self._answer(verb, line))
            with contextlib.suppress(OSError):
                await self.writer.drain()

    def over(self) -> None:
        """Note that the transaction is."""
        if self.passage is not None:
            self.passage.ended = time.monotonic()
        self.passage, self.replied = None, False

    async def _answer(self, verb: bytes, line: bytes) -> bytes:
        if verb == b"EHLO":
            return b"250-chaos\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 50000000\r\n"
        if verb == b"MAIL":
            self.passage = Passage(self.deliverer, time.monotonic())
            self.hosts.passages.append(self.passage)
        elif verb == b"RCPT":
            return self._recipient(line.partition(b"<")[2].partition(b">")[0].decode())
        elif verb == b"DATA":
            if self.passage is None or not self.passage.recipients:
                return b"554 5.5.1 nobody is named\r\n"
            self.writer.write(b"354 go\r\n")
            content = await self.reader.readuntil(b"\r\n.\r\n")
            return await self._take(content[:-3].replace(b"\r\n..", b"\r\n."))
        elif verb == b"RSET":
            self.over()
        return b"250 2.0.0 ok\r\n"

    def _recipient(self, recipient: str) -> bytes:
        assert self.passage is not None
        if self.domain.startswith("never") or recipient.startswith("unknown"):
            return b"550 5.1.1 no such user\r\n"
        self.hosts.tries[recipient] += 1
        if self.domain.startswith("later") and self.hosts.tries[recipient] == 1:
            return b"450 4.2.0 later\r\n"
        self.passage.recipients.append(recipient)
        return b"250 2.1.5 ok\r\n"

    async def _take(self, content: bytes) -> bytes:
        """Take a content, or put it off. A slow host has it before it answers."""
        assert self.passage is not None
        recipients = self.passage.recipients
        self.replied = True
        self.hosts.tries[f"dot {recipients[0]}"] += 1
        if self.domain.startswith("dot") and self.hosts.tries[f"dot {recipients[0]}"] == 1:
            return b"451 4.3.0 not now\r\n"
        whole = self._is_whole(content)
        queue_id = queued_id(content)
        at_ms = time.time_ns() // 1_000_000
        self.hosts.arrived += [Arrived(queue_id, each, whole, at_ms, self.deliverer) for each in recipients]
        if self.domain == HOME:
            self.hosts.failed |= {each.decode() for each in _FAILED.findall(content)}
        if self.domain.startswith("slow"):
            await asyncio.sleep(0.3)
        return b"250 2.0.0 taken\r\n"

    def _is_whole(self, content: bytes) -> bool:
        number = number_of(content)
        if number is None:
            return self.domain == HOME and _FINAL.search(content) is not None
        return content.endswith(self.hosts.letters.content(number))
