"""Orders: what people want done with deliveries that a deliverer may have in its hands. Pure.

A suspension stands until it ends, for all that matches. Every other order is about what was accepted before it was
given, and is done once: who decides later about a delivery, by hand or by another order, is not overruled by it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from enum import StrEnum

from paquebot.mail.delivery import Delivery
from paquebot.mail.selector import READY, Selector


class Action(StrEnum):
    """What is wanted."""

    SUSPEND = "suspend"
    HOLD = "hold"
    RELEASE = "release"
    REFUSE = "refuse"
    CANCEL = "cancel"
    RETRY = "retry"
    REROUTE = "reroute"
    REQUEUE = "requeue"


_NOTHING_TO_DO = {Action.RELEASE, Action.RETRY}  # for what is ready anyway; they only end what was wanted before


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a person wants, of which deliveries, and why. Times are Unix milliseconds.

    It is in force until `ends_ms`. What is held stays so until `hold_ms`; `pool` is where rerouted mail goes.
    """

    id: str
    action: Action
    selector: Selector
    author: str
    reason: str
    given_ms: int
    ends_ms: int
    hold_ms: int = 0
    pool: str = ""
    fresh_expiry: bool = False

    @property
    def said(self) -> str:
        """Who ordered it and why, to stand behind "held by"."""
        return f"{self.author}: {self.reason}" if self.reason else self.author

    @property
    def what(self) -> str:
        """What the selector names, as people say it: `tenant shop`."""
        return str(self.selector)

    @property
    def why(self) -> str:
        """Why a suspended delivery waits, in a sentence."""
        return f"{self.what} is suspended by {self.said}, until {clock(self.ends_ms)}"


def suspended_by(orders: Iterable[Order], delivery: Delivery, now_ms: int) -> Order | None:
    """Return the suspension that a delivery must wait for: of several, the one that ends last."""
    standing = [
        order
        for order in orders
        if order.action is Action.SUSPEND
        and order.ends_ms > now_ms
        and order.selector.matches(delivery, READY, order.given_ms)
    ]
    return max(standing, key=lambda order: order.ends_ms, default=None)


def due(orders: Iterable[Order], delivery: Delivery, now_ms: int) -> Order | None:
    """Return the order that must be carried out for a delivery in hand: the latest word about it."""
    if delivery.is_moving:
        return None
    given = [
        order
        for order in orders
        if order.action is not Action.SUSPEND
        and order.ends_ms > now_ms
        and max(delivery.accepted_ms, delivery.steered_ms + 1) <= order.given_ms
        and order.selector.matches(delivery, READY, order.given_ms)
    ]
    latest = max(given, key=lambda order: order.given_ms, default=None)
    return None if latest is None or latest.action in _NOTHING_TO_DO else latest


def only(kind: str, name: str) -> Selector:
    """Return a suspension's selector: `only("tenant", "shop")`."""
    return replace(Selector(), **{f"{kind}s": (name,)})  # type: ignore[arg-type]  # one of its fields


def target(selector: Selector) -> tuple[str, str]:
    """Return the field and the value of a suspension's selector."""
    named = [(each.name, getattr(selector, each.name)) for each in fields(selector) if getattr(selector, each.name)]
    ((field, (value,)),) = named
    return field, value


def clock(at_ms: int) -> str:
    """Return a time for people, in UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
