"""Who gives an order, why, and for how long: options that all commands share that steer mail."""

import getpass
import secrets
import time

import click

from paquebot.mail.ident import message_id
from paquebot.mail.order import Action, Order
from paquebot.mail.selector import Selector
from paquebot.policy.faults import Unfit
from paquebot.policy.scalars import duration_s
from paquebot.queue.orders import ACT_FOR_MS

REASON_MAX = 200


class Duration(click.ParamType[int]):
    """`90s`, `5m`, `1h30m`, `5d`, as in manifests; a number of seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return seconds."""
        try:
            return value if isinstance(value, int) else duration_s(value)
        except Unfit as fault:
            self.fail(f"{fault.text}: {fault.cure}", param, ctx)


def login() -> str:
    """Return the name that this person has logged in with."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return "admin"


def _one_line(_context: click.Context, parameter: click.Parameter, value: str) -> str:
    if len(value) > REASON_MAX or not value.isprintable():
        raise click.BadParameter(f"must be one line of at most {REASON_MAX} characters", param=parameter)
    return value


AUTHOR_OPTION = click.option(
    "--author",
    default=login,
    envvar="PAQUEBOT_AUTHOR",
    callback=_one_line,
    show_default="your login name",
    help="Who wants it; kept in the events.",
)


REASON_OPTION = click.option(
    "--reason",
    required=True,
    callback=_one_line,
    help="Why; people who ask about the mail are told, and the events keep it.",
)


OPTIONAL_REASON = click.option("--reason", default="", callback=_one_line, help="Why; the events keep it.")


def new_order(action: Action, selector: Selector, author: str, reason: str, lasts_ms: int = ACT_FOR_MS) -> Order:
    """Return an order given now."""
    now_ms = time.time_ns() // 1_000_000
    ident = message_id(now_ms, secrets.token_bytes(10))
    return Order(
        id=ident,
        action=action,
        selector=selector,
        author=author,
        reason=reason,
        given_ms=now_ms,
        ends_ms=now_ms + lasts_ms,
    )
