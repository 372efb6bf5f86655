"""The options with which people say which mail they mean; every command about several deliveries takes them all."""

import functools
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

from paquebot.cli.people import Duration
from paquebot.mail.delivery import Lane
from paquebot.mail.selector import STATES, Selector

NAME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(\.[0-9]{1,9})?")
TAG = re.compile(r"[^=]+=.*")
VALUES_MAX = 1000  # of one option

Command = Callable[..., Any]


def takes_selector(command: Command) -> Command:
    """Give a command the selector's options; it is called with `selector` in place of them."""

    @functools.wraps(command)
    def with_selector(**options: Any) -> Any:
        pools = tuple(pool.replace("/", "_") for pool in options.pop("pools"))
        fields = {name: options.pop(name) for name in _FIELDS}
        ages = {f"{name}_ms": options.pop(name) * 1000 for name in ("older", "younger")}
        since_ms = options.pop("since")
        if since_ms:
            if ages["younger_ms"]:
                raise click.UsageError("--since and --younger say the same: give one of them")
            ages["younger_ms"] = max(1, time.time_ns() // 1_000_000 - since_ms)
        return command(selector=Selector(pools=pools, **fields, **ages), **options)

    wrapped: Command = with_selector
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def _checked(pattern: re.Pattern[str], wanted: str) -> Callable[..., tuple[str, ...]]:
    def check(_context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in _few(_context, parameter, values):
            if not pattern.fullmatch(value):
                raise click.BadParameter(f"{value!r} is not {wanted}", param=parameter)
        return values

    return check


def _few(_context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    if len(values) > VALUES_MAX:
        raise click.BadParameter(f"at most {VALUES_MAX} at once", param=parameter)
    return values


def _instant(_context: click.Context, parameter: click.Parameter, value: str | None) -> int:
    """Return a time as Unix milliseconds, 0 for none. Without a zone it is UTC, as all times that we tell are."""
    if value is None:
        return 0
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no time such as 2026-11-26T18:00:00Z", param=parameter) from None
    at_ms = int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    if at_ms > time.time_ns() // 1_000_000:
        raise click.BadParameter(f"{value!r} is still to come", param=parameter)
    return at_ms


def _several(flag: str, field: str, help_text: str, kind: click.ParamType[str] | None = None) -> Command:
    return click.option(flag, field, multiple=True, type=kind, callback=_few, help=help_text)


_FIELDS = ("names", "sites", "groups", "domains", "tenants", "credentials", "lanes", "tags", "replies", "states")
_OPTIONS: tuple[Command, ...] = (
    click.argument("names", nargs=-1, metavar="[ID|ID.N]...", callback=_checked(NAME, "the id that our 250 told")),
    _several("--tenant", "tenants", "Of this tenant. Options may be repeated: any of their values will do."),
    _several("--domain", "domains", "To this domain, as an A-label."),
    _several("--site", "sites", "To this site, as `queue show` names it."),
    _several("--group", "groups", "To this DestinationPolicy's destinations."),
    _several("--credential", "credentials", "Submitted with this credential."),
    _several("--pool", "pools", "In this pool, <namespace>/<name>."),
    _several("--lane", "lanes", "In this lane.", click.Choice([lane.name.lower() for lane in Lane])),
    click.option("--tag", "tags", multiple=True, callback=_checked(TAG, "key=value"), help="With this tag, key=value."),
    _several("--reply", "replies", "Whose last reply or reason contains this; * and ? stand for anything."),
    _several("--status", "states", "Ready (or in a deliverer's hands), deferred or held.", click.Choice(STATES)),
    click.option("--older", type=Duration(), default=0, help="Accepted at least so long ago, such as 2h."),
    click.option("--younger", type=Duration(), default=0, help="Accepted less than so long ago."),
    click.option("--since", callback=_instant, help="Accepted after this, such as 2026-11-26T18:00:00Z."),
)
