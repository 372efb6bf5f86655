"""What is done about an account that does not act like itself, as far as the policy lets it: orders and events.

Holding is in the verdict. A suspension and a cancellation are orders like those of people, and are ended like them.
"""

import asyncio
import time
from dataclasses import dataclass, field, replace
from uuid import uuid4

import structlog

from paquebot.mail.order import Action, Order, only, target
from paquebot.mail.origin import Origin
from paquebot.mail.record import Kind, Record
from paquebot.policy.takeover import TakeoverAction
from paquebot.queue.background import Background
from paquebot.queue.events import EventWriter
from paquebot.queue.jetstream import ApiError, JetStream, QueueFullError, QueueUnavailableError
from paquebot.queue.orders import TooManyOrdersError, give_order, read_orders
from paquebot.spamfilter.history.standing import Standing, Step

AUTHOR = "the spam filter"
REASON = "its mail is unlike what it sent before"
SUSPENDED_MS = 7 * 86_400_000
AFTER_MS = 86_400_000  # so much longer stands a cancellation: what waited for the suspension falls due then
BEFORE_MS = 1_000  # clocks differ
AGAIN_S = 1.0
TRIES_MAX = 300
_FURTHEST = {
    TakeoverAction.OBSERVE: None,
    TakeoverAction.HOLD: Step.HOLD,
    TakeoverAction.SUSPEND: Step.SUSPEND,
    TakeoverAction.CANCEL: Step.CANCEL,
}
LOG = structlog.get_logger()


def allowed(standing: Standing, action: TakeoverAction) -> Step | None:
    """Return the step that is taken: as far as the evidence and the policy go."""
    furthest = _FURTHEST[action]
    return None if standing.alarm is None or furthest is None else min(standing.alarm, furthest)


def orders_for(origin: Origin, since_s: float, step: Step, now_ms: int) -> tuple[Order, ...]:
    """Return the orders of a step; times are as people's are."""
    if step < Step.SUSPEND:
        return ()
    suspension = Order(
        id=uuid4().hex,
        action=Action.SUSPEND,
        selector=only("credential", origin.account),
        author=AUTHOR,
        reason=REASON,
        given_ms=now_ms,
        ends_ms=now_ms + SUSPENDED_MS,
    )
    if step < Step.CANCEL:
        return (suspension,)
    younger_ms = max(BEFORE_MS, now_ms - int(since_s * 1000) + BEFORE_MS)
    return (
        suspension,
        replace(
            suspension,
            id=f"takeover.{uuid4().hex}",
            action=Action.CANCEL,
            selector=replace(suspension.selector, younger_ms=younger_ms),
            ends_ms=suspension.ends_ms + AFTER_MS,
        ),
    )


@dataclass(slots=True, eq=False)
class Response:
    """Carries out steps in the background: a verdict does not wait for it."""

    js: JetStream
    events: EventWriter
    background: Background = field(default_factory=Background)

    def to(self, origin: Origin, standing: Standing, step: Step | None) -> None:
        """Tell of a risen alarm, and take the step that is allowed, if any."""
        now_ms = int(time.time() * 1000)
        why = "; ".join(reason.text for reason in standing.behaviour)
        self.events.note(_record(Kind.ALARMED, origin, now_ms, why))
        orders = orders_for(origin, standing.since_s, step, now_ms) if step else ()
        if orders:
            self.background.spawn(self._give(origin, orders))

    async def _give(self, origin: Origin, orders: tuple[Order, ...]) -> None:
        for _ in range(TRIES_MAX):
            try:
                await self._give_all(orders)
            except (QueueUnavailableError, QueueFullError, ApiError, TooManyOrdersError) as error:
                LOG.warning("an account cannot be suspended yet", account=origin.account, error=str(error))
                await asyncio.sleep(AGAIN_S)
                continue
            self.events.note(_record(Kind.SUSPENDED, origin, orders[0].given_ms, REASON))
            LOG.warning("a credential is suspended", account=origin.account, steps=[order.action for order in orders])
            return
        LOG.error("an account was not suspended: the queue does not answer", account=origin.account)

    async def _give_all(self, orders: tuple[Order, ...]) -> None:
        """Give the orders; a suspension that ends later stays."""
        standing = await read_orders(self.js, orders[0].given_ms)
        for order in orders:
            if order.action is Action.SUSPEND and any(
                each.action is Action.SUSPEND
                and target(each.selector) == target(order.selector)
                and each.ends_ms > order.ends_ms
                for each in standing
            ):
                continue
            await give_order(self.js, order)


def _record(kind: Kind, origin: Origin, now_ms: int, reason: str) -> Record:
    return Record(
        kind, now_ms, origin.id, 0, origin.tenant, (), credential=origin.credential, author=AUTHOR, reason=reason
    )
