"""`paquebot spam review`: what the filter holds, to be decided about key by key; a list over a pipe."""

import asyncio
import json
import sys
import time
from collections.abc import Iterable
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.live import Live as Screen
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from paquebot.cli.keys import keys
from paquebot.cli.people import AUTHOR_OPTION, OPTIONAL_REASON, new_order
from paquebot.cli.place import OUTPUT_OPTION, STATE_OPTION, Place
from paquebot.cli.queue import ahead, clock, on_queue
from paquebot.cli.screen import CONSOLE, show_table
from paquebot.cli.selecting import takes_selector
from paquebot.cli.spam.desk import Desk, HeldMail, Wish, pressed
from paquebot.cli.spam.hands import of_filter
from paquebot.cli.spam.sharing import content_of, sharer
from paquebot.cli.steering import carry_out_all, narrowed, survey
from paquebot.mail.header import decode_words, split, value_of
from paquebot.mail.order import Action
from paquebot.mail.selector import Selector
from paquebot.queue.inspection import Waiting, walk
from paquebot.queue.jetstream import JetStream
from paquebot.queue.policystore import read_policy

HELP = "  j k move  enter open  r release  x refuse  q quit"
MESSAGES_MAX = 1000
TEXT_MAX = 200  # of a Subject, or a From
ROWS_AROUND = 12  # of the screen, that are not messages
_ACTIONS = {Wish.RELEASE: Action.RELEASE, Wish.REFUSE: Action.REFUSE}
_REASONS = {Wish.RELEASE: "reviewed", Wish.REFUSE: "reviewed: unwanted"}
_DONE = {Wish.RELEASE: "released", Wish.REFUSE: "refused"}


def _review(selector: Selector, author: str, reason: str, output: str, place: Place) -> None:
    """Go through the mail that the spam filter holds: j and k move, enter opens, r releases, x refuses, q ends.

    Over a pipe, or with --output json, it is a list. At most 1,000 messages are shown, the oldest first.
    """
    wanted = of_filter(selector)
    if output == "table" and sys.stdin.isatty() and sys.stdout.isatty():
        on_queue(place, lambda js: _screen(js, wanted, author, reason))
        return
    found = on_queue(place, lambda js: held_mail(js, wanted))
    if output == "json":
        click.echo(json.dumps([_as_values(each) for each in found], indent=2))
        return
    if not found:
        click.echo("the filter holds nothing")
        return
    rows = [tuple(map(escape, _row(each, _now_ms()))) for each in found]
    show_table(("MESSAGE", "FROM", "SUBJECT", "RCPTS", "UNTIL", "WHY"), rows)


review = click.command("review")(takes_selector(OPTIONAL_REASON(AUTHOR_OPTION(OUTPUT_OPTION(STATE_OPTION(_review))))))


async def held_mail(js: JetStream, selector: Selector) -> list[HeldMail]:
    """Return what the filter holds and is meant, the oldest first, at most MESSAGES_MAX messages."""
    found: dict[str, list[Waiting]] = {}
    policy = await read_policy(js)
    for pool in policy.pools if policy else ():
        if selector.pools and pool not in selector.pools:
            continue
        async for batch in walk(js, pool, _held(selector), _now_ms()):
            for each in batch:
                found.setdefault(each.delivery.id, []).append(each)
    oldest = sorted(found)[:MESSAGES_MAX]  # an id begins with its time
    return [await _read(js, found[ident]) for ident in oldest]


def _held(selector: Selector) -> Selector:
    return narrowed(new_order(Action.RELEASE, selector, "", "")).selector


async def _read(js: JetStream, waiting: list[Waiting]) -> HeldMail:
    section = split(await content_of(js, waiting[0]))[0]
    deliveries = {each.delivery.name: each.delivery for each in waiting}
    return HeldMail(tuple(deliveries.values()), _text(section, b"from"), _text(section, b"subject"))


def _text(section: bytes, name: bytes) -> str:
    """Return a field as one short line; what could steer a terminal is left out."""
    text = decode_words(value_of(section, name) or b"")
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()[:TEXT_MAX]


def _row(mail: HeldMail, now_ms: int) -> tuple[str, ...]:
    recipients = sum(len(each.recipients) for each in mail.deliveries)
    first = mail.deliveries[0]
    end = f"{ahead(first.next_ms, now_ms)}, then {'refused' if first.refuse_ms else 'delivered'}"
    return mail.id, mail.author, mail.subject, str(recipients), end, mail.why


def _as_values(mail: HeldMail) -> dict[str, Any]:
    first = mail.deliveries[0]
    return {
        "id": mail.id,
        "from": mail.author,
        "subject": mail.subject,
        "reverse_path": first.reverse_path,
        "tenant": first.tenant,
        "credential": first.credential,
        "recipients": [each for delivery in mail.deliveries for each in delivery.recipients],
        "accepted": clock(first.accepted_ms),
        "until": clock(first.next_ms),
        "then": "refuse" if first.refuse_ms else "deliver",
        "alarmed": mail.alarmed,
        "why": mail.why,
    }


async def _screen(js: JetStream, selector: Selector, author: str, reason: str) -> None:
    pressed_keys: asyncio.Queue[str] = asyncio.Queue()
    desk = Desk(tuple(await held_mail(js, selector)))
    with keys(pressed_keys.put_nowait), Screen(console=CONSOLE, screen=True, auto_refresh=False) as screen:
        while True:
            screen.update(shown(desk, max(1, CONSOLE.height - ROWS_AROUND), _now_ms()), refresh=True)
            desk, wish = pressed(desk, await pressed_keys.get())
            if wish is Wish.QUIT:
                return
            if wish in _ACTIONS and desk.row is not None:
                desk = desk.without(desk.row.id, await _decide(js, desk.row.id, wish, (author, reason)))


async def _decide(js: JetStream, ident: str, wish: Wish, by: tuple[str, str]) -> str:
    """Carry a decision out; return what is said of it."""
    author, reason = by
    selector = of_filter(Selector(names=(ident,)))
    order = narrowed(new_order(_ACTIONS[wish], selector, author, reason or _REASONS[wish]))
    tally = await carry_out_all(js, order, await survey(js, order), await sharer(js, order))
    if tally.done:
        return f"{ident} {_DONE[wish]}"
    return f"{ident} was not held any more" if not tally.failed else f"{ident}: {next(iter(tally.faults))}"


def shown(desk: Desk, rows_max: int, now_ms: int) -> RenderableType:
    """Return the desk to print: at most `rows_max` messages around the reader, then the one that is open."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0), expand=True)
    for heading in ("", "FROM", "SUBJECT", "RCPTS", "UNTIL", "WHY"):
        table.add_column(heading, no_wrap=True, overflow="ellipsis")
    start = max(0, min(desk.at - rows_max // 2, len(desk.rows) - rows_max))
    for number, each in enumerate(desk.rows[start : start + rows_max], start):
        cells = (Text(cell) for cell in _row(each, now_ms)[1:])
        mark = ">" if number == desk.at else "!" if each.alarmed else " "
        table.add_row(mark, *cells, style="reverse" if number == desk.at else "")
    head = Text(f"{len(desk.rows)} messages are held by the spam filter", style="bold")
    foot = Text(f"{desk.said}{HELP}", style="dim")
    return Group(head, table, *_opened(desk), foot)


def _opened(desk: Desk) -> Iterable[RenderableType]:
    if desk.row is None or not desk.is_open:
        return
    first = desk.row.deliveries[0]
    recipients = [each for delivery in desk.row.deliveries for each in delivery.recipients]
    yield Text()
    yield Text(f"{desk.row.id}  credential {first.tenant}.{first.credential}  from {first.reverse_path}")
    yield Text(f"to {', '.join(recipients[:10])}{' and others' if len(recipients) > 10 else ''}")  # noqa: PLR2004
    for reason in desk.row.why.split("; "):
        yield Text(f"  - {reason}")
    yield Text(f"more: paquebot spam explain {desk.row.id}")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
