"""Mail that keeps coming while something breaks; what was answered 250 is noted, what was not is sent again."""

import asyncio
import itertools
import smtplib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager

from platform_support import Stage, content

SESSIONS = 4


def _send_share(stage: Stage, share: Iterable[int], domain: str) -> None:
    """Send messages one by one over a connection that is opened again whenever it breaks."""
    client: smtplib.SMTP | None = None
    for number in share:
        for _ in range(200):
            try:
                client = client or stage.client()
                reply = stage.send(content(f"load-{number}"), f"r{number}@{domain}", client=client)
            except (OSError, smtplib.SMTPException):
                client = None
                time.sleep(0.1)
                continue
            if reply.startswith("250"):
                break
            if client is not None:
                client.close()
                client = None
    if client is not None:
        client.close()


@asynccontextmanager
async def flowing(stage: Stage, domain: str, each_s: float) -> AsyncIterator[None]:
    """Send messages to a domain, one in so many seconds at most, until the block ends."""
    stop = threading.Event()

    def numbers() -> Iterator[int]:
        for number in itertools.count():
            if stop.wait(each_s):
                return
            yield number

    sending = asyncio.create_task(asyncio.to_thread(_send_share, stage, numbers(), domain))
    try:
        yield
    finally:
        stop.set()
        await sending


async def under_load(stage: Stage, count: int, hurt: Callable[[], None], domain: str = "plain.test") -> None:
    """Send `count` messages from several sessions, and call `hurt` in the middle of it."""
    shares = [range(start, count, SESSIONS) for start in range(SESSIONS)]
    sending = [asyncio.create_task(asyncio.to_thread(_send_share, stage, share, domain)) for share in shares]
    while len(stage.sent) < count // 3:
        await asyncio.sleep(0.01)
    await asyncio.to_thread(hurt)
    await asyncio.gather(*sending)
