"""What becomes of a delivery after an attempt."""

from dataclasses import replace
from email import message_from_bytes

from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.delivery import Delivery, Lane
from paquebot.mail.ident import report_id
from paquebot.mail.outcome import Kind, Outcome, Stage, of_reply
from paquebot.mail.record import Kind as RecordKind
from paquebot.mail.reply import Reply
from paquebot.mail.retry import Retry
from paquebot.mail.settle import Attempt, put_off, settle

DAY_MS = 86_400_000
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
    header = b"Message-ID: <1@shop.example>\r\n"
    return Attempt(of, outcomes, now_ms, Retry(), 0.5, "mail.example", header, "mx.b.example [192.0.2.1]", "TLSv1.3", 7)


def test_a_delivered_message_leaves_a_record_and_nothing_else() -> None:
    settlement = settle(attempt({"x@b.example": OK}))
    assert settlement.again is None
    assert settlement.report is None
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
    assert settlement.report is not None
    assert settlement.report.recipient == "a@shop.example"
    assert settlement.report.id == report_id(IDENT, 1, 1)
    report = message_from_bytes(settlement.report.content)
    assert [part["Final-Recipient"] for part in report.walk() if part["Final-Recipient"]] == ["rfc822; y@b.example"]


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
    assert settlement.report is not None
    assert b"4.4.7" in settlement.report.content


def test_the_last_try_lies_at_the_expiry_not_beyond() -> None:
    settlement = settle(attempt({"x@b.example": FULL}, now_ms=5 * DAY_MS - 10_000))
    assert settlement.again is not None
    assert settlement.again.next_ms == 5 * DAY_MS


def test_nobody_is_told_about_a_null_reverse_path() -> None:
    settlement = settle(attempt({"x@b.example": NO_USER}, reverse_path=""))
    assert settlement.report is None
    assert settlement.records[0].kind is RecordKind.FAILED


def test_while_no_report_can_be_submitted_the_failed_wait_and_the_delivered_do_not() -> None:
    of = attempt({"x@b.example": OK, "y@b.example": NO_USER, "z@b.example": FULL})
    settlement = put_off(of)
    assert settlement.report is None
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
    first, later = settle(of).report, settle(replace(of, delivery=settlement.again)).report
    assert first is not None
    assert later is not None
    assert first.id == later.id


def test_however_often_a_report_is_put_off_the_reason_stays_the_last_host_s() -> None:
    of = attempt({"x@b.example": FULL}, now_ms=5 * DAY_MS)
    for _ in range(3):
        again = put_off(of).again
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
    assert first.report == again.report


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
