"""The commands of `paquebot queue` that change what waits."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import click

from paquebot.cli.people import AUTHOR_OPTION, OPTIONAL_REASON, REASON_OPTION, Duration, new_order
from paquebot.cli.place import OUTPUT_OPTION, STATE_OPTION, Place
from paquebot.cli.queue import on_queue, queue
from paquebot.cli.screen import CONSOLE, show_table
from paquebot.cli.selecting import takes_selector
from paquebot.cli.steering import Before, Survey, Tally, carry_out_all, narrowed, survey
from paquebot.mail.order import Action, Order
from paquebot.mail.selector import Selector
from paquebot.queue.bodies import HOLD_MAX_S
from paquebot.queue.jetstream import JetStream
from paquebot.queue.policystore import read_policy

CONFIRM_OVER = 100
EVERYTHING = "this means all mail: narrow it, such as with --tenant or --site, or say --all"
DONE = {
    Action.HOLD: "held",
    Action.RELEASE: "released",
    Action.REFUSE: "refused",
    Action.CANCEL: "cancelled",
    Action.RETRY: "retried",
    Action.REQUEUE: "requeued",
    Action.REROUTE: "rerouted",
}


@dataclass(frozen=True, slots=True)
class Manner:
    """How a command goes about it."""

    place: Place
    everything: bool
    dry_run: bool
    yes: bool
    output: str


def hand(name: str, *more: Callable[..., Any]) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a command of `queue` that takes a selector, an author, a reason, and how to go about it."""
    return lambda function: queue.command(name)(takes_manner(function, *more))


def takes_manner(function: Callable[..., Any], *more: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command a selector, an author, and how to go about it; `more` are options of its own."""
    command = _with_manner(takes_selector(function))
    for option in (
        *reversed(more),
        click.option("--all", "everything", is_flag=True, help="Mean it when nothing narrows the selection."),
        click.option("--dry-run", is_flag=True, help="Change nothing; say how many there are, and show some."),
        click.option("--yes", is_flag=True, help=f"Do not ask before more than {CONFIRM_OVER} are changed."),
        AUTHOR_OPTION,
        OUTPUT_OPTION,
        STATE_OPTION,
    ):
        command = option(command)
    return command


def _with_manner(command: Callable[..., Any]) -> Callable[..., Any]:
    def with_manner(**options: Any) -> Any:
        manner = Manner(**{name: options.pop(name) for name in ("place", "everything", "dry_run", "yes", "output")})
        return command(manner=manner, **options)

    with_manner.__doc__ = command.__doc__
    with_manner.__click_params__ = list(getattr(command, "__click_params__", ()))  # type: ignore[attr-defined]
    return with_manner


@hand("hold", click.option("--for", "for_s", type=Duration(), default="7d", help="At most 14d [7d]."), REASON_OPTION)
def hold(selector: Selector, manner: Manner, author: str, reason: str, for_s: int) -> None:
    """Keep mail from being tried until it is released, or its hold ends; then it is tried again."""
    if for_s > HOLD_MAX_S:
        raise click.BadParameter(f"at most {HOLD_MAX_S // 86_400}d", param_hint="--for")
    order = new_order(Action.HOLD, selector, author, reason)
    run(manner, replace(order, hold_ms=order.given_ms + for_s * 1000))


ALARMED_OPTION = click.option(
    "--despite-alarm", is_flag=True, help="Also what the filter held while its account did not act like itself."
)


@hand("release", ALARMED_OPTION, OPTIONAL_REASON)
def release(selector: Selector, manner: Manner, author: str, reason: str, *, despite_alarm: bool) -> None:
    """Let held mail be tried at once. What is older than its expiry has an hour for it."""
    let_go(manner, new_order(Action.RELEASE, selector, author, reason), despite_alarm=despite_alarm)


@hand("cancel", REASON_OPTION)
def cancel(selector: Selector, manner: Manner, author: str, reason: str) -> None:
    """Take mail away for good. Its senders are not told; the events keep who did it and why."""
    run(manner, new_order(Action.CANCEL, selector, author, reason))


@hand("retry-now", OPTIONAL_REASON)
def retry_now(selector: Selector, manner: Manner, author: str, reason: str) -> None:
    """Try deferred mail at once instead of at its time. A site that rests rests on."""
    run(manner, new_order(Action.RETRY, selector, author, reason))


FRESH_OPTION = click.option("--fresh-expiry", is_flag=True, help="Begin its lifetime anew, too.")


@hand("requeue", FRESH_OPTION, OPTIONAL_REASON)
def requeue(selector: Selector, manner: Manner, author: str, reason: str, *, fresh_expiry: bool) -> None:
    """Forget the attempts and what hosts said, and begin again as if the mail had just come."""
    run(manner, replace(new_order(Action.REQUEUE, selector, author, reason), fresh_expiry=fresh_expiry))


TO_OPTION = click.option("--to", "target", required=True, metavar="NAMESPACE/NAME", help="The pool that takes it over.")


@hand("reroute", TO_OPTION, REASON_OPTION)
def reroute(selector: Selector, manner: Manner, author: str, reason: str, target: str) -> None:
    """Move mail to another pool. What is held stays held, the rest is tried there at once."""
    policy = on_queue(manner.place, read_policy)
    pools = tuple(policy.pools) if policy else ()
    pool = target.replace("/", "_")
    if pool not in pools:
        raise click.BadParameter(f"there is no such pool; known: {', '.join(pools) or 'none'}", param_hint="--to")
    others = tuple(each for each in selector.pools or pools if each != pool)
    if not others:
        raise click.UsageError(f"all of this is in pool {target} already")
    if selector.is_empty and not manner.everything:
        raise click.UsageError(EVERYTHING)
    run(manner, replace(new_order(Action.REROUTE, replace(selector, pools=others), author, reason), pool=pool))


Listener = Callable[[JetStream, Order], Awaitable[Before]]


def let_go(manner: Manner, order: Order, listener: Listener | None = None, *, despite_alarm: bool) -> None:
    """Release; what was held while its account did not act like itself only when that is said."""
    if not despite_alarm and not manner.dry_run:
        found = on_queue(manner.place, lambda js: survey(js, narrowed(order)))
        if found.alarmed:
            raise click.ClickException(
                f"{_counted(found.alarmed.total())} of {', '.join(sorted(found.alarmed))}, which did not act like "
                "itself then: refuse or cancel them, or say --despite-alarm"
            )
    run(manner, order, listener)


def run(manner: Manner, order: Order, listener: Listener | None = None) -> None:
    """Look, ask, do, and account for it: exit 1 when nothing matched or not all could be done."""
    if order.selector.is_empty and not manner.everything:
        raise click.UsageError(EVERYTHING)
    order = narrowed(order)
    found = on_queue(manner.place, lambda js: survey(js, order))
    if manner.dry_run:
        _show(manner, found)
        return
    if not found.total and order.action is not Action.REROUTE:  # one that was cut short may have a step left
        raise click.ClickException(f"nothing that is {' or '.join(order.selector.states)} matches")
    if found.total > CONFIRM_OVER and not manner.yes:
        click.confirm(f"{order.action} {_counted(found.total)}?", abort=True, err=True)

    async def carry_out(js: JetStream) -> Tally:
        return await carry_out_all(js, order, found, await listener(js, order) if listener else None)

    tally = on_queue(manner.place, carry_out)
    if not found.total and not tally.done:
        raise click.ClickException(f"nothing that is {' or '.join(order.selector.states)} matches")
    _account(manner, order, tally)


def _show(manner: Manner, found: Survey) -> None:
    counts = [
        {"tenant": tenant, "site": site, "status": state, "count": count}
        for (tenant, site, state), count in found.counts.most_common()
    ]
    if manner.output == "json":
        sample = [each.delivery.name for each in found.sample]
        click.echo(json.dumps({"matched": found.total, "counts": counts, "sample": sample}, indent=2))
    else:
        show_table(("TENANT", "SITE", "STATUS", "DELIVERIES"), [tuple(map(str, row.values())) for row in counts])
        for each in found.sample:
            CONSOLE.print(f"{each.delivery.name}  {', '.join(each.delivery.recipients[:3])}  {each.delivery.reason}")
        CONSOLE.print(f"{_counted(found.total)} would be changed; nothing was")
    if not found.total:
        raise click.exceptions.Exit(1)


def _account(manner: Manner, order: Order, tally: Tally) -> None:
    if manner.output == "json":
        counts = {name: getattr(tally, name) for name in ("done", "ordered", "elsewhere", "failed", "order")}
        click.echo(json.dumps(counts | {"faults": dict(tally.faults)}, indent=2))
    else:
        CONSOLE.print(f"{DONE[order.action]}: {_counted(tally.done)}")
        if tally.ordered:
            CONSOLE.print(f"{_counted(tally.ordered)} with a deliverer, or next to be: at the next touch")
        if tally.elsewhere:
            CONSOLE.print(f"{_counted(tally.elsewhere)} changed meanwhile, and not by this command")
    for fault, count in tally.faults.items():
        click.echo(f"{count} times: {fault}" if count > 1 else fault, err=True)
    if tally.failed or tally.moved:
        click.echo(f"{tally.failed + len(tally.moved)} not done; repeat the command", err=True)
    if tally.failed or tally.moved or tally.faults:
        raise click.exceptions.Exit(1)


def _counted(count: int) -> str:
    return f"{count} {'delivery' if count == 1 else 'deliveries'}"
