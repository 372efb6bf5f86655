"""What becomes of a delivery after an attempt."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.delivery import Delivery, Lane
from paquebot.mail.envelope import Wish
from paquebot.mail.ident import report_id
from paquebot.mail.outcome import Kind, Outcome, Stage, of_reply
from paquebot.mail.record import Kind as RecordKind
from paquebot.mail.reply import Reply
from paquebot.mail.report import Action
from paquebot.mail.retry import Retry
from paquebot.mail.settle import Attempt, late, settle
from paquebot.mail.settlement import Settlement

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
UNSENT = frozenset({Action.FAILED})
IDENT = "01985ad6-0000-7000-8000-000000000000"
OK = of_reply(Stage.FINAL, Reply(250, "2.0.0", "Ok"))
NO_USER = of_reply(Stage.RCPT, Reply(550, "5.1.1", "No such user"))
FULL = of_reply(Stage.RCPT, Reply(452, "4.2.2", "Full"))


def delivery(*recipients: str, reverse_path: str = "a@shop.example") -> Delivery:
    return Delivery(
        IDENT,
        1,
        "shop",
        "orders",
        reverse_path,
        reverse_path,
        recipients,
        "b.example",
        "b.example",
        "other",
        "mail_main",
        Lane.NORMAL,
        3,
        b"Received: x\r\n",
        99,
        False,
        0,
        5 * DAY_MS,
    )


def attempt(outcomes: dict[str, Outcome], now_ms: int = 1000, **changes: object) -> Attempt:
    of = replace(delivery(*outcomes), **changes) if changes else delivery(*outcomes)
    return Attempt(of, outcomes, now_ms, Retry(), 0.5, "mail.example", "mx.b.example [192.0.2.1]", "TLSv1.3", 7)


def told(settlement: Settlement) -> dict[Action, tuple[str, ...]]:
    return {each.action: tuple(one.recipient for one in each.told) for each in settlement.reports}


def test_a_delivered_message_leaves_a_record_and_nothing_else() -> None:
    settlement = settle(attempt({"x@b.example": OK}))
    assert settlement.again is None
    assert settlement.reports == ()
    record = settlement.records[0]
    assert (record.kind, record.attempt, record.host, record.tls) == (
        RecordKind.DELIVERED,
        1,
        "mx.b.example [192.0.2.1]",
        "TLSv1.3",
    )


def test_each_recipient_has_its_own_fate() -> None:
    settlement = settle(attempt({"x@b.example": OK, "y@b.example": NO_USER, "z@b.example": FULL}))
    assert settlement.again is not None
    assert settlement.again.name == f"{IDENT}.1"
    assert settlement.again.recipients == ("z@b.example",)
    assert settlement.again.attempts == 1
    assert settlement.again.next_ms == 61_000
    assert settlement.again.reason == "RCPT was answered with 452 4.2.2 Full"
    assert {record.kind: record.recipients for record in settlement.records} == {
        RecordKind.DELIVERED: ("x@b.example",),
        RecordKind.FAILED: ("y@b.example",),
        RecordKind.DEFERRED: ("z@b.example",),
    }
    assert told(settlement) == {Action.FAILED: ("y@b.example",)}
    (report,) = settlement.reports
    assert report.id == report_id(IDENT, 1, "1.failed.y@b.example")
    assert (report.reporting_mta, report.told[0].host) == ("mail.example", "mx.b.example")
    assert {record.kind: record.report for record in settlement.records} == {
        RecordKind.DELIVERED: "",
        RecordKind.FAILED: report.id,
        RecordKind.DEFERRED: "",
    }


def test_those_who_met_the_same_share_a_record() -> None:
    settlement = settle(attempt({"x@b.example": OK, "y@b.example": OK}))
    assert [record.recipients for record in settlement.records] == [("x@b.example", "y@b.example")]


def test_what_waited_too_long_has_failed_with_its_last_reason() -> None:
    settlement = settle(attempt({"x@b.example": FULL}, now_ms=5 * DAY_MS))
    assert settlement.again is None
    assert settlement.records[0].kind is RecordKind.FAILED
    assert settlement.records[0].reason == (
        "not delivered within 5.0 days; at last RCPT was answered with 452 4.2.2 Full"
    )
    (one,) = settlement.reports[0].told
    assert (one.reply, one.host) == (Reply(451, "4.4.7", "It could not be delivered in time"), "")


def test_the_last_try_lies_at_the_expiry_not_beyond() -> None:
    settlement = settle(attempt({"x@b.example": FULL}, now_ms=5 * DAY_MS - 10_000))
    assert settlement.again is not None
    assert settlement.again.next_ms == 5 * DAY_MS


def test_nobody_is_told_about_a_null_reverse_path() -> None:
    settlement = settle(attempt({"x@b.example": NO_USER}, reverse_path=""))
    assert settlement.reports == ()
    assert settlement.records[0].kind is RecordKind.FAILED


def test_while_no_report_can_be_submitted_the_failed_wait_and_the_delivered_do_not() -> None:
    of = attempt({"x@b.example": OK, "y@b.example": NO_USER, "z@b.example": FULL})
    settlement = settle(of, UNSENT)
    assert settlement.reports == ()
    assert settlement.again is not None
    assert settlement.again.recipients == ("y@b.example", "z@b.example")
    assert settlement.again.reason == (
        "the report about it cannot be submitted yet; RCPT was answered with 550 5.1.1 No such user"
    )
    assert [(record.kind, record.recipients) for record in settlement.records] == [
        (RecordKind.DELIVERED, ("x@b.example",)),
        (RecordKind.DEFERRED, ("y@b.example",)),
        (RecordKind.DEFERRED, ("z@b.example",)),
    ]
    first, later = settle(of).reports, settle(replace(of, delivery=settlement.again)).reports
    assert [report.id for report in first] == [report.id for report in later]


def test_however_often_a_report_is_put_off_the_reason_stays_the_last_host_s() -> None:
    of = attempt({"x@b.example": FULL}, now_ms=5 * DAY_MS)
    for _ in range(3):
        again = settle(of, UNSENT).again
        assert again is not None
        of = replace(of, delivery=again, outcomes={"x@b.example": replace(FULL, reason=again.reason)})
    assert again.reason == "the report about it cannot be submitted yet; RCPT was answered with 452 4.2.2 Full"
    assert settle(of).records[0].reason == (
        "not delivered within 5.0 days; at last RCPT was answered with 452 4.2.2 Full"
    )


def test_an_attempt_that_ends_in_outcomes_ends_a_row_of_crashes() -> None:
    settlement = settle(attempt({"x@b.example": FULL}, crashes=2))
    assert settlement.again is not None
    assert settlement.again.crashes == 0


def test_a_repeat_of_the_same_attempt_makes_the_same_report() -> None:
    first, again = settle(attempt({"x@b.example": NO_USER})), settle(attempt({"x@b.example": NO_USER}))
    assert first.reports == again.reports


def test_a_report_that_tells_of_others_is_no_repeat() -> None:
    of = attempt({"x@b.example": NO_USER, "y@b.example": FULL})
    (first,) = settle(of).reports
    (repeated,) = settle(replace(of, outcomes=dict.fromkeys(of.outcomes, NO_USER))).reports
    assert first.id != repeated.id


def test_a_recipient_in_doubt_is_the_reason_why_the_others_wait_too() -> None:
    doubt = replace(FULL, reason="in doubt: mx.b.example did not answer the final dot")
    settlement = settle(attempt({"x@b.example": FULL, "y@b.example": doubt, "z@b.example": FULL}))
    assert settlement.again is not None
    assert settlement.again.reason == doubt.reason


@pytest.mark.parametrize(
    ("notify", "expected"),
    [
        ((), {Action.FAILED, Action.DELAYED}),  # RFC 3461 §4.1
        (("NEVER",), set()),
        (("FAILURE",), {Action.FAILED}),
        (("DELAY",), {Action.DELAYED}),
        (("SUCCESS",), {Action.RELAYED}),
        (("SUCCESS", "FAILURE", "DELAY"), set(Action)),
    ],
)
def test_the_sender_is_told_what_was_wished_for(notify: tuple[str, ...], expected: set[Action]) -> None:
    outcomes = {"x@b.example": OK, "y@b.example": NO_USER, "z@b.example": FULL}
    settlement = settle(attempt(outcomes, 4 * HOUR_MS, wishes=dict.fromkeys(outcomes, Wish(notify))))
    by_action = {Action.RELAYED: "x@b.example", Action.FAILED: "y@b.example", Action.DELAYED: "z@b.example"}
    assert told(settlement) == {action: (by_action[action],) for action in expected}
    assert len({report.id for report in settlement.reports}) == len(expected)
    kinds = {
        Action.RELAYED: RecordKind.DELIVERED,
        Action.FAILED: RecordKind.FAILED,
        Action.DELAYED: RecordKind.DEFERRED,
    }
    assert {record.kind: record.report for record in settlement.records if record.report} == {
        kinds[report.action]: report.id for report in settlement.reports
    }


def test_each_recipient_has_its_own_wishes() -> None:
    outcomes = {"x@b.example": NO_USER, "y@b.example": NO_USER}
    settlement = settle(attempt(outcomes, wishes={"x@b.example": Wish(("NEVER",))}))
    assert told(settlement) == {Action.FAILED: ("y@b.example",)}
    assert [(record.recipients, bool(record.report)) for record in settlement.records] == [
        (("x@b.example",), False),
        (("y@b.example",), True),
    ]


def test_success_is_not_reported_where_the_next_host_has_taken_over_that_duty() -> None:
    of = attempt({"x@b.example": OK, "y@b.example": NO_USER}, wishes={"x@b.example": Wish(("SUCCESS",))})
    assert told(settle(replace(of, dsn_passed=True))) == {Action.FAILED: ("y@b.example",)}


@pytest.mark.parametrize(("now_ms", "late"), [(4 * HOUR_MS - 1, False), (4 * HOUR_MS, True)])
def test_that_it_is_late_is_told_from_the_notice_time_on_and_once(now_ms: int, late: bool) -> None:
    settlement = settle(attempt({"x@b.example": FULL}, now_ms))
    assert told(settlement) == ({Action.DELAYED: ("x@b.example",)} if late else {})
    assert settlement.again is not None
    assert settlement.again.delay_told is late
    assert told(settle(attempt({"x@b.example": FULL}, 5 * HOUR_MS, delay_told=True))) == {}


def test_a_policy_may_have_nobody_told_that_it_is_late() -> None:
    of = attempt({"x@b.example": FULL}, 4 * DAY_MS)
    assert told(settle(replace(of, retry=Retry(delay_notice_s=0)))) == {}


def test_the_report_that_it_is_late_has_one_id_whatever_the_attempt() -> None:
    ids = {
        report.id
        for attempts in (1, 2)
        for report in settle(attempt({"x@b.example": FULL}, 4 * HOUR_MS, attempts=attempts)).reports
    }
    assert len(ids) == 1


def test_what_waits_untried_is_told_to_be_late_with_the_reason_and_what_was_said_last() -> None:
    of = replace(
        delivery("x@b.example", "y@b.example"),
        wishes={"y@b.example": Wish(("FAILURE",))},
        reason="the pool is paused",
        last_reply=FULL.reply,
        last_host="mx.b.example [192.0.2.1]",
    )
    report = late(of, Retry(), 4 * HOUR_MS, "mail.example")
    assert report is not None
    (one,) = report.told
    assert (one.recipient, one.reply, one.reason, one.host) == (
        "x@b.example",
        FULL.reply,
        "the pool is paused",
        "mx.b.example",
    )
    (tried,) = settle(attempt({"x@b.example": FULL}, 4 * HOUR_MS)).reports
    assert report.id == tried.id
    assert late(of, Retry(), 4 * HOUR_MS - 1, "mail.example") is None
    assert late(replace(of, reverse_path=""), Retry(), 4 * HOUR_MS, "mail.example") is None
    assert late(replace(of, recipients=("y@b.example",)), Retry(), 4 * HOUR_MS, "mail.example") is None


def test_that_it_is_late_is_told_by_a_later_attempt_when_it_cannot_be_told_now() -> None:
    settlement = settle(attempt({"x@b.example": FULL}, 4 * HOUR_MS), frozenset({Action.DELAYED}))
    assert settlement.again is not None
    assert (settlement.again.attempts, settlement.again.delay_told) == (1, False)
    assert settlement.records[0].report == ""


def test_the_relayed_whose_sender_cannot_be_told_are_remembered_and_not_sent_again() -> None:
    of = attempt({"x@b.example": OK}, wishes={"x@b.example": Wish(("SUCCESS",))})
    again = settle(of, frozenset({Action.RELAYED})).again
    assert again is not None
    assert (again.recipients, again.relayed, again.attempts) == ((), ("x@b.example",), 0)
    assert again.next_ms == 91_000
    later = settle(replace(of, delivery=again, outcomes={}))
    assert (told(later), later.again) == ({Action.RELAYED: ("x@b.example",)}, None)
    assert [report.id for report in later.reports] == [report.id for report in settle(of).reports]


def test_a_report_that_cannot_be_submitted_does_not_keep_those_who_are_not_told() -> None:
    settlement = settle(attempt({"x@b.example": NO_USER}, wishes={"x@b.example": Wish(("NEVER",))}), UNSENT)
    assert settlement.again is None
    assert settlement.records[0].kind is RecordKind.FAILED


@given(st.lists(st.sampled_from([OK, NO_USER, FULL]), min_size=1, max_size=20), st.integers(0, 10 * DAY_MS))
def test_every_recipient_is_in_exactly_one_record_and_waits_or_not(outcomes: list[Outcome], now_ms: int) -> None:
    by_recipient = {f"r{number}@b.example": outcome for number, outcome in enumerate(outcomes)}
    settlement = settle(attempt(by_recipient, now_ms=now_ms))
    told = [recipient for record in settlement.records for recipient in record.recipients]
    assert sorted(told) == sorted(by_recipient)
    waiting = settlement.again.recipients if settlement.again else ()
    if now_ms < 5 * DAY_MS:
        assert set(waiting) == {each for each, outcome in by_recipient.items() if outcome.kind is Kind.DEFERRED}
    else:
        assert waiting == ()
