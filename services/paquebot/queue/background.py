"""Work that nobody waits for: kept alive until it ends, and heard of when it crashes."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field

import structlog

LOG = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Background:
    """Tasks under way."""

    tasks: "set[asyncio.Task[None]]" = field(default_factory=set)

    def spawn(self, work: Coroutine[None, None, None]) -> "asyncio.Task[None]":
        """Begin some work; the loop alone would forget it."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def drain(self, timeout_s: float) -> None:
        """Let what is under way end."""
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=timeout_s)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            LOG.error("work in the background crashed", exc_info=task.exception())
