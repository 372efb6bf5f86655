"""A token bucket: so many requests a second, and a burst after silence."""

import asyncio
from dataclasses import dataclass


@dataclass(slots=True)
class Pace:
    """Lets callers through at `rate` a second, up to `burst` at once. Who waits is served in turn."""

    rate: float = 50.0
    burst: float = 100.0
    tokens: float = 100.0
    filled: float = 0.0  # loop time

    async def turn(self) -> None:
        """Return when it is the caller's turn."""
        now = asyncio.get_running_loop().time()
        self.tokens = min(self.burst, self.tokens + (now - self.filled) * self.rate)
        self.filled = now
        self.tokens -= 1
        if self.tokens < 0:
            await asyncio.sleep(-self.tokens / self.rate)
