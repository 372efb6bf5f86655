"""`paquebot queue`: what waits, and why."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import click

from paquebot.cli.place import OUTPUT_OPTION, STATE_OPTION, Place
from paquebot.cli.screen import CONSOLE, show_table
from paquebot.cli.selecting import takes_selector
from paquebot.mail.order import clock as clock  # noqa: PLC0414  (commands tell times in one form)
from paquebot.mail.selector import Selector
from paquebot.queue.census import count_by_site, is_told_by_subjects
from paquebot.queue.inspection import EVERYTHING, Waiting, find, list_waiting, walk
from paquebot.queue.jetstream import JetStream
from paquebot.queue.policystore import read_policy

T = TypeVar("T")
BY: dict[str, Callable[[Waiting], str]] = {
    "site": lambda waiting: waiting.delivery.site,
    "tenant": lambda waiting: waiting.delivery.tenant,
    "domain": lambda waiting: waiting.delivery.domain,
    "pool": lambda waiting: waiting.delivery.pool,
    "status": lambda waiting: waiting.state,
    "reason": lambda waiting: waiting.delivery.reason or "its turn has not come yet",
}


@click.group()
def queue() -> None:
    """Look at what waits in the queue, and steer it."""


@queue.command("list")
@takes_selector
@click.option("--by", type=click.Choice(list(BY)), help="Count all of them, instead of showing some.")
@click.option("--limit", default=1000, show_default=True, help="At most this many deliveries.")
@OUTPUT_OPTION
@STATE_OPTION
def list_(selector: Selector, by: str | None, limit: int, output: str, place: Place) -> None:
    """List waiting deliveries with the reason and the time of the next try."""
    if by is not None:
        _show_counts(on_queue(place, lambda js: count_waiting(js, selector, by)), by, output)
        return
    found = on_queue(place, lambda js: all_waiting(js, limit, selector))
    if output == "json":
        click.echo(json.dumps([as_values(each) for each in found], indent=2))
        return
    if not found:
        click.echo("nothing waits")
        return
    now_ms = time.time_ns() // 1_000_000
    show_table(
        ("DELIVERY", "STATE", "DOMAIN", "RCPTS", "TRIES", "NEXT", "WHY"),
        [
            (
                each.delivery.name,
                each.state,
                each.delivery.domain,
                str(len(each.delivery.recipients)),
                str(each.delivery.attempts),
                ahead(each.delivery.next_ms, now_ms),
                each.delivery.reason or "its turn has not come yet",
            )
            for each in found
        ],
    )
    CONSOLE.print(f"{len(found)} {'delivery waits' if len(found) == 1 else 'deliveries wait'}")


@queue.command()
@click.argument("name")
@OUTPUT_OPTION
@STATE_OPTION
def show(name: str, output: str, place: Place) -> None:
    """Show waiting deliveries of a message: NAME is `<id>` or `<id>.<n>`."""
    ident, _, n = name.partition(".")
    found = on_queue(place, lambda js: _find(js, ident, n or "*"))
    if not found:
        raise click.ClickException(f"{name} does not wait: `paquebot trace {ident}` tells what became of it")
    if output == "json":
        click.echo(json.dumps([as_values(each) for each in found], indent=2))
        return
    for each in found:
        for key, value in as_values(each).items():
            CONSOLE.print(f"[bold]{key:>12}[/]  {value}", soft_wrap=True)
        CONSOLE.print()


async def count_waiting(js: JetStream, selector: Selector, by: str) -> Counter[str]:
    """Count what waits in all pools and matches, by one of BY; what subjects tell is not read for it."""
    counts: Counter[str] = Counter()
    for pool in await _pools(js, selector):
        if by == "site" and is_told_by_subjects(selector):
            counts += await count_by_site(js, pool, selector)
            continue
        async for batch in walk(js, pool, selector, time.time_ns() // 1_000_000):
            counts.update(BY[by](waiting) for waiting in batch)
    return counts


async def _pools(js: JetStream, selector: Selector) -> tuple[str, ...]:
    policy = await read_policy(js)
    return tuple(pool for pool in (policy.pools if policy else ()) if not selector.pools or pool in selector.pools)


def _show_counts(counts: Counter[str], by: str, output: str) -> None:
    if output == "json":
        click.echo(json.dumps(dict(counts.most_common()), indent=2))
        return
    show_table(("DELIVERIES", by.upper()), [(str(count), value) for value, count in counts.most_common()])


async def all_waiting(js: JetStream, limit: int, selector: Selector = EVERYTHING) -> list[Waiting]:
    """Return what waits in all pools and matches."""
    found: list[Waiting] = []
    for pool in await _pools(js, selector):
        found += await list_waiting(js, pool, limit - len(found), selector, time.time_ns() // 1_000_000)
    return found


def as_values(waiting: Waiting) -> dict[str, Any]:
    """Return a waiting delivery as plain values, without its content."""
    delivery = waiting.delivery
    return {
        "delivery": delivery.name,
        "state": waiting.state,
        "why": delivery.reason or "its turn has not come yet",
        "next_try": clock(delivery.next_ms) if delivery.next_ms else "now",
        "expires": clock(delivery.expires_ms),
        "accepted": clock(delivery.accepted_ms),
        "attempts": delivery.attempts,
        "last_reply": str(delivery.last_reply or ""),
        "last_host": delivery.last_host,
        "tenant": delivery.tenant,
        "credential": delivery.credential,
        "from": delivery.reverse_path,
        "recipients": list(delivery.recipients),
        "domain": delivery.domain,
        "site": delivery.site,
        "pool": delivery.pool,
        "lane": delivery.lane.name.lower(),
        "partition": delivery.partition,
        "size_bytes": delivery.size_bytes,
    }


def on_queue(place: Place, ask: Callable[[JetStream], Awaitable[T]]) -> T:
    """Connect as admin, ask, and close."""
    running = place.running_or_fail()

    async def connected() -> T:
        js = await JetStream.connect(running.nats_url, place.identity("admin"), "cli")
        try:
            return await ask(js)
        finally:
            await js.close()

    return asyncio.run(connected())


def ahead(at_ms: int, now_ms: int) -> str:
    """Return how far ahead a time is, roughly, for people."""
    seconds = (at_ms - now_ms) // 1000
    if seconds <= 0:
        return "now"
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"in {seconds // length} {unit}"
    return f"in {seconds} s"


async def _find(js: JetStream, ident: str, n: str) -> list[Waiting]:
    found: list[Waiting] = []
    for pool in await _pools(js, EVERYTHING):
        found += await find(js, pool, ident, n)
    return found
