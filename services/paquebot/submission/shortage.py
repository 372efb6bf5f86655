"""What is done when memory becomes short in earnest, whatever our own count of contents says."""

import asyncio
from dataclasses import dataclass, field

import structlog

from paquebot.runtime.memory import Memory, give_back
from paquebot.submission.crowd import Crowd
from paquebot.submission.room import Room

LOOK_S = 1.0
TRIM_FROM = 0.6  # of the limit: from here on freed memory is given back to the system
ENOUGH_BELOW = 0.75
SHORT_FROM = 0.85  # no content is begun
DIRE_FROM = 0.95  # no connection is served
LOG = structlog.get_logger()


@dataclass(slots=True)
class Shortage:
    """Looks at the memory in use and tells the room and the crowd."""

    memory: Memory
    room: Room
    crowd: Crowd
    used: float = field(default=0.0, init=False)  # share of the limit

    async def follow(self) -> None:
        """Look every second, for ever."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_S)

    def look(self) -> None:
        """Look once."""
        used = self._measured()
        if used > TRIM_FROM:
            give_back()
            used = self._measured()
        self.crowd.short = used > DIRE_FROM
        if used > SHORT_FROM and not self.room.short:
            LOG.warning("memory is short: no content is begun", used=round(used, 2), limit=self.memory.limit_bytes)
            self.room.be_short()
        elif used < ENOUGH_BELOW and self.room.short:
            LOG.info("memory is enough again", used=round(used, 2))
            self.room.be_ample()
        self.used = used

    def _measured(self) -> float:
        return self.memory.used_bytes() / self.memory.limit_bytes
