"""A trace tells what happened to a message, who wanted it, and what became of the reports about it."""

import pytest

from paquebot.cli.trace import of_delivery, row
from paquebot.mail.record import Kind, Record
from paquebot.mail.reply import Reply
from paquebot.mail.verdict import Action, Reason, Verdict


def record(kind: Kind, ident: str = "m", n: int = 1, **more: object) -> Record:
    return Record(kind, 0, ident, n, "shop", ("ann@b.example",), **more)  # type: ignore[arg-type]


def test_the_last_column_says_the_reply_who_wanted_it_and_which_report_tells_it() -> None:
    refused = record(Kind.FAILED, reply=Reply(550, "5.1.1", "No such user"), report="r")
    assert row(refused, "m")[-1] == "550 5.1.1 No such user; its sender is told by r"
    assert row(record(Kind.CANCELLED, author="ann", reason="a mistake"), "m")[-1] == "a mistake; by ann"
    assert row(record(Kind.ACCEPTED), "m")[-1] == ""


LINK = Reason("link", 2.0, "A link deceives.")


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        (Verdict(Action.ACCEPT, 0.1, (LINK,)), ""),
        (Verdict(Action.TAG, 0.6, (LINK,), model="abc"), "verdict tag, probability 0.60 by model abc: A link deceives"),
        (Verdict(Action.HOLD, 0.9, (LINK,)), "verdict hold, probability 0.90"),
        (
            Verdict(Action.ACCEPT, 0.9, shadow_action=Action.HOLD),
            "would be hold, probability 0.90: nothing alone decided",
        ),
    ],
)
def test_what_the_filter_did_not_plainly_let_through_is_told_with_its_reasons(verdict: Verdict, told: str) -> None:
    assert row(record(Kind.ACCEPTED, verdict=verdict), "m")[-1] == told


def test_what_happens_to_a_report_is_shown_as_such() -> None:
    assert row(record(Kind.ACCEPTED, "r", report_of="m.1"), "m")[1] == "report accepted"
    assert row(record(Kind.DELIVERED, "r"), "m")[1] == "report delivered"
    assert row(record(Kind.DELIVERED), "m")[1] == "delivered"


def test_one_delivery_comes_with_its_own_reports_alone() -> None:
    mine = [
        record(Kind.FAILED, n=2),
        record(Kind.ACCEPTED, "r2", report_of="m.2"),
        record(Kind.DELIVERED, "r2"),
    ]
    others = [record(Kind.FAILED), record(Kind.ACCEPTED, "r1", report_of="m.1"), record(Kind.DELIVERED, "r1")]
    assert of_delivery([*others, *mine], "m", "2") == mine
