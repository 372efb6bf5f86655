"""What a look at the queue costs does not grow with the queue: neither requests nor what comes back."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from paquebot.mail.delivery import Plan
from paquebot.mail.selector import Selector
from paquebot.queue.acceptance import Acceptance
from paquebot.queue.backlog import backlog
from paquebot.queue.depth import depth, sample
from paquebot.queue.finding import find_waiting
from paquebot.queue.inspection import list_waiting
from paquebot.queue.jetstream import JetStream
from paquebot.queue.meter import measure
from paquebot.queue.removal import count_waiting
from paquebot.queue.subjects import PARTITIONS
from queue_fixtures import connect, identities, js, nats
from queue_making import POOL, delivery, now_ms

__all__ = ["connect", "identities", "js", "nats"]

SHORT, LONG = 64, 640
LOOKS: dict[str, Callable[[JetStream], Awaitable[Any]]] = {
    "depth of a pool": lambda js: depth(js, POOL),
    "depth of a site": lambda js: depth(js, POOL, "d1.example"),
    "a sample": lambda js: sample(js, POOL, limit=32),
    "the operator's backlog": lambda js: backlog(js, POOL),
    "metrics": lambda js: measure(js, POOL, range(PARTITIONS), {"bigmail": 2}),
    "how much a leaving pool still has": lambda js: count_waiting(js, POOL),
    "a message by its id": lambda js: find_waiting(js, (POOL,), "m1"),
    "a site's mail": lambda js: list_waiting(js, POOL, selector=Selector(sites=("d1.example",), states=("deferred",))),
}


async def put(js: JetStream, numbers: range) -> None:
    """Have deliveries wait, but for the first few none of them for d1.example."""
    items = [
        delivery(f"m{number}", site=f"d{number % 40 + 2 if number > 8 else 1}.example", next_ms=now_ms() + 3_600_000)
        for number in numbers
    ]
    await asyncio.gather(*(Acceptance(js).accept(Plan((item,)), b"x" * 1000) for item in items))


async def spent(js: JetStream, look: Callable[[JetStream], Awaitable[Any]]) -> tuple[int, int, int]:
    """Return requests, answers and octets of answers."""
    before = dict(js.client.stats)
    await look(js)
    return tuple(js.client.stats[name] - before[name] for name in ("out_msgs", "in_msgs", "in_bytes"))  # type: ignore[return-value]


@pytest.mark.parametrize("what", LOOKS)
async def test_ten_times_the_queue_costs_no_more_to_look_at(js: JetStream, what: str) -> None:
    await put(js, range(SHORT))
    requests, answers, octets = await spent(js, LOOKS[what])
    await put(js, range(SHORT, LONG))
    more = await spent(js, LOOKS[what])
    assert more[:2] == (requests, answers)
    assert more[2] <= octets * 1.1 + 500  # a few more digits
