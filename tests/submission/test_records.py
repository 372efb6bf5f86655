"""What the event stream hears at the door: verdicts once a message, none of our own reports."""

from paquebot.mail.delivery import Plan
from paquebot.mail.record import Kind
from paquebot.mail.verdict import Action, Verdict
from paquebot.submission.records import accepted_records
from queue_making import delivery

VERDICT = Verdict(Action.HOLD, 0.9, model="abc")


def test_the_verdict_stands_in_the_first_record_alone() -> None:
    plan = Plan((delivery(n=1, held=True, next_ms=9), delivery(n=2, held=True, next_ms=9)))
    records = accepted_records(plan, 5, "", VERDICT)
    assert [(each.kind, each.n, each.verdict) for each in records] == [
        (Kind.ACCEPTED, 1, VERDICT), (Kind.HELD, 1, None), (Kind.ACCEPTED, 2, None), (Kind.HELD, 2, None),
    ]  # fmt: skip


def test_a_report_of_ours_has_no_verdict() -> None:
    (record,) = accepted_records(Plan((delivery(),)), 5, "id.1", Verdict(Action.ACCEPT))
    assert (record.report_of, record.verdict) == ("id.1", None)
