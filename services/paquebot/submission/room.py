"""Room for mail on its way in: octets of memory, and messages at once, shared by all sessions and programs. No I/O.

Who asks for more than there is waits in a line for a bounded time, then hears why not. One credential takes a share of
the octets at most, so that its large messages leave room for others. How many messages run at once follows from how
quickly they are taken: when taking becomes slow, fewer are begun, and the others wait before they have sent anything.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from paquebot.mail.reply import Reply

COPIES = 2  # of a content at once: as it came, and as it is finished
CLAIM_MIN_BYTES = 65_536  # what a session may read before anybody looks
STEP_BYTES = 1_048_576  # by which a claim grows that turns out too small
_QUICKER = 0.1  # messages more at once for each that was taken in time
_SLOWER = 0.9  # of the messages at once remain when one was not
_MIB = 1 << 20
_FULL = "4.3.1"
_BUSY = Reply(452, "4.3.2", "Too much mail comes in at once: try again in a minute")


@dataclass(frozen=True, slots=True)
class RoomLimits:
    """How much is on its way in at once."""

    octets_max: int = 512 << 20
    share_max: float = 0.5  # of the octets, for one credential
    messages_max: int = 256
    messages_min: int = 16  # however slowly they are taken
    taking_max_s: float = 1.0  # a message that takes longer makes fewer run at once
    waiting_max: int = 1000
    waiting_max_s: float = 10.0  # RFC 5321 §4.5.3.2.4: a client waits two minutes for the reply to DATA


@dataclass(slots=True, eq=False)
class Claim:
    """What one session, or one call, has of the room."""

    whose: str = ""  # the credential
    octets: int = 0
    placed: bool = False  # it is one of the messages at once
    waiter: "Waiter | None" = None


@dataclass(slots=True, eq=False)
class Waiter:
    """One who stands in the line."""

    claim: Claim
    octets: int
    since_s: float
    answer: "asyncio.Future[None]"


@dataclass(slots=True)
class Room:
    """Who has how much, and who waits. `clock` counts seconds."""

    limits: RoomLimits
    clock: Callable[[], float]
    held_bytes: int = 0
    messages: int = 0
    at_once: float = field(init=False)  # how many messages may run now
    short: bool = False
    line: deque[Waiter] = field(default_factory=deque)
    growing: deque[Waiter] = field(default_factory=deque)  # whose content turned out larger than it was said to be
    _held_by: Counter[str] = field(default_factory=Counter)
    _slowed_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.at_once = float(self.limits.messages_max)
        self._slowed_s = self.clock()

    def __repr__(self) -> str:
        return f"<Room {self.messages}/{int(self.at_once)} messages, {self.held_bytes} octets, {len(self.line)} wait>"

    def ask(self, claim: Claim, octets: int) -> bool:
        """Give a claim a place and so many octets in all, if they are there and nobody stands in line."""
        if self.line or self._crowded() is not None or self._lack(claim, octets) is not None:
            return False
        self.take(claim, octets)
        return True

    def widen(self, claim: Claim, octets: int) -> bool:
        """Give a claim so many octets in all, if they are there; who has begun goes before who has not."""
        if self.growing or self._lack(claim, octets) is not None:
            return False
        self.count(claim, octets)
        return True

    async def wait(self, claim: Claim, octets: int) -> Reply | None:
        """Stand in line for what `ask` did not give; return why it was not given in time, or None."""
        if len(self.line) >= self.limits.waiting_max:
            text = f"{len(self.line)} messages wait to be taken already: try again in a minute"
            return self._lack(claim, octets) or Reply(452, "4.3.2", text)
        return await self._stand(self.line, claim, octets)

    async def wait_for_more(self, claim: Claim, octets: int) -> Reply | None:
        """Stand in line for what `widen` did not give; return why it was not given in time, or None."""
        return await self._stand(self.growing, claim, octets)

    def take(self, claim: Claim, octets: int) -> None:
        """Give a place and octets, whether they are there or not: for our own reports."""
        self.count(claim, octets)
        if not claim.placed:
            claim.placed = True
            self.messages += 1

    def count(self, claim: Claim, octets: int) -> None:
        """Count octets that nobody asked about, such as commands in a row: they need no place."""
        self.held_bytes += octets - claim.octets
        self._held_by[claim.whose] += octets - claim.octets
        claim.octets = octets

    def step_aside(self, claim: Claim) -> None:
        """Let another message run while a client takes its time to send this one."""
        if claim.placed:
            claim.placed = False
            self.messages -= 1
            self._advance()

    def leave(self, claim: Claim) -> None:
        """Take everything back; between messages there is nothing, and that costs nothing."""
        if not (claim.octets or claim.placed or claim.waiter):
            return
        self.count(claim, 0)
        if not self._held_by[claim.whose]:
            del self._held_by[claim.whose]
        self._out_of_line(claim)
        self.step_aside(claim)
        self._advance()

    def learn(self, seconds: float) -> None:
        """Let more or fewer run at once, by how long one message took from its end to our reply."""
        limits, now_s = self.limits, self.clock()
        if seconds <= limits.taking_max_s:
            self.at_once = min(self.at_once + _QUICKER, limits.messages_max)
        elif now_s - self._slowed_s > limits.taking_max_s:  # all that run together are late together
            self._slowed_s = now_s
            self.at_once = max(self.at_once * _SLOWER, limits.messages_min)

    def be_short(self) -> None:
        """Begin nothing new: the process takes more memory than our own count says."""
        self.short = True

    def be_ample(self) -> None:
        """Go on."""
        self.short = False
        self._advance()

    async def _stand(self, line: "deque[Waiter]", claim: Claim, octets: int) -> Reply | None:
        waiter = claim.waiter = Waiter(claim, octets, self.clock(), asyncio.get_running_loop().create_future())
        line.append(waiter)
        self._advance()
        try:
            async with asyncio.timeout(self.limits.waiting_max_s):
                await waiter.answer
        except TimeoutError:
            if claim.waiter is waiter:  # not given in the same instant
                return self._lack(claim, octets) or self._crowded() or _BUSY
        finally:
            self._out_of_line(claim)
        return None

    def _advance(self) -> None:
        """Give to those who wait, in their order."""
        for waiter in tuple(self.growing):
            if self._lack(waiter.claim, waiter.octets) is None:
                self.count(waiter.claim, waiter.octets)
                self._out_of_line(waiter.claim)
        for waiter in tuple(self.line):
            if self._crowded() is not None:
                return
            lack = self._lack(waiter.claim, waiter.octets)
            if lack is None:
                self.take(waiter.claim, waiter.octets)
                self._out_of_line(waiter.claim)
            elif lack.enhanced == _FULL and self.clock() - waiter.since_s > self.limits.waiting_max_s / 2:
                return  # small ones have passed by this one for long enough

    def _out_of_line(self, claim: Claim) -> None:
        waiter, claim.waiter = claim.waiter, None
        if waiter is not None:
            (self.line if waiter in self.line else self.growing).remove(waiter)
            if not waiter.answer.done():
                waiter.answer.set_result(None)

    def _crowded(self) -> Reply | None:
        """Say that as many messages run as may."""
        if self.messages < int(self.at_once):
            return None
        return Reply(452, "4.3.2", f"{self.messages} messages are being taken already: try again in a minute")

    def _lack(self, claim: Claim, octets: int) -> Reply | None:
        """Say why a claim cannot have so many octets."""
        limits, more = self.limits, octets - claim.octets
        if self.short:
            return Reply(452, _FULL, "Memory is short: try again in a minute")
        others = self.held_bytes - claim.octets
        if others and others + octets > limits.octets_max:
            text = f"Mail on its way in fills {self.held_bytes // _MIB} of {limits.octets_max // _MIB} MiB of memory"
            return Reply(452, _FULL, f"{text}: try again in a minute")
        held = self._held_by[claim.whose]
        if held > claim.octets and held + more > limits.share_max * limits.octets_max:
            text = f"Other mail of {claim.whose} takes its share of memory, {held // _MIB} MiB"
            return Reply(452, "4.7.0", f"{text}: send fewer large messages at once")
        return None
