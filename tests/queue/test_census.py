"""What subjects tell is what reading would tell, and is told without reading."""

from collections import Counter

import pytest

from paquebot.mail.delivery import Plan
from paquebot.mail.selector import DEFERRED, HELD, READY, Selector
from paquebot.queue.acceptance import Acceptance
from paquebot.queue.census import count_by_site, is_told_by_subjects
from paquebot.queue.inspection import walk
from paquebot.queue.jetstream import JetStream
from queue_making import POOL, delivery, now_ms

HOUR_MS = 3_600_000
SITES = ("b.example", "c.example", "mx-1f", "Under_score.example")


async def fill(js: JetStream) -> None:
    for number in range(24):
        site = SITES[number * number % 4]
        later = {"next_ms": now_ms() + HOUR_MS} if number % 3 else {}
        item = delivery(f"m{number}", site=site.lower(), held=number % 7 == 0, **later)
        await Acceptance(js).accept(Plan((item,)), b"x" * 2000)
    parts = tuple(delivery("s1", n, site) for n, site in enumerate(("b.example", "c.example", "c.example"), 1))
    await Acceptance(js).accept(Plan(parts), b"content")


async def read_by_site(js: JetStream, selector: Selector) -> Counter[str]:
    counts: Counter[str] = Counter()
    async for batch in walk(js, POOL, selector, now_ms()):
        counts.update(waiting.delivery.site for waiting in batch)
    return counts


@pytest.mark.parametrize(
    "selector",
    [
        Selector(),
        Selector(states=(READY,)),
        Selector(states=(DEFERRED, HELD)),
        Selector(sites=("c.example", "mx-1f")),
        Selector(sites=("c.example",), states=(READY,)),
    ],
    ids=str,
)
async def test_counts_are_what_reading_would_count(js: JetStream, selector: Selector) -> None:
    await fill(js)
    assert is_told_by_subjects(selector)
    counted = await count_by_site(js, POOL, selector)
    assert counted == await read_by_site(js, selector)
    assert sum(counted.values())


async def test_contents_are_not_read_for_it(js: JetStream) -> None:
    await fill(js)
    before = js.client.stats["in_bytes"]
    await count_by_site(js, POOL, Selector(states=(DEFERRED, HELD)))
    assert js.client.stats["in_bytes"] - before < 24 * 1000


def test_what_subjects_do_not_tell_is_not_counted_by_them() -> None:
    for selector in (Selector(domains=("b.example",)), Selector(states=(DEFERRED,)), Selector(older_ms=1)):
        assert not is_told_by_subjects(selector)
