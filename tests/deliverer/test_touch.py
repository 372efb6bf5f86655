"""What keeps an item from being tried: a paused pool, and what TransportRoutes want by now."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from paquebot.deliverer.touch import PAUSE_S, Conclude, Hold, Obey, Park, Sight, Wait, touch
from paquebot.mail.delivery import Lane
from paquebot.mail.doubt import InDoubt
from paquebot.mail.order import Action, Order, only
from paquebot.mail.outcome import Kind
from paquebot.mail.reference import reference_of
from paquebot.mail.reply import Reply
from paquebot.mail.steering import ASIDE_MS
from paquebot.policy.route import HOLD_LOOK_MS, Match, Reject, Routes, ToPool, TransportRoute
from paquebot.policy.route import Hold as HoldAction
from paquebot.policy.values import MailDomain, SendingPool
from paquebot.policy.window import Window
from queue_making import delivery

POOL = SendingPool("mail", "main", "out.example")
ITEM = delivery(expires_ms=1_000_000)
NO = Reject(Reply(550, "5.7.1", "not here"))
HOLD = HoldAction("incident 42", 7200)


def sight(*routes: TransportRoute, **changes: object) -> Sight:
    return replace(Sight(ITEM, POOL, 5000, Routes.of(routes)), **changes)  # type: ignore[arg-type]


def route(action: object, **match: tuple[str, ...]) -> TransportRoute:
    return TransportRoute("mail-system", "one", Match(**match), action)  # type: ignore[arg-type]


def test_nothing_keeps_mail_that_nobody_speaks_of() -> None:
    assert touch(sight()) is None
    assert touch(sight(route(NO, recipient_domains=("other.example",)))) is None


def test_a_paused_pool_is_looked_at_again() -> None:
    step = touch(sight(route(NO), pool=replace(POOL, paused=True)))
    assert step == Wait(PAUSE_S, "the pool mail_main is paused")


def test_what_is_to_be_refused_fails_from_its_time_on_with_a_reference_and_no_reason() -> None:
    unwanted = replace(ITEM, id="0193665f-1234-7abc-8def-0123456789ab", refuse_ms=5000)
    step = touch(sight(delivery=unwanted))
    assert isinstance(step, Conclude)
    assert (step.outcome.kind, step.outcome.reply) == (Kind.FAILED, Reply(550, "5.7.1", step.outcome.reason))
    assert step.outcome.reason.endswith(f"reference {reference_of(unwanted.id)}")
    assert touch(sight(delivery=unwanted, now_ms=4999)) is None


def order(action: Action) -> Order:
    words = {
        "author": "ann",
        "reason": "incident 42",
        "given_ms": ITEM.accepted_ms,
        "ends_ms": ITEM.accepted_ms + 60_000,
    }
    return Order(id="o1", action=action, selector=only("tenant", "shop"), pool="mail_other", **words)


def test_what_a_person_ordered_comes_before_a_suspension_and_that_before_a_pause() -> None:
    cancel, suspend, now_ms = order(Action.CANCEL), order(Action.SUSPEND), ITEM.accepted_ms + 1
    paused = replace(POOL, paused=True)
    assert touch(sight(pool=paused, orders=(suspend, cancel), now_ms=now_ms)) == Obey(cancel)
    item = replace(ITEM, expires_ms=now_ms + 5)
    assert touch(sight(delivery=item, pool=paused, orders=(suspend,), now_ms=now_ms)) == Park(suspend)


@pytest.mark.parametrize("pool", [{"moving_to": "mail_other"}, {"moving_from": "mail_other"}])
def test_what_two_pools_may_hold_is_left_alone_whatever_is_ordered(pool: dict[str, str]) -> None:
    item = replace(ITEM, reason="in doubt; being moved", **pool)
    now_ms = ITEM.accepted_ms + 1
    assert touch(sight(delivery=item, orders=(order(Action.CANCEL),), now_ms=now_ms)) == Wait(
        ASIDE_MS / 1000, "being moved"
    )


def test_what_is_in_doubt_is_held_where_the_pool_wants_that_until_a_person_decides_or_it_expires() -> None:
    pool, item = replace(POOL, in_doubt=InDoubt.HOLD), replace(ITEM, reason="in doubt: mx did not answer")
    assert touch(sight(pool=replace(pool, paused=True), delivery=item)) == Hold(
        replace(item, held=True, next_ms=item.expires_ms)
    )
    assert touch(sight(delivery=item)) is None
    assert touch(sight(pool=pool, delivery=replace(item, reason="in doubt; released by ann"))) is None
    assert touch(sight(pool=pool, delivery=item, now_ms=item.expires_ms)) is None


def test_a_route_refuses_what_waits_already() -> None:
    step = touch(sight(route(NO)))
    assert isinstance(step, Conclude)
    assert (step.outcome.kind, step.outcome.reply) == (Kind.FAILED, NO.reply)
    assert step.outcome.reason == "refused by TransportRoute mail-system/one: 550 5.7.1 not here"


def test_another_pool_is_not_chosen_for_what_waits_already() -> None:
    assert touch(sight(route(ToPool("mail_bulk")))) is None


@pytest.mark.parametrize(
    ("hosts", "kept"), [(None, False), (("mx.big.example",), True), (("mx.small.example",), False)]
)
def test_hosts_count_once_they_are_known(hosts: tuple[str, ...] | None, kept: bool) -> None:
    assert (touch(sight(route(NO, mx_suffixes=("big.example",)), hosts=hosts)) is not None) is kept


def test_a_route_holds_with_its_reason_and_looks_again() -> None:
    step = touch(sight(route(HOLD)))
    assert isinstance(step, Hold)
    held = step.delivery
    assert (held.held, held.reason) == (True, "held by TransportRoute mail-system/one: incident 42")
    assert (held.hold_until_ms, held.next_ms) == (5000 + 7_200_000, 5000 + HOLD_LOOK_MS)
    assert held.expires_ms == ITEM.expires_ms + 7_200_000  # waiting for us does not count


def test_a_hold_ends_at_the_time_that_it_began_with() -> None:
    begun = replace(ITEM, held=True, hold_until_ms=6000)
    step = touch(sight(route(HOLD), delivery=begun))
    assert isinstance(step, Hold)
    assert (step.delivery.next_ms, step.delivery.expires_ms) == (6000, ITEM.expires_ms)
    assert touch(sight(route(HOLD), delivery=begun, now_ms=6000)) is None


NOON = Window(12 * 60, 13 * 60, ZoneInfo("UTC"))
SHOP = MailDomain("shop", "main", "shop.example", "mail_main", windows=(NOON,))
MORNING_MS = 1_795_680_000_000  # 2026-11-26 08:00 UTC
OUTSIDE = "outside the delivery windows of MailDomain shop/main: next is Thu 2026-11-26 12:00 UTC"


def morning(**changes: object) -> Sight:
    item = replace(ITEM, expires_ms=MORNING_MS + 86_400_000, **changes)  # type: ignore[arg-type]
    return sight(delivery=item, now_ms=MORNING_MS, sender=SHOP)


def test_outside_its_window_mail_waits_until_it_opens_and_says_so() -> None:
    assert touch(morning()) == Wait(4 * 3600, OUTSIDE)


def test_inside_a_window_and_in_the_urgent_lane_mail_goes() -> None:
    assert touch(replace(morning(), now_ms=MORNING_MS + 4 * 3_600_000)) is None
    assert touch(morning(lane=Lane.URGENT)) is None
    assert touch(replace(morning(), sender=replace(SHOP, windows=()))) is None


def test_mail_that_expires_before_its_window_opens_says_so_and_fails_when_it_does() -> None:
    late = replace(morning(), delivery=replace(ITEM, expires_ms=MORNING_MS + 60_000))
    told = f"{OUTSIDE}, after it expires: widen deliveryWindows, or give it a longer expiry"
    assert touch(late) == Wait(60, told)
    step = touch(replace(late, now_ms=MORNING_MS + 60_000))
    assert isinstance(step, Conclude)
    assert (step.outcome.kind, step.outcome.reason) == (Kind.DEFERRED, told)  # beyond its expiry: settling fails it
