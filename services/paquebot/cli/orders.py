"""`paquebot suspend`, `resume` and `orders`: what is stopped, by whom, and until when."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import click

from paquebot.cli.people import AUTHOR_OPTION, REASON_OPTION, Duration, new_order
from paquebot.cli.place import OUTPUT_OPTION, STATE_OPTION, Place
from paquebot.cli.queue import ahead, clock, on_queue
from paquebot.cli.screen import CONSOLE, show_table
from paquebot.mail.order import Action, Order, only, target
from paquebot.mail.record import Kind, Record
from paquebot.mail.selector import DEFERRED
from paquebot.mail.steering import carry_out
from paquebot.queue.bodies import HOLD_MAX_S
from paquebot.queue.events import EventWriter
from paquebot.queue.inspection import Waiting, walk
from paquebot.queue.jetstream import FenceLostError, JetStream
from paquebot.queue.orders import TooManyOrdersError, give_order, known_everywhere, read_orders, withdraw_order
from paquebot.queue.policystore import read_policy
from paquebot.queue.steer import MovingError, steer

KINDS = ("site", "group", "domain", "tenant", "credential", "pool")
KNOWN_MAX_S = 15.0
NOT_KNOWN = "a deliverer does not follow the orders yet: what it has in hand may still be tried"

KIND_ARGUMENT = click.argument("kind", type=click.Choice(KINDS))


@click.command()
@KIND_ARGUMENT
@click.argument("name")
@click.option("--for", "for_s", type=Duration(), default="2h", show_default=True, help="How long, at most 14d.")
@REASON_OPTION
@AUTHOR_OPTION
@STATE_OPTION
def suspend(kind: str, name: str, for_s: int, reason: str, author: str, place: Place) -> None:  # noqa: PLR0913, PLR0917  (one for each option)
    """Try nothing of a site, group, domain, tenant, credential or pool for a while.

    Submission goes on, the mail waits; with a suspended credential nobody may submit either. What is in an SMTP
    transaction now ends as it ends. Waiting mail still expires: its sender is told why. Repeating it makes the
    suspension longer.
    """
    if for_s > HOLD_MAX_S:
        raise click.BadParameter(f"at most {HOLD_MAX_S // 86_400}d", param_hint="--for")
    order = new_order(Action.SUSPEND, only(kind, _token(name)), author, reason, for_s * 1000)
    order, known = on_queue(place, lambda js: _suspend(js, order))
    CONSOLE.print(f"{order.what} is suspended until {clock(order.ends_ms)}: {order.reason}")
    if not known:
        raise click.ClickException(NOT_KNOWN)


@click.command()
@KIND_ARGUMENT
@click.argument("name")
@AUTHOR_OPTION
@STATE_OPTION
def resume(kind: str, name: str, author: str, place: Place) -> None:
    """End a suspension: what waited for it is tried at once. A repeat is harmless, and ends what was cut short."""
    wanted = only(kind, _token(name))
    order = new_order(Action.RETRY, wanted, author, f"{wanted} is resumed")
    ended, freed = on_queue(place, lambda js: _resume(js, order))
    CONSOLE.print(f"{wanted} is resumed; {freed} {'delivery' if freed == 1 else 'deliveries'} waited for it")
    if not ended and not freed:
        raise click.ClickException(f"{wanted} was not suspended: `paquebot orders` lists what is")


@click.command()
@click.option("--withdraw", metavar="ORDER", help="Take an order back; what it has done already stays done.")
@OUTPUT_OPTION
@STATE_OPTION
def orders(withdraw: str | None, output: str, place: Place) -> None:
    """List the orders in force: suspensions, and what is to be done with mail that is ready or under way."""
    if withdraw:
        order = on_queue(place, lambda js: _withdraw(js, withdraw))
        CONSOLE.print(f"withdrawn: {order.action} {order.what}")
        return
    found = on_queue(place, lambda js: read_orders(js, _now_ms()))
    if output == "json":
        click.echo(json.dumps([_as_values(order) for order in found], indent=2))
        return
    if not found:
        click.echo("no order is in force")
        return
    show_table(
        ("ORDER", "ACTION", "BY", "GIVEN", "ENDS", "WHAT", "WHY"),
        [
            (
                order.id,
                order.action,
                order.author,
                clock(order.given_ms),
                ahead(order.ends_ms, _now_ms()),
                order.what,
                order.reason,
            )
            for order in found
        ],
    )


def _token(name: str) -> str:
    """Return a pool's token for <namespace>/<name>; no other name has a slash."""
    return name.replace("/", "_")


async def _suspend(js: JetStream, order: Order) -> tuple[Order, bool]:
    """Write the suspension, in place of one that ends before it; say whether all deliverers know it."""
    for standing in await read_orders(js, order.given_ms):
        if standing.action is Action.SUSPEND and target(standing.selector) == target(order.selector):
            if standing.ends_ms > order.ends_ms:
                raise click.ClickException(f"{standing.why}: resume it first, to suspend it for a shorter time")
            order = replace(order, id=standing.id)
    try:
        seq = await give_order(js, order)
    except TooManyOrdersError as error:
        raise click.ClickException(str(error)) from error
    return order, await known_everywhere(js, seq, KNOWN_MAX_S)


async def _resume(js: JetStream, order: Order) -> tuple[bool, int]:
    """End the suspension, then let go what waits for one that is not in force; say how many those are."""
    standing = await read_orders(js, order.given_ms)
    ending = [
        each for each in standing if each.action is Action.SUSPEND and target(each.selector) == target(order.selector)
    ]
    for each in ending:
        seq = await withdraw_order(js, each)
        if not await known_everywhere(js, seq, KNOWN_MAX_S):
            raise click.ClickException(f"{NOT_KNOWN}; repeat this command then")
    await _tell_resumed(js, order)
    in_force = {each.id for each in standing if each not in ending}

    def waits_in_vain(waiting: Waiting) -> bool:
        return bool(waiting.delivery.order) and waiting.delivery.order not in in_force

    return bool(ending), await _let_go(js, order, waits_in_vain)


async def _tell_resumed(js: JetStream, order: Order) -> None:
    """Tell the events that a person has looked at a credential: what raised an alarm about it is forgotten then."""
    events = EventWriter(js)
    for tenant, dot, name in (each.partition(".") for each in order.selector.credentials):
        if dot:
            record = Record(Kind.RESUMED, order.given_ms, "", 0, tenant, (), credential=name, author=order.author)
            await events.add(replace(record, reason=order.reason))


async def _let_go(js: JetStream, order: Order, wanted: Callable[[Waiting], bool]) -> int:
    """Make ready what waits and is wanted; what moved meanwhile has been touched already."""
    events = EventWriter(js)
    freed = 0

    async def free(waiting: Waiting) -> None:
        nonlocal freed
        try:
            await steer(js, events, waiting, carry_out(order, waiting.delivery, _now_ms()))
        except (FenceLostError, MovingError):
            return
        freed += 1

    selector = replace(order.selector, states=(DEFERRED,))
    policy = await read_policy(js)
    for pool in policy.pools if policy else ():
        async for batch in walk(js, pool, selector, order.given_ms):
            await asyncio.gather(*(free(waiting) for waiting in batch if wanted(waiting)))
    return freed


async def _withdraw(js: JetStream, ident: str) -> Order:
    for order in await read_orders(js, _now_ms()):
        if order.id == ident:
            await withdraw_order(js, order)
            return order
    raise click.ClickException(f"no order {ident} is in force: `paquebot orders` lists them")


def _as_values(order: Order) -> dict[str, Any]:
    selector = {name: value for name, value in asdict(order.selector).items() if value}
    times = {"given": clock(order.given_ms), "ends": clock(order.ends_ms)}
    return {
        "order": order.id,
        "action": order.action,
        "author": order.author,
        "reason": order.reason,
        "selector": selector,
        **times,
    }


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
