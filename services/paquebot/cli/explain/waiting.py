"""What waits, summed up: how much, for which reasons, and what is tried next. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence

from paquebot.cli.explain.facts import Around, Backlog, Sentence, when, why
from paquebot.cli.explain.words import ahead, count, pool_name, span
from paquebot.mail.delivery import Delivery

REASONS_MAX = 4  # told, the most common ones


def backlog(backlogs: Sequence[Backlog], around: Around) -> Iterable[Sentence]:
    """Yield how much waits in each pool, why, and when the next of it is tried."""
    total = sum(each.depth.ready + each.depth.later for each in backlogs)
    if not total:
        yield why("Nothing waits.")
        return
    for each in backlogs:
        if each.depth.ready or each.depth.later:
            yield why(_counted(each, around.now_ms))
    deliveries = [delivery for each in backlogs for delivery in each.sample]
    yield from reasons(deliveries, around.now_ms)
    later = sum(each.depth.later for each in backlogs)
    if len(deliveries) < later:
        yield why(f"These reasons are those of {len(deliveries):,} of the {later:,} that wait for their time.")


def reasons(deliveries: Sequence[Delivery], now_ms: int) -> Iterable[Sentence]:
    """Yield the most common reasons to wait, and the next try."""
    counted = Counter(delivery.reason or "it waits for its first try" for delivery in deliveries)
    for reason, number in counted.most_common(REASONS_MAX):
        yield why(f"{number:,} of them: {reason}.")
    if len(counted) > REASONS_MAX:
        rest = counted.total() - sum(number for _reason, number in counted.most_common(REASONS_MAX))
        yield why(f"{count(rest, 'other waits', 'others wait')} for {len(counted) - REASONS_MAX} more reasons.")
    tried = [delivery.next_ms for delivery in deliveries if not delivery.held]
    if tried:
        soonest = min(tried)
        yield when(f"The next of them is due {ahead(soonest, now_ms) if soonest > now_ms else 'now'}.")


def _counted(each: Backlog, now_ms: int) -> str:
    depth = each.depth
    longest = f", the longest for {span(now_ms - depth.oldest_ready_ms)}" if depth.oldest_ready_ms else ""
    ready = f"{count(depth.ready, 'is', 'are')} ready to be tried{longest}"
    return f"In pool {pool_name(each.pool)} {ready}; {count(depth.later, 'waits', 'wait')} for a time or a person."
