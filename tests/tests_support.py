"""What several folders of tests share."""

import asyncio
from collections.abc import Callable

import structlog
from structlog.dev import ConsoleRenderer, plain_traceback


async def wait_for(condition: Callable[[], object], timeout_s: float = 60.0) -> None:
    """Return when the condition holds; fail when it does not in time."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


def log_plainly() -> None:
    """Let logs be lines for people. With all variables, as structlog would show it, a traceback takes a second."""
    structlog.reset_defaults()
    processors = structlog.get_config()["processors"][:-1]
    structlog.configure([*processors, ConsoleRenderer(exception_formatter=plain_traceback)])
