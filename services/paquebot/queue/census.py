"""How much waits for each site, from the names of subjects alone: a million deliveries are counted in seconds."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from paquebot.mail.selector import DEFERRED, HELD, READY, Selector
from paquebot.queue.inspection import waiting_in
from paquebot.queue.jetstream import JetStream
from paquebot.queue.scan import scan, subject_counts
from paquebot.queue.subjects import (
    PARTITIONS,
    SLICES,
    SPLIT,
    deferred_filter_in,
    deferred_filters,
    ready_filters,
    site_named,
    site_token_in,
    slice_of,
    split_filter,
    stream_name,
)


def is_told_by_subjects(selector: Selector) -> bool:
    """Say whether subjects alone tell what matches: they name pool and site, and whether it is ready."""
    others = replace(selector, pools=(), sites=(), states=())
    return others.is_empty and (DEFERRED in selector.states) == (HELD in selector.states)


async def count_by_site(js: JetStream, pool: str, selector: Selector) -> Counter[str]:
    """Return how many of a pool's deliveries match by site, for a selector that subjects tell all about.

    A site whose name is too long for a subject is told by its token. What becomes ready, or is put back, meanwhile may
    be counted twice.
    """
    parts = await asyncio.gather(*(_count(js, pool, number, selector) for number in range(SLICES)))
    return sum(parts, Counter())


async def _count(js: JetStream, pool: str, number: int, selector: Selector) -> Counter[str]:
    tokens: Counter[str] = Counter()
    stream = stream_name(pool, number)
    for pattern in _patterns(pool, number, selector):
        async for page in subject_counts(js, stream, pattern):
            for subject, count in page.items():
                tokens[site_token_in(subject)] += count
    counts = Counter({site_named(token): count for token, count in tokens.items() if token != SPLIT})
    if tokens[SPLIT]:
        async for batch in scan(js, stream, split_filter(pool, number)):
            found = (each for message in batch for each in waiting_in(message))
            counts.update(each.delivery.site for each in found if selector.matches(each.delivery, each.state, 0))
    return counts


def _patterns(pool: str, number: int, selector: Selector) -> Iterator[str]:
    """Yield patterns that together name a stream's part; of what is deferred not more at once than a page or so."""
    if DEFERRED in selector.states or not selector.states:
        if selector.sites:
            yield from deferred_filters(pool, number, selector)
        else:
            yield from (deferred_filter_in(pool, each) for each in range(PARTITIONS) if slice_of(each) == number)
    if READY in selector.states or not selector.states:
        yield from ready_filters(pool, number, selector)
