"""What keeps an item from being tried right now: an ordered list of rules, the first that speaks decides. Pure.

Asked when an item comes in, and again when its turn has come: policies and orders change in between.
A rule says what to do in a value and why in a sentence, which is what people are told when they ask.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from paquebot.mail.delivery import Delivery
from paquebot.mail.doubt import InDoubt, held_in_doubt, is_undecided
from paquebot.mail.order import Order, due, suspended_by
from paquebot.mail.outcome import IN_DOUBT, Kind, Outcome, Scope, of_conclusion
from paquebot.mail.reference import unwanted
from paquebot.mail.steering import ASIDE_MS
from paquebot.policy.route import HOLD_LOOK_MS, Decision, Reject, Routes, passage_of
from paquebot.policy.values import MailDomain, SendingPool
from paquebot.policy.window import next_opening

MOVED = "its domain's mail goes to other hosts now"  # ends the reason of what was put under another site
RESLOTTED = "the slots of its site were changed"  # ends the reason of what was put into another slot
PAUSE_S = 60.0  # between two looks at whether a pool is still paused


@dataclass(frozen=True, slots=True)
class Sight:
    """All that rules look at."""

    delivery: Delivery
    pool: SendingPool
    now_ms: int
    routes: Routes = field(default_factory=Routes)
    hosts: tuple[str, ...] | None = None  # of the recipients' domain; None: not looked up lately
    orders: tuple[Order, ...] = ()
    sender: MailDomain | None = None  # of the reverse-path
    suppressed: Mapping[str, Outcome] = field(default_factory=dict)  # recipients that a list keeps mail from


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again after so many seconds."""

    wait_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class Conclude:
    """Settle it untried: this is the outcome for every recipient."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Hold:
    """Let it wait as it is here: held, with the reason and the next look."""

    delivery: Delivery


@dataclass(frozen=True, slots=True)
class Reroute:
    """Let it go by this route's smarthost from now on; "": by its domain's MX hosts."""

    route: str


@dataclass(frozen=True, slots=True)
class Obey:
    """Carry a person's order out instead."""

    order: Order


@dataclass(frozen=True, slots=True)
class Park:
    """Let it wait in the queue until a suspension ends."""

    order: Order


Step = Wait | Conclude | Hold | Reroute | Obey | Park
Rule = Callable[[Sight], Step | None]


def touch(sight: Sight) -> Step | None:
    """Return what to do instead of trying the delivery; None: try it."""
    for rule in RULES:
        step = rule(sight)
        if step is not None:
            return step
    return None


def _moving(sight: Sight) -> Step | None:
    """Leave alone what two pools may hold; whoever moves it ends that, and until then its reason says how."""
    if not sight.delivery.is_moving:
        return None
    return Wait(ASIDE_MS / 1000, sight.delivery.reason.removeprefix(f"{IN_DOUBT}; "))  # who defers says it again


def _ordered(sight: Sight) -> Step | None:
    order = due(sight.orders, sight.delivery, sight.now_ms)
    return None if order is None else Obey(order)


def _refused(sight: Sight) -> Step | None:
    """Refuse what is unwanted by a person's word, or because nobody has spoken for it in time; its sender is told."""
    if not 0 < sight.delivery.refuse_ms <= sight.now_ms:
        return None
    return Conclude(of_conclusion(Kind.FAILED, 550, "5.7.1", unwanted(sight.delivery.id)))


def _in_doubt(sight: Sight) -> Step | None:
    """Hold what may have arrived already, where the pool wants that, until somebody decides or it expires."""
    delivery = sight.delivery
    if sight.pool.in_doubt is InDoubt.RETRY or not is_undecided(delivery) or sight.now_ms >= delivery.expires_ms:
        return None
    return Hold(held_in_doubt(delivery))


def _suspended(sight: Sight) -> Step | None:
    """Keep what is suspended, but not beyond its time: whoever sent it is told why it was not delivered."""
    order = suspended_by(sight.orders, sight.delivery, sight.now_ms)
    if order is None:
        return None
    if sight.now_ms >= sight.delivery.expires_ms:
        return Conclude(of_conclusion(Kind.DEFERRED, 451, "4.4.7", order.why))
    return Park(order)


def _paused(sight: Sight) -> Step | None:
    if not sight.pool.paused:
        return None
    return Wait(PAUSE_S, f"the pool {sight.pool.token} is paused")


def _outside_windows(sight: Sight) -> Step | None:
    """Keep mail until its sender's window opens, and say so when that is too late for it."""
    if sight.sender is None or not sight.sender.windows:
        return None
    opening = next_opening(sight.sender.windows, sight.delivery.lane, sight.now_ms)
    if opening is None:
        return None
    domain, expires_ms = sight.sender, sight.delivery.expires_ms
    reason = f"outside the delivery windows of MailDomain {domain.namespace}/{domain.name}: next is {opening.told}"
    if opening.at_ms >= expires_ms:
        reason += ", after it expires: widen deliveryWindows, or give it a longer expiry"
    if sight.now_ms >= expires_ms:
        return Conclude(of_conclusion(Kind.DEFERRED, 451, "4.4.7", reason))
    return Wait((min(opening.at_ms, expires_ms) - sight.now_ms) / 1000, reason)


def _suppressed(sight: Sight) -> Step | None:
    """Try nothing that a SuppressionList keeps from every recipient; where some are left, only they are tried."""
    if not sight.suppressed or len(sight.suppressed) < len(sight.delivery.recipients):
        return None
    return Conclude(next(iter(sight.suppressed.values())))


def _routed(sight: Sight) -> Step | None:
    """Do what TransportRoutes want today; another pool is only chosen when a message is planned."""
    delivery = sight.delivery
    if not sight.routes.ordered:
        return _rerouted(delivery, "")
    decision = sight.routes.decide(passage_of(delivery, sight.hosts), sight.now_ms)
    if decision.hold is not None:
        return Hold(_held(delivery, decision, sight.now_ms))
    action = decision.route.action if decision.route else None
    if decision.route is not None and isinstance(action, Reject):
        reason = f"refused by TransportRoute {decision.route.place}: {action.reply}"
        return Conclude(Outcome(Kind.FAILED, Scope.MESSAGE, reason, action.reply))
    return _rerouted(delivery, decision.smarthost_route)


def _rerouted(delivery: Delivery, route: str) -> Reroute | None:
    return None if route == delivery.route else Reroute(route)


def _held(delivery: Delivery, decision: Decision, now_ms: int) -> Delivery:
    """Return a delivery that a route holds; the time it is held does not count against its expiry."""
    longer_ms = 0 if delivery.hold_until_ms else decision.until_ms - now_ms
    return replace(
        delivery,
        held=True,
        hold_until_ms=decision.until_ms,
        expires_ms=delivery.expires_ms + longer_ms,
        next_ms=min(decision.until_ms, now_ms + HOLD_LOOK_MS),
        reason=decision.hold_reason,
    )


RULES: tuple[Rule, ...] = (
    _moving,
    _ordered,
    _refused,
    _in_doubt,
    _suspended,
    _paused,
    _suppressed,
    _outside_windows,
    _routed,
)
