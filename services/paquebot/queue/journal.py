"""The journal of attempts: who comes after a crash reads which were begun, which final dots sent, which answered.

What is noted while a batch is on its way goes out as one message to the stream DOUBT, which lies in memory: only a
deliverer's crash matters. Nobody waits for an acknowledgement. It is enough that the kernel has the octets: they reach
the server when this process is killed, though not when its machine is.

A process writes to a ring of subjects. What the ring is about to overwrite, and is still under way, it tells again.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from paquebot.queue.jetstream import JetStream
from paquebot.queue.notes import Note, Stage, write_batch
from paquebot.queue.provision import ensure_journal
from paquebot.queue.subjects import journal_subject

RING = 256  # batches of a process in the stream: one direct read returns them all
HAND_OVER_TICKS_MAX = 1000  # of a millisecond, for the kernel to take what was sent
LINGER_S = 0.005  # what nobody waits for goes with the next batch, or alone after this time


@dataclass(slots=True, eq=False)
class Journal:
    """One process's journal of one pool."""

    js: JetStream
    pool: str
    pod: str
    run: str = field(default_factory=lambda: secrets.token_hex(4))  # a pod that starts again must not overwrite
    under_way: dict[Note, None] = field(default_factory=dict)
    is_there: bool = False  # the stream; it goes when its server starts again
    _fresh: dict[Note, None] = field(default_factory=dict)  # what the next batch tells, in order
    _ring: deque[tuple[Note, ...]] = field(default_factory=deque)  # what each batch in the stream told, oldest first
    _batches: int = 0
    _awaited: "list[asyncio.Future[None]]" = field(default_factory=list)  # done when the next batch is on its way
    _writing: "asyncio.Task[None] | None" = None
    _linger: asyncio.TimerHandle | None = None

    async def ensure(self) -> None:
        """See that there is a stream to write to."""
        if not self.is_there:
            await ensure_journal(self.js, self.pool)
        self.is_there = True

    def begin(self, note: Note) -> "asyncio.Future[None]":
        """Note that an attempt begins. The future is done when a crash of this process cannot lose the note."""
        note.stage = Stage.BEGUN
        return self._now(note)

    def dot(self, note: Note, where: str) -> "asyncio.Future[None]":
        """Note that the final dot goes out to a host; see `begin`. One that stayed unanswered before stays in doubt."""
        if note.stage is Stage.DOT:
            note.doubt = note.host
        note.stage, note.host = Stage.DOT, where
        return self._now(note)

    def answered(self, note: Note, recipients: Iterable[str]) -> None:
        """Note that a final dot was answered, and whom it delivered to; nothing is noted when none went out."""
        if note.stage is not Stage.DOT:
            return
        places = {note.delivery.recipients.index(each) for each in recipients}
        note.delivered = tuple(sorted(places.union(note.delivered)))
        note.stage = Stage.ANSWERED if note.delivered else Stage.BEGUN
        self.later(note)

    async def end(self, note: Note) -> None:
        """Note that an attempt ended without a crash and before a final dot: somebody else tries it."""
        note.stage = Stage.WAITS
        told = self._now(note)
        self.forget(note)
        await told

    def forget(self, note: Note) -> None:
        """Tell no more of a delivery: it is settled, or somebody else's."""
        self.under_way.pop(note, None)

    def repeat(self) -> None:
        """Note all that is under way again: the stream forgets with time, and when its server starts again."""
        for note in list(self.under_way):
            self.later(note)

    def later(self, note: Note) -> None:
        """Let the next batch tell a note; without one it goes alone."""
        self.under_way[note] = self._fresh[note] = None
        if self._writing is None and self._linger is None:
            self._linger = asyncio.get_running_loop().call_later(LINGER_S, self._lingered)

    def _now(self, note: Note) -> "asyncio.Future[None]":
        """Let the next batch begin; return what is done when it is on its way."""
        self.under_way[note] = self._fresh[note] = None
        told = asyncio.get_running_loop().create_future()
        self._awaited.append(told)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return told

    def _lingered(self) -> None:
        self._linger = None
        if self._fresh and self._writing is None:
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        """Write batch after batch until everything is told."""
        try:
            while self._fresh:
                awaited, self._awaited = self._awaited, []
                subject = journal_subject(self.pool, self.pod, self.run, self._batches % RING)
                try:
                    self.js.send(subject, write_batch(self._batch()))
                    await handed_over(self.js)
                finally:
                    _wake(awaited)
        finally:
            self._writing = None

    def _batch(self) -> tuple[Note, ...]:
        """Return what is fresh, and what the batch that it overwrites tells and nothing told since."""
        if len(self._ring) == RING:
            overwritten = self._batches - RING
            for note in self._ring.popleft():
                if note.batch == overwritten and note in self.under_way:
                    self._fresh[note] = None
        told, self._fresh = tuple(self._fresh), {}
        for note in told:
            note.batch = self._batches
        self._ring.append(told)
        self._batches += 1
        return told


def _wake(awaited: "list[asyncio.Future[None]]") -> None:
    """Let those go on who wait; who was cancelled has a future of its own, and takes nobody with it."""
    for told in awaited:
        if not told.done():
            told.set_result(None)


async def handed_over(js: JetStream) -> None:
    """Return when the kernel has all that was sent: it gets there even if this process is killed now.

    Does not wait for ever: a broken connection, or a server that reads nothing, has lost more than that.
    """
    await asyncio.sleep(0)  # nats-py writes in its next turn
    for _ in range(HAND_OVER_TICKS_MAX):
        if not (js.connected and _unsent(js)):
            break
        await asyncio.sleep(0.001)  # the socket is full
    await asyncio.sleep(0)  # uvloop writes at the end of a turn


def _unsent(js: JetStream) -> int:
    """Return the octets in nats-py's buffer, in TLS's and in the socket's."""
    transport: Any = js.client._transport  # noqa: SLF001  (nats-py has no other way to ask)
    writers = (transport._io_writer, transport._bare_io_writer)  # noqa: SLF001
    return int(js.client.pending_data_size + sum(each.transport.get_write_buffer_size() for each in writers))
