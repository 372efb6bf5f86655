"""`paquebot spam forget`: drop what a tenant's people have taught, and what is kept of its judged mail."""

import json

import click

from paquebot.cli.place import OUTPUT_OPTION, STATE_OPTION, Place
from paquebot.cli.queue import on_queue
from paquebot.cli.screen import CONSOLE
from paquebot.queue.buckets import Bucket
from paquebot.queue.jetstream import JetStream


@click.command()
@click.argument("tenant")
@OUTPUT_OPTION
@STATE_OPTION
def forget(tenant: str, output: str, place: Place) -> None:
    """Drop what a tenant's people have taught, and the words (never the text) kept of its judged mail.

    Its mail is judged like a new tenant's from then on; what is learned later is learned anew.
    """
    had, kept = on_queue(place, lambda js: _forget(js, tenant))
    if output == "json":
        click.echo(json.dumps({"tenant": tenant, "delta": had, "judged": kept}, indent=2))
    else:
        CONSOLE.print(
            f"{tenant}: {'what was learned' if had else 'nothing was learned'}, {kept} judged messages dropped"
        )
    if not had and not kept:
        raise click.exceptions.Exit(1)


async def _forget(js: JetStream, tenant: str) -> tuple[bool, int]:
    """Drop first what a delta could be learned from again."""
    purged = await js.request("STREAM.PURGE.KV_judged", {"filter": f"$KV.judged.{tenant}.*"})
    deltas = Bucket(js, "deltas")
    had = await deltas.get(tenant) is not None
    if had:
        await deltas.delete(tenant)
    return had, int(purged["purged"])
