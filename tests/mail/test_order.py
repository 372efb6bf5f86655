"""Which order holds for a delivery."""

from paquebot.mail.order import Action, Order, due, only, suspended_by, target
from paquebot.mail.selector import Selector
from queue_making import delivery

DELIVERY = delivery(accepted_ms=1000)


def order(action: Action = Action.HOLD, given_ms: int = 5000, ends_ms: int = 9000, **fields: object) -> Order:
    values = {"selector": Selector(tenants=("shop",)), "author": "ann", "reason": "incident 42"} | fields
    return Order(id=f"o{given_ms}", action=action, given_ms=given_ms, ends_ms=ends_ms, **values)


def test_the_latest_word_about_a_delivery_is_carried_out() -> None:
    assert due([order(), order(Action.CANCEL, 6000)], DELIVERY, 7000) == order(Action.CANCEL, 6000)
    assert due([order(Action.CANCEL, 6000), order()], DELIVERY, 7000) == order(Action.CANCEL, 6000)


def test_a_release_ends_an_earlier_hold_of_what_is_ready() -> None:
    assert due([order(), order(Action.RELEASE, 6000)], DELIVERY, 7000) is None


def test_an_order_is_about_what_was_accepted_before_it() -> None:
    assert due([order(given_ms=1000)], DELIVERY, 7000) is not None
    assert due([order(given_ms=999)], DELIVERY, 7000) is None


def test_what_a_person_decided_later_is_not_overruled() -> None:
    assert due([order()], delivery(accepted_ms=1000, steered_ms=4999), 7000) is not None
    assert due([order()], delivery(accepted_ms=1000, steered_ms=5000), 7000) is None


def test_an_order_that_ended_or_means_others_is_nothing() -> None:
    assert due([order()], DELIVERY, 9000) is None
    assert due([order(selector=only("tenant", "news"))], DELIVERY, 7000) is None


def test_a_suspension_holds_for_later_mail_too_and_the_longest_counts() -> None:
    short, long = order(Action.SUSPEND), order(Action.SUSPEND, 500, 20_000, selector=only("domain", "b.example"))
    assert suspended_by([long, short], delivery(accepted_ms=6000), 7000) == long
    assert suspended_by([short], DELIVERY, 9000) is None
    assert suspended_by([order(), order(Action.CANCEL)], DELIVERY, 7000) is None
    assert due([short], DELIVERY, 7000) is None


def test_a_suspension_says_who_stopped_what_why_and_until_when() -> None:
    assert order(Action.SUSPEND, ends_ms=3_600_000).why == (
        "tenant shop is suspended by ann: incident 42, until 1970-01-01 01:00:00Z"
    )


def test_a_suspensions_target_is_one_field_and_value() -> None:
    assert target(only("site", "mx-1")) == ("sites", "mx-1")
