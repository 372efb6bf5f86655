"""One clock for all deadlines of a process: coarse, cheap, no timer per command."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

TICK_S = 0.25


@dataclass(slots=True)
class DeadlineWheel:
    """Calls back what is not disarmed by its deadline, at most TICK_S late. Run it once a process."""

    armed: dict[object, tuple[float, Callable[[], None]]] = field(default_factory=dict)

    def arm(self, owner: object, seconds: float, call: Callable[[], None]) -> None:
        """Set the owner's one deadline; it replaces the last."""
        self.armed[owner] = (asyncio.get_running_loop().time() + seconds, call)

    def disarm(self, owner: object) -> None:
        """Forget the owner's deadline."""
        self.armed.pop(owner, None)

    async def run(self) -> None:
        """Turn for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(TICK_S)
            now = loop.time()
            for owner, (deadline, call) in list(self.armed.items()):
                if deadline <= now and self.armed.pop(owner, None) is not None:
                    call()
