"""`paquebot spam models|store|use`: models by digest, which of them is in force, and back to the one before."""

import json
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import click

from paquebot.cli.people import AUTHOR_OPTION, REASON_OPTION
from paquebot.cli.place import OUTPUT_OPTION, STATE_OPTION, Place
from paquebot.cli.queue import clock, on_queue
from paquebot.cli.screen import CONSOLE, show_table
from paquebot.queue.jetstream import JetStream
from paquebot.queue.models import MODEL_MAX_BYTES, NONE, SHIPPED, Card, Choice, Models, TooManyModelsError
from paquebot.spamfilter.content import Model, ModelUnusableError

SHOWN = 12  # digits of a digest
_OWN = "shipped"


@click.command()
@click.option("--drop", metavar="DIGEST", help="Take a stored model away; one that is used is not.")
@OUTPUT_OPTION
@STATE_OPTION
def models(drop: str | None, output: str, place: Place) -> None:
    """List the stored models by digest: which is in force, and which reads in its shadow."""
    if drop:
        on_queue(place, lambda js: _drop(js, drop))
    cards, choice = on_queue(place, _look)
    if output == "json":
        stored = [asdict(each) | {"state": _state(each.digest, choice)} for each in cards]
        click.echo(json.dumps({"models": stored, "choice": asdict(choice)}, indent=2))
        return
    rows = [(_OWN, "", "", _state(SHIPPED, choice), "came with the release, or is named by PAQUEBOT_MODEL")]
    rows += [
        (each.digest[:SHOWN], clock(each.at_ms), each.author, _state(each.digest, choice), each.note) for each in cards
    ]
    show_table(("MODEL", "STORED", "BY", "USED", "NOTE"), rows)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--note", default="", help="Where it is from, in a line.")
@AUTHOR_OPTION
@STATE_OPTION
def store(file: Path, note: str, author: str, place: Place) -> None:
    """Store a model's FILE under its digest. Nobody uses it until `paquebot spam use` says so."""
    card = on_queue(place, lambda js: put(js, file.read_bytes(), author, note))
    CONSOLE.print(f"stored: {card.digest[:SHOWN]}")


@click.command()
@click.argument("digest")
@click.option("--shadow", is_flag=True, help="Read by it in the shadow, deciding nothing; DIGEST may be `none`.")
@REASON_OPTION
@AUTHOR_OPTION
@STATE_OPTION
def use(digest: str, reason: str, author: str, place: Place, *, shadow: bool) -> None:
    """Judge by the stored model DIGEST (its first digits are enough), or by `shipped`, within seconds.

    The one before stays stored: to go back, use its digest.
    """
    choice = on_queue(place, lambda js: _use(js, digest, shadow=shadow, by=(author, reason)))
    CONSOLE.print(f"used: {choice.model[:SHOWN] or _OWN}; in its shadow: {choice.shadow[:SHOWN] or _OWN}")


async def put(js: JetStream, octets: bytes, author: str, note: str) -> Card:
    """Store a model that this release can read; raise ClickException when it cannot."""
    if len(octets) > MODEL_MAX_BYTES:
        raise click.ClickException(f"a model has at most {MODEL_MAX_BYTES >> 20} MiB")
    try:
        model = Model.of_octets(octets, "this file")
        card = Card(model.digest, len(octets), time.time_ns() // 1_000_000, author, note)
        await Models(js).put(octets, card)
    except (ModelUnusableError, TooManyModelsError) as fault:
        raise click.ClickException(str(fault)) from fault
    return card


async def _look(js: JetStream) -> tuple[list[Card], Choice]:
    return await Models(js).cards(), await Models(js).chosen()


async def _use(js: JetStream, digest: str, *, shadow: bool, by: tuple[str, str]) -> Choice:
    cards, before = await _look(js)
    wanted = _named(digest, cards, shadow=shadow)
    author, reason = by
    model, beside = (before.model, wanted) if shadow else (wanted, before.shadow)
    choice = Choice(model, beside, time.time_ns() // 1_000_000, author, reason)
    await Models(js).choose(choice)
    return choice


def _named(digest: str, cards: Iterable[Card], *, shadow: bool) -> str:
    if digest == _OWN:
        return SHIPPED
    if digest == NONE and shadow:
        return NONE
    found = [card.digest for card in cards if card.digest.startswith(digest)]
    if len(found) != 1:
        said = f"{len(found)} stored models begin with {digest}" if found else f"no model {digest} is stored"
        raise click.ClickException(f"{said}: `paquebot spam models` lists them")
    return found[0]


async def _drop(js: JetStream, digest: str) -> None:
    cards, choice = await _look(js)
    found = _named(digest, cards, shadow=False)
    if found in {SHIPPED, choice.model, choice.shadow}:
        raise click.ClickException("this model is used: use another first")
    await Models(js).drop(found)


def _state(digest: str, choice: Choice) -> str:
    used = [word for word, each in (("in force", choice.model), ("in the shadow", choice.shadow)) if each == digest]
    return " and ".join(used)
