"""Calling workers that wait: one for each item, not all for the first."""

import asyncio
from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Bell:
    """Those who wait, the longest first."""

    waiting: "deque[asyncio.Future[bool]]" = field(default_factory=deque)

    def ring(self) -> None:
        """Call who has waited longest; nothing happens when nobody does."""
        self._answer(come=True)

    def dismiss(self) -> None:
        """Tell who has waited longest that nothing comes."""
        self._answer(come=False)

    def ring_all(self) -> None:
        """Call everybody."""
        while self.waiting:
            self.ring()

    async def wait(self, seconds: float) -> bool:
        """Wait to be called; return False when that did not happen in time."""
        loop = asyncio.get_running_loop()
        called: asyncio.Future[bool] = loop.create_future()
        self.waiting.append(called)
        timer = loop.call_later(seconds, _give_up, called)
        try:
            return await called
        finally:
            timer.cancel()
            if called in self.waiting:
                self.waiting.remove(called)

    def _answer(self, *, come: bool) -> None:
        while self.waiting:
            who = self.waiting.popleft()
            if not who.done():
                who.set_result(come)
                return


def _give_up(called: "asyncio.Future[bool]") -> None:
    if not called.done():
        called.set_result(False)
