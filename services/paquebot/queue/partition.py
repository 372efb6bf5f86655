"""One owned partition: its pulls, what of it is in hand, and how it is let go."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from paquebot.mail.delivery import Delivery
from paquebot.queue.jetstream import ApiError, JetStream, Message, QueueFullError, QueueUnavailableError
from paquebot.queue.ownership import Fence, last_seq
from paquebot.queue.provision import ensure_consumers
from paquebot.queue.pull import GROUP, Pull
from paquebot.queue.subjects import consumer_name, stream_of
from paquebot.queue.taken import Taken
from paquebot.queue.ways import Way

LATE_MS = 300  # behind its time a schedule fires only after its server was away, or when it had fired before
LOG = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Partition:
    """A partition that this process owns, as long as its fence stands."""

    js: JetStream
    fence: Fence
    suspect_until: int  # items up to this sequence may have been in another's hands
    on_message: "Callable[[Partition, Message], None]"
    wanted: Callable[[Way], bool]
    pulls: list[Pull] = field(default_factory=list)
    in_hand: dict[str, Taken] = field(default_factory=dict)
    lost: bool = False  # the fence: somebody else owns it
    letting_go: bool = False
    recalled_until: int = 0  # items up to this sequence may be what a killed server has brought back
    since: float = 0.0  # loop time from which it is ours alone
    mending: "asyncio.Task[None] | None" = None
    broken: bool = False  # a consumer is gone and not made again yet

    async def start(self) -> None:
        """Make sure of the consumers, take their pins, and pull; urgent mail first."""
        await self._prepare()
        for way in Way:
            pull = Pull(
                self.js,
                stream_of(self.fence.pool, self.fence.partition),
                consumer_name(self.fence.partition, way),
                lambda message: self.on_message(self, message),
                lambda way=way: self.wanted(way),  # type: ignore[misc]
                self._missing,
            )
            self.pulls.append(pull)
            await pull.start()

    async def stop_pulling(self) -> None:
        """Take nothing more."""
        self.letting_go = True
        if self.mending is not None:
            self.mending.cancel()
        await asyncio.gather(*(pull.stop() for pull in self.pulls))

    async def wait_empty(self, seconds: float) -> None:
        """Return when nothing is in hand, or it is lost, or the time is over."""
        end = asyncio.get_running_loop().time() + seconds
        while self.in_hand and not self.lost and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110  (settled one by one)
            await asyncio.sleep(0.02)

    async def unpin(self) -> None:
        """Let the next owner pull at once."""
        for way in Way:
            stream = stream_of(self.fence.pool, self.fence.partition)
            subject = f"CONSUMER.UNPIN.{stream}.{consumer_name(self.fence.partition, way)}"
            try:
                await self.js.request(subject, {"group": GROUP})
            except (ApiError, QueueFullError, QueueUnavailableError) as error:
                LOG.debug("a consumer was not unpinned", error=str(error))

    def may_have_come_back(self, message: Message, delivery: Delivery) -> bool:
        """Say whether an item may have been settled before a server that was killed lost the end of it."""
        late = bool(delivery.next_ms) and message.stored_ms > delivery.next_ms + LATE_MS
        return late or message.seq <= self.recalled_until

    def reconnected(self) -> None:
        """Open requests died with the connection, and the consumers with the server, if it restarted."""
        self.recalled_until = sys.maxsize
        for pull in self.pulls:
            pull.forget_request()
        self._missing()

    async def _prepare(self) -> None:
        await ensure_consumers(self.js, self.fence.pool, self.fence.partition)
        await self.unpin()

    def _missing(self) -> None:
        self.broken = True
        if (self.mending is None or self.mending.done()) and not self.letting_go:
            self.mending = asyncio.create_task(self._mend())

    async def _mend(self) -> None:
        while self.broken:  # a consumer may go after its turn was over
            self.broken = False
            try:
                await ensure_consumers(self.js, self.fence.pool, self.fence.partition)
                if self.recalled_until == sys.maxsize:
                    self.recalled_until = await last_seq(self.js, stream_of(self.fence.pool, self.fence.partition))
            except (ApiError, QueueFullError, QueueUnavailableError) as error:
                LOG.warning("consumers cannot be made again yet", partition=self.fence.partition, error=str(error))
                self.broken = True
                await asyncio.sleep(1)
            for pull in self.pulls:
                pull.ask()
