"""A service's first connection: a queue that is not there yet is waited for, one that would lose mail is refused.

`go_on` is told what is missing, and answers whether to wait on.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from paquebot.queue.fitness import UnrecordedServerError, refuse_unfit
from paquebot.queue.jetstream import ApiError, JetStream, QueueUnavailableError

AGAIN_S: Final = 0.5


async def first_connection(url: str, identity_dir: Path, name: str, go_on: Callable[[str], bool]) -> JetStream | None:
    """Return a connection; None when it is not to be waited for any longer."""
    while True:
        try:
            return await JetStream.connect(url, identity_dir, name)
        except QueueUnavailableError as error:
            if not go_on(str(error)):
                return None
        await asyncio.sleep(AGAIN_S)


async def first_fit_connection(
    url: str, identity_dir: Path, name: str, go_on: Callable[[str], bool]
) -> JetStream | None:
    """Return a connection to a server that is fit to keep mail. Raises UnfitServerError for another."""
    js = await first_connection(url, identity_dir, name, go_on)
    if js is None:
        return None
    async with AsyncExitStack() as unless_fit:
        unless_fit.push_async_callback(js.close)
        while True:
            try:
                await refuse_unfit(js)
            except (UnrecordedServerError, QueueUnavailableError, ApiError) as error:
                if not go_on(str(error)):
                    return None
            else:
                unless_fit.pop_all()
                return js
            await asyncio.sleep(AGAIN_S)
