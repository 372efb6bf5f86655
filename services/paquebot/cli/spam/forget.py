"""`paquebot spam forget`: drop what a tenant's people have taught, and what is kept of its mail for that."""

import json
from dataclasses import asdict, astuple, dataclass

import click

from paquebot.cli.place import OUTPUT_OPTION, STATE_OPTION, Place
from paquebot.cli.queue import on_queue
from paquebot.cli.screen import CONSOLE
from paquebot.queue.buckets import Bucket
from paquebot.queue.jetstream import JetStream
from paquebot.queue.replay import forget_shared
from paquebot.queue.reputation import forget_senders


@dataclass(frozen=True, slots=True)
class Dropped:
    """What was there: whether a delta, and how many messages."""

    delta: bool
    judged: int
    shared: int
    histories: int  # of its accounts


@click.command()
@click.argument("tenant")
@OUTPUT_OPTION
@STATE_OPTION
def forget(tenant: str, output: str, place: Place) -> None:
    """Drop what a tenant's people have taught, the words kept of its judged mail, what it shared, and its histories.

    Its mail is judged like a new tenant's from then on; what is learned later is learned anew. Models that were
    trained with what it shared stay: `paquebot spam use` goes back to an earlier one.
    """
    dropped = on_queue(place, lambda js: _forget(js, tenant))
    if output == "json":
        click.echo(json.dumps({"tenant": tenant} | asdict(dropped), indent=2))
    else:
        learned = "what was learned" if dropped.delta else "nothing that was learned"
        CONSOLE.print(f"{tenant}: dropped {learned}, {dropped.judged} judged and {dropped.shared} shared messages")
        CONSOLE.print(f"{tenant}: dropped {dropped.histories} histories of its accounts")
    if not any(astuple(dropped)):
        raise click.exceptions.Exit(1)


async def _forget(js: JetStream, tenant: str) -> Dropped:
    """Drop first what a delta could be learned from again."""
    purged = await js.request("STREAM.PURGE.KV_judged", {"filter": f"$KV.judged.{tenant}.*"})
    deltas = Bucket(js, "deltas")
    had = await deltas.get(tenant) is not None
    if had:
        await deltas.delete(tenant)
    histories = await forget_senders(js, tenant)
    return Dropped(had, int(purged["purged"]), await forget_shared(js, tenant), histories)
