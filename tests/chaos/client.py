"""Clients that send letters and note what they read 250 for; what they are unsure of they send again."""

import asyncio
import base64
import contextlib
import random
import re
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from chaos.account import Accepted
from chaos.letters import SENDER, Letter, Letters
from platform_support import PASSWORD, SHOP

REPLY_S = 45.0  # longer than submission keeps trying the queue
CONNECT_S = 5.0
AGAIN_S = (0.2, 1.0)
PAUSE_S = 1.0
CUT_IN_CONTENT, LEAVE_AFTER_DOT = 0.02, 0.01  # chances of a try
_QUEUED = re.compile(r"queued as (\S+)")


class GoneError(Exception):
    """The connection is of no use any more; the text says where it ended."""


@dataclass(eq=False)
class Clients:
    """All clients of a run, and what became of their letters."""

    letters: Letters
    port: Callable[[], int]
    trust: ssl.SSLContext
    accepted: list[Accepted] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    cut_in_content: int = 0
    left_after_dot: int = 0
    gave_up: int = 0
    last_s: float = 0.0  # when the last 250 was read
    began_s: float = 0.0
    pauses: list[tuple[float, float]] = field(default_factory=list)  # times without one: how long, until when
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, clients: int, each_s: float) -> None:
        """Send from several clients, each a letter in so many seconds at most, until `stopping` is set."""
        numbers = iter(range(1, 10**9))
        self.began_s = self.last_s = time.monotonic()
        await asyncio.gather(*(self._one(place, numbers, each_s) for place in range(clients)))
        self._note_pause()

    async def _one(self, place: int, numbers: Iterator[int], each_s: float) -> None:
        chance = random.Random(f"{self.letters.seed} client {place}")
        session: Session | None = None
        try:
            while not self.stopping.is_set():
                session = await self._until_accepted(session, self.letters.letter(next(numbers)), chance)
                await self._rest(each_s)
        finally:
            if session is not None:
                session.close()

    async def _until_accepted(self, session: "Session | None", letter: Letter, chance: random.Random):
        while not self.stopping.is_set():
            try:
                session = session or await Session.open(self.port(), self.trust)
                reply = await session.send(letter, self._whim(chance))
            except (GoneError, OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                self.broken[str(error) or type(error).__name__] += 1
                session = _closed(session)
                await self._rest(chance.uniform(*AGAIN_S))
                continue
            found = _QUEUED.search(reply)
            if found is not None:
                self._note_pause()
                self.accepted.append(Accepted(letter.number, found[1], letter.recipients))
                return session
            self.refusals[reply[:80]] += 1
            if reply.startswith("421"):
                session = _closed(session)
            await self._rest(chance.uniform(*AGAIN_S))
        self.gave_up += 1
        return session

    def _whim(self, chance: random.Random) -> str:
        """Decide whether to behave."""
        drawn = chance.random()
        if drawn < CUT_IN_CONTENT:
            self.cut_in_content += 1
            return "cut in the content"
        if drawn < CUT_IN_CONTENT + LEAVE_AFTER_DOT:
            self.left_after_dot += 1
            return "left after the final dot"
        return ""

    def _note_pause(self) -> None:
        now = time.monotonic()
        if now - self.last_s > PAUSE_S:
            self.pauses.append((round(now - self.last_s, 1), round(now - self.began_s, 1)))
        self.last_s = now

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.stopping.wait()


@dataclass(eq=False)
class Session:
    """One authenticated connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, port: int, trust: ssl.SSLContext) -> "Session":
        """Connect, and log in."""
        async with asyncio.timeout(CONNECT_S):
            opened = await asyncio.open_connection("127.0.0.1", port, ssl=trust, server_hostname="localhost")
        session = cls(*opened)
        try:
            await session._reply()
            await session._command("EHLO client.test")
            login = base64.b64encode(f"\0{SHOP}\0{PASSWORD}".encode()).decode()
            reply = await session._command(f"AUTH PLAIN {login}")
        except BaseException:
            session.close()
            raise
        if not reply.startswith("235"):
            session.close()
            raise GoneError(f"AUTH: {reply[:60]}")
        return session

    async def send(self, letter: Letter, whim: str) -> str:
        """Run one transaction; return the reply that decided. Raises GoneError when that is not known."""
        size = f" SIZE={len(letter.content)}"
        for command in (f"MAIL FROM:<{SENDER}>{size}", *(f"RCPT TO:<{each}>" for each in letter.recipients), "DATA"):
            reply = await self._command(command)
            if reply[0] not in "23":
                if not reply.startswith("421"):
                    await self._command("RSET")
                return reply
        if whim == "cut in the content":
            self.writer.write(letter.content[: len(letter.content) // 2])
            await self._drained()
            raise GoneError(whim)
        self.writer.write(letter.content + b".\r\n")
        await self._drained()
        if whim:
            raise GoneError(whim)
        return await self._reply()

    def close(self) -> None:
        """Go without a word."""
        self.writer.transport.abort()

    async def _drained(self) -> None:
        async with asyncio.timeout(REPLY_S):
            await self.writer.drain()

    async def _command(self, line: str) -> str:
        self.writer.write(line.encode() + b"\r\n")
        return await self._reply()

    async def _reply(self) -> str:
        """Return the last line of a reply."""
        async with asyncio.timeout(REPLY_S):
            while True:
                line = (await self.reader.readline()).decode(errors="replace")
                if not line.endswith("\n"):
                    raise GoneError("the connection ended")
                if line[3:4] != "-":
                    return line.strip()


def _closed(session: "Session | None") -> None:
    if session is not None:
        session.close()
