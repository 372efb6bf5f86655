"""One clock for all deadlines of a process: coarse, cheap, no timer per command."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

TICK_S = 0.25
SHORTENED_MIN_S = 2.0  # less would be a matter of how busy the machine is


@dataclass(slots=True)
class DeadlineWheel:
    """Calls back what is not disarmed by its deadline, at most TICK_S late. Run it once a process.

    `patience` shortens every time: it is less than 1 only where a sandbox stands in for the world.
    """

    patience: float = 1.0
    armed: dict[object, tuple[float, Callable[[], None]]] = field(default_factory=dict)

    def arm(self, owner: object, seconds: float, call: Callable[[], None]) -> None:
        """Set the owner's one deadline; it replaces the last."""
        self.armed[owner] = (asyncio.get_running_loop().time() + self.shortened(seconds), call)

    def shortened(self, seconds: float) -> float:
        """Return a time as patience has it."""
        return min(seconds, max(SHORTENED_MIN_S, seconds * self.patience))

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
