"""Who attacks submission, each scenario in its own way, until it is told to stop. What the attacks do: overload.py."""

import asyncio
import base64
import contextlib
import itertools
import os
import re
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from peers import MARK

from paquebot.cli.platform import Platform

PASSWORD = "benchmark"  # noqa: S105  (of a run alone)
CREDENTIALS = ("flood", "storm", "large")  # of a tenant of their own
GOES_ON = {b"235", b"250", b"451", b"452", b"552", b"554"}  # replies after which a sender begins again
_SPECIFIC = re.compile(r"\d{3,}(?= of)|(?<=fills )\d+|\d+(?= messages)|127\.[0-9.]+|[0-9a-f-]{36}")


@dataclass(slots=True)
class Ground:
    """The platform under attack, and what its attackers heard."""

    platform: Platform
    trust: ssl.SSLContext
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    told: "Counter[str]" = field(default_factory=Counter)
    sent: int = 0

    def hear(self, line: bytes) -> bytes:
        """Count a reply."""
        if line:
            self.told[_SPECIFIC.sub("N", line.decode("ascii", "replace").strip())[:90]] += 1
        return line


@dataclass(frozen=True, slots=True)
class Sender:
    """What the sessions of a scenario send, over and over."""

    usernames: tuple[str, ...]
    content: bytes
    recipients: int = 1
    declares: bool = False  # SIZE


@dataclass(slots=True)
class Attacker:
    """One connection to submission, from an address of loopback."""

    ground: Ground
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def reply(self) -> bytes:
        """Read one reply; empty: the connection ended."""
        while (line := await self.reader.readline())[3:4] == b"-":
            pass
        return line

    async def say(self, octets: bytes) -> bytes:
        """Say something and return the reply."""
        self.writer.write(octets)
        await self.writer.drain()
        return await self.reply()

    async def log_in(self, username: str, password: str = PASSWORD) -> bytes:
        """Greet and authenticate."""
        await self.reply()
        await self.say(b"EHLO attack.test\r\n")
        return await self.say(b"AUTH PLAIN " + base64.b64encode(f"\0{username}\0{password}".encode()) + b"\r\n")

    async def begin(self, size_bytes: int = 0, recipients: int = 1) -> bytes:
        """Go as far as DATA; return its reply."""
        size = b" SIZE=%d" % size_bytes if size_bytes else b""
        reply = await self.say(b"MAIL FROM:<a@nowhere.test>%b\r\n" % size)
        if not reply.startswith(b"250"):
            return reply
        self.writer.write(
            b"".join(b"RCPT TO:<r%d@d%d.bench.test>\r\n" % (number, number % 16) for number in range(recipients))
        )
        for _ in range(recipients):
            await self.reply()
        return await self.say(b"DATA\r\n")


async def enter(ground: Ground, number: int, port: str = "smtps") -> Attacker:
    """Connect from an address of its own for each 80 connections."""
    source = f"127.0.{1 + number // 80 // 200}.{1 + number // 80 % 200}"
    tls = ground.trust if port == "smtps" else None
    reader, writer = await asyncio.open_connection(
        "127.0.0.1",
        ground.platform.ports[port],
        ssl=tls,
        server_hostname="localhost" if tls else None,
        local_addr=(source, 0),
    )
    return Attacker(ground, reader, writer)


async def many(ground: Ground, count: int, attack: Callable[[int], Awaitable[None]]) -> None:
    """Let so many attack at once until the scenario ends, each again when it was thrown out."""

    async def one(number: int) -> None:
        while not ground.stop.is_set():
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
                await attack(number)
            await asyncio.sleep(0.2)

    tasks = [asyncio.create_task(one(number)) for number in range(count)]
    await ground.stop.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def nothing(ground: Ground) -> None:
    """Good mail alone."""
    await ground.stop.wait()


async def idle(ground: Ground) -> None:
    """10,000 connections that say nothing."""
    await _silent(ground, 10_000, "smtp")


async def idle_tls(ground: Ground) -> None:
    """2,000 connections that say nothing once they have TLS."""
    await _silent(ground, 2_000, "smtps")


async def _silent(ground: Ground, count: int, port: str) -> None:
    async def attack(number: int) -> None:
        attacker = await enter(ground, number, port)
        try:
            while line := await attacker.reply():
                ground.hear(line)
        finally:
            attacker.writer.transport.abort()

    await many(ground, count, attack)


async def handshake(ground: Ground) -> None:
    """2,000 connections to the TLS port that never shake hands."""

    async def attack(number: int) -> None:
        source = f"127.0.3.{1 + number // 80}"
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", ground.platform.ports["smtps"], local_addr=(source, 0)
        )
        try:
            ground.told["connected"] += 1
            await reader.read()
            ground.told["closed without a word"] += 1
        finally:
            writer.transport.abort()

    await many(ground, 2_000, attack)


async def loris(ground: Ground) -> None:
    """150 contents that come at one octet a second, and 150 half-said AUTHs."""

    async def attack(number: int) -> None:
        attacker = await enter(ground, number)
        try:
            if number % 2:
                await attacker.reply()
                await attacker.say(b"EHLO attack.test\r\n")
                ground.hear(await attacker.say(b"AUTH LOGIN\r\n"))
                ground.hear(await attacker.reply())
                return
            ground.hear(await attacker.log_in("mail-system.flood"))
            ground.hear(await attacker.begin())
            for _ in itertools.count():
                attacker.writer.write(b"x")
                await asyncio.sleep(1)
        finally:
            attacker.writer.transport.abort()

    await many(ground, 300, attack)


async def flood(ground: Ground) -> None:
    """400 sessions of two credentials that send 2 KiB as fast as they are answered."""
    content = message(b"x" * 76 + b"\r\n", 25)
    await _senders(ground, 400, Sender(("mail-system.flood", "mail-system.storm"), content))


async def large(ground: Ground) -> None:
    """Ten sessions of one credential that send 40 MB each, and say so."""
    await _senders(ground, 10, Sender(("mail-system.large",), message(b"x" * 76 + b"\r\n", 512_000), declares=True))


async def liars(ground: Ground) -> None:
    """Twenty sessions of one credential that send 40 MB each, and do not say so."""
    await _senders(ground, 20, Sender(("mail-system.large",), message(b"x" * 76 + b"\r\n", 512_000)))


async def hundred(ground: Ground) -> None:
    """Ten sessions that want to send 100 MB, more than any message may have."""
    await _senders(ground, 10, Sender(("mail-system.large",), b"x" * 100_000_000, declares=True))


async def lists(ground: Ground) -> None:
    """Four sessions that send messages to 1,000 recipients each."""
    await _senders(ground, 4, Sender(("mail-system.flood",), message(b"x\r\n", 10), recipients=1000))


async def parts(ground: Ground) -> None:
    """Four sessions that send a million empty MIME parts a message."""
    head = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=a\r\n"
    await _senders(ground, 4, Sender(("mail-system.flood",), message(b"--a\r\n", 1_000_000, head)))


async def headers(ground: Ground) -> None:
    """Four sessions whose From is 250 KiB of commas."""
    content = b"From: a@nowhere.test" + b",\r\n " * 62_000 + b"\r\n\r\nx\r\n.\r\n"
    await _senders(ground, 4, Sender(("mail-system.flood",), content))


async def zipped(ground: Ground) -> None:
    """Four sessions that send 5 MB of base64 that claims to be a zip of many names."""
    entry = b"PK\x03\x04" + b"\0" * 22 + b"\x05\0\0\0" + b"a.txt"
    encoded = base64.encodebytes(entry * 100_000).replace(b"\n", b"\r\n")
    head = (
        b"MIME-Version: 1.0\r\nContent-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n"
        b"Content-Disposition: attachment; filename=a.zip\r\n"
    )
    await _senders(ground, 4, Sender(("mail-system.flood",), message(encoded, 1, head)))


async def guessing(ground: Ground) -> None:
    """400 sessions from 400 addresses that guess passwords of as many user names."""

    async def attack(number: int) -> None:
        attacker = await enter(ground, number * 80)
        try:
            reply = ground.hear(await attacker.log_in(f"mail-system.nobody{number}", os.urandom(8).hex()))
            while reply[:1] in b"45" and reply[:3] != b"421":
                wrong = base64.b64encode(b"\0mail-system.nobody%d\0" % number + os.urandom(8).hex().encode())
                reply = ground.hear(await attacker.say(b"AUTH PLAIN " + wrong + b"\r\n"))
                if not reply:
                    return
        finally:
            attacker.writer.transport.abort()

    await many(ground, 400, attack)


async def _senders(ground: Ground, count: int, sender: Sender) -> None:
    async def attack(number: int) -> None:
        attacker = await enter(ground, number)
        try:
            reply = await attacker.log_in(sender.usernames[number % len(sender.usernames)])
            while reply[:3] in GOES_ON:
                reply = await attacker.begin(len(sender.content) if sender.declares else 0, sender.recipients)
                if reply.startswith(b"354"):
                    reply = await attacker.say(sender.content)
                    ground.sent += 1
                ground.hear(reply)
                if not reply.startswith(b"250"):
                    await asyncio.sleep(0.5)
        finally:
            attacker.writer.transport.abort()

    await many(ground, count, attack)


def message(line: bytes, times: int, head: bytes = b"") -> bytes:
    """Return a content with its final dot."""
    fields = b"From: a@nowhere.test\r\nTo: b@d1.bench.test\r\nSubject: attack" + MARK + b"0 0\r\n" + head
    return fields + b"\r\n" + line * times + b".\r\n"


SCENARIOS: dict[str, Callable[[Ground], Awaitable[None]]] = {
    each.__name__: each
    for each in (
        nothing, flood, idle, idle_tls, handshake, loris, large, liars, hundred, lists, parts, headers, zipped, guessing
    )
}  # fmt: skip
