"""`paquebot explain`: why mail waits, when it is tried, and what would change that; also what became of it."""

import asyncio
import json
from dataclasses import asdict
from typing import Any
from uuid import UUID

import click

from paquebot.cli.explain.facts import Around, Explanation, Kept, MessageFacts
from paquebot.cli.explain.gather import gather_around, gather_message, sources
from paquebot.cli.explain.message import message
from paquebot.cli.explain.survey import explain_name, known_names
from paquebot.cli.place import OUTPUT_OPTION, STATE_OPTION, Place
from paquebot.cli.screen import CONSOLE
from paquebot.wire.deliverer import StateRequest

_COLOURS = {"ready": "green", "delivered": "green", "deferred": "yellow", "held": "magenta", "failed": "red"}


@click.command()
@click.argument("name")
@OUTPUT_OPTION
@STATE_OPTION
def explain(name: str, output: str, place: Place) -> None:
    """Say in plain words why mail waits, when it is tried, and what would change that.

    NAME is the id that our 250 told, or `<id>.<n>` for one delivery; or a tenant, a pool, a site, or a domain
    that mail goes to. What is gone is explained from the events.
    """
    told, facts = asyncio.run(_explained(place, name))
    if output == "json":
        click.echo(json.dumps({"explanations": [asdict(each) for each in told], "facts": facts}, indent=2))
        return
    for each in told:
        show(each)


async def _explained(place: Place, name: str) -> tuple[tuple[Explanation, ...], dict[str, Any]]:
    ident, n = _parsed(name)
    async with sources(place, place.running_or_fail()) as source:
        around = await gather_around(source, StateRequest(message=ident))
        if ident:
            facts = await gather_message(source, around, ident, n)
            return message(facts, around), _values(facts, around)
        told = await explain_name(source, around, name)
        if not told:
            raise click.ClickException(f"nothing is called {name}; known are {known_names(around)}")
        return told, {"deliverers": [asdict(state) for state in around.live.states]}


def _parsed(name: str) -> tuple[str, int]:
    """Return the id and number of a message's name; "" when it is none."""
    ident, _, n = name.partition(".")
    try:
        return str(UUID(ident)), int(n or "0")
    except ValueError:
        return "", 0


def show(told: Explanation) -> None:
    """Print an explanation for people."""
    colour = _COLOURS.get(told.state.partition(" ")[0], "bold")
    CONSOLE.print(f"[bold]{told.name}[/]: [{colour}]{told.state}[/]")
    before = ""
    for sentence in told.sentences:
        label = "" if sentence.part == before else sentence.part
        CONSOLE.print(f"  [dim]{label:4}[/]  ", end="")
        CONSOLE.print(sentence.text, markup=False)
        before = sentence.part


def _values(facts: MessageFacts, around: Around) -> dict[str, Any]:
    """Return the facts as plain values: what is stored and recorded, and what deliverers say of it."""
    return {
        "kept": [{"state": each.state, "split": each.split, "delivery": _delivery(each)} for each in facts.kept],
        "records": [asdict(record) for record in facts.records],
        "deliverers": [asdict(state) for state in around.live.states],
    }


def _delivery(kept: Kept) -> dict[str, Any]:
    values = asdict(kept.delivery)
    del values["prefix"]  # octets of the content
    return values
