"""`paquebot queue`: what waits, and why."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table

from paquebot.cli.place import OUTPUT_OPTION, STATE_OPTION, Place
from paquebot.queue.inspection import Waiting, find, list_waiting
from paquebot.queue.jetstream import JetStream
from paquebot.queue.policystore import read_policy

T = TypeVar("T")
CONSOLE = Console(highlight=False)


@click.group()
def queue() -> None:
    """Look at what waits in the queue."""


@queue.command("list")
@click.option("--limit", default=1000, show_default=True, help="At most this many deliveries.")
@OUTPUT_OPTION
@STATE_OPTION
def list_(limit: int, output: str, place: Place) -> None:
    """List waiting deliveries with the reason and the time of the next try."""
    found = on_queue(place, lambda js: all_waiting(js, limit))
    if output == "json":
        click.echo(json.dumps([as_values(each) for each in found], indent=2))
        return
    if not found:
        click.echo("nothing waits")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("DELIVERY", "STATE", "DOMAIN", "RCPTS", "TRIES", "NEXT", "WHY"):
        table.add_column(heading, no_wrap=heading != "WHY", overflow="fold")
    for each in found:
        delivery = each.delivery
        table.add_row(
            delivery.name,
            each.state,
            delivery.domain,
            str(len(delivery.recipients)),
            str(delivery.attempts),
            clock(delivery.next_ms) if delivery.next_ms else "now",
            delivery.reason,
        )
    CONSOLE.print(table)
    CONSOLE.print(f"{len(found)} deliveries wait")


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


async def all_waiting(js: JetStream, limit: int) -> list[Waiting]:
    """Return what waits in all pools."""
    policy = await read_policy(js)
    found: list[Waiting] = []
    for pool in policy.pools if policy else ():
        found += await list_waiting(js, pool, limit - len(found))
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


def clock(at_ms: int) -> str:
    """Return a time for people, in UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


async def _find(js: JetStream, ident: str, n: str) -> list[Waiting]:
    policy = await read_policy(js)
    found: list[Waiting] = []
    for pool in policy.pools if policy else ():
        found += await find(js, pool, ident, n)
    return found
