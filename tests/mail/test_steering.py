"""What an order does with a delivery."""

from dataclasses import replace

import pytest

from paquebot.mail.order import Action, Order
from paquebot.mail.record import Kind
from paquebot.mail.reply import Reply
from paquebot.mail.selector import Selector
from paquebot.mail.steering import GRACE_MS, SPREAD_MS, carry_out, parked
from queue_making import delivery

NOW_MS = 10_000_000
DAY_MS = 86_400_000
TRIED = delivery(
    accepted_ms=0,
    expires_ms=5 * DAY_MS,
    attempts=7,
    next_ms=2 * DAY_MS,
    reason="mailbox full",
    last_reply=Reply(452, "4.2.2", "Full"),
    last_host="mx.b.example",
    crashes=1,
    order="o1",
)


def order(action: Action, **fields: object) -> Order:
    values = {"id": "o2", "selector": Selector(), "author": "ann", "reason": "incident 42", "ends_ms": 2 * DAY_MS}
    return Order(action=action, given_ms=NOW_MS - 5, **(values | fields))


def test_what_is_held_waits_until_the_holds_end_and_says_for_whom() -> None:
    settlement = carry_out(order(Action.HOLD, hold_ms=3 * DAY_MS), TRIED, NOW_MS)
    again = settlement.again
    assert again is not None
    assert (again.held, again.next_ms, again.reason) == (True, 3 * DAY_MS, "held by ann: incident 42")
    assert (again.steered_ms, again.order, again.attempts) == (NOW_MS - 5, "", 7)
    (record,) = settlement.records
    assert (record.kind, record.author, record.reason) == (Kind.HELD, "ann", "incident 42")
    assert (record.next_ms, record.attempt, record.recipients) == (3 * DAY_MS, 7, TRIED.recipients)


def test_what_is_released_is_tried_once_however_old_it_is() -> None:
    old = delivery(accepted_ms=0, expires_ms=NOW_MS - 1, attempts=3, held=True)
    again = carry_out(order(Action.RELEASE, reason=""), old, NOW_MS).again
    assert again is not None
    assert (again.held, again.next_ms, again.expires_ms) == (False, NOW_MS, NOW_MS + GRACE_MS)
    assert again.hold_until_ms == NOW_MS  # no route holds it again
    assert again.reason == "released by ann"


def test_what_is_refused_comes_up_at_once_to_be_refused_and_its_record_says_by_whom() -> None:
    settlement = carry_out(order(Action.REFUSE), replace(TRIED, held=True, refuse_ms=2 * DAY_MS), NOW_MS)
    again = settlement.again
    assert again is not None
    assert (again.held, again.next_ms, again.refuse_ms) == (False, NOW_MS, NOW_MS)
    assert again.reason == "refused by ann: incident 42"
    assert (settlement.records[0].kind, settlement.records[0].author) == (Kind.REFUSED, "ann")


@pytest.mark.parametrize("action", [Action.RELEASE, Action.RETRY, Action.REQUEUE])
def test_whoever_lets_mail_go_takes_its_refusal_back(action: Action) -> None:
    again = carry_out(order(action), replace(TRIED, held=True, refuse_ms=2 * DAY_MS), NOW_MS).again
    assert again is not None
    assert again.refuse_ms == 0


@pytest.mark.parametrize(("before", "after"), [(0, 0), (2 * DAY_MS, 3 * DAY_MS)])
def test_a_longer_hold_ends_as_the_first_would_have(before: int, after: int) -> None:
    again = carry_out(order(Action.HOLD, hold_ms=3 * DAY_MS), replace(TRIED, refuse_ms=before), NOW_MS).again
    assert again is not None
    assert again.refuse_ms == after


def test_what_is_retried_is_ready_at_once() -> None:
    settlement = carry_out(order(Action.RETRY), TRIED, NOW_MS)
    assert settlement.again is not None
    assert (settlement.again.next_ms, settlement.again.attempts, settlement.again.expires_ms) == (0, 7, 5 * DAY_MS)
    assert settlement.records[0].kind is Kind.RETRIED


def test_what_is_cancelled_leaves_a_record_alone() -> None:
    settlement = carry_out(order(Action.CANCEL), TRIED, NOW_MS)
    assert (settlement.again, settlement.reports) == (None, ())
    assert [record.kind for record in settlement.records] == [Kind.CANCELLED]


def test_what_is_requeued_has_forgotten_its_attempts_but_not_its_expiry() -> None:
    again = carry_out(order(Action.REQUEUE), TRIED, NOW_MS).again
    assert again is not None
    assert (again.attempts, again.crashes, again.last_reply, again.last_host) == (0, 0, None, "")
    assert (again.next_ms, again.expires_ms, again.accepted_ms) == (0, 5 * DAY_MS, 0)


def test_a_fresh_expiry_gives_the_whole_lifetime_again() -> None:
    again = carry_out(order(Action.REQUEUE, fresh_expiry=True), TRIED, NOW_MS).again
    assert again is not None
    assert again.expires_ms == NOW_MS + 5 * DAY_MS


@pytest.mark.parametrize("action", [Action.HOLD, Action.RETRY])
def test_what_is_in_doubt_stays_so(action: Action) -> None:
    doubtful = delivery(reason="in doubt: mx did not answer")
    again = carry_out(order(action), doubtful, NOW_MS).again
    assert again is not None
    assert again.reason.startswith("in doubt; ")


def test_what_is_suspended_waits_for_the_end_or_its_own_expiry() -> None:
    suspension = order(Action.SUSPEND)
    late, early = parked(suspension, TRIED, 0.5), parked(suspension, delivery(expires_ms=NOW_MS), 0)
    assert (late.next_ms, late.order) == (2 * DAY_MS + SPREAD_MS // 2, "o2")
    assert late.reason.startswith("everything is suspended by ann: incident 42, until ")
    assert (late.attempts, late.held) == (7, False)
    assert early.next_ms == NOW_MS
