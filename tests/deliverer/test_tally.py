"""Counts, pace and last words of a site."""

import pytest

from paquebot.deliverer.tally import Tally
from paquebot.mail.outcome import DELIVERED, Kind, Outcome, Scope
from paquebot.mail.reply import Reply
from paquebot.wire.deliverer import Counts, Said

SLOW = Outcome(Kind.DEFERRED, Scope.SITE, "MAIL was answered with 421 4.7.0 Slow", Reply(421, "4.7.0", "Slow"))
DEAD = Outcome(Kind.DEFERRED, Scope.HOST, "connecting failed: refused")


def test_the_pace_is_that_of_the_last_ten_whole_seconds() -> None:
    tally = Tally()
    for tenth in range(300):  # half a minute of ten a second
        tally.begin(tenth / 10)
    assert tally.pace(30.0) == 10.0
    assert tally.pace(35.0) == 5.0
    assert tally.pace(60.0) == 0.0


def test_a_second_under_way_does_not_count_yet() -> None:
    tally = Tally()
    tally.begin(5.1)
    assert tally.pace(5.9) == 0.0
    assert tally.pace(6.0) == pytest.approx(0.1)


def test_the_last_of_each_kind_is_kept_whatever_else_happens() -> None:
    tally = Tally()
    tally.end(1.0, DEAD, "")
    tally.end(2.0, SLOW, "mx.b.example [192.0.2.1]")
    for second in range(3, 100):
        tally.end(float(second), DELIVERED, "mx.b.example [192.0.2.1]")
    assert tally.totals() == Counts(97, 2, 0)
    assert tally.said(100.0, 1_000_000) == (
        Said("delivered", 999_000, "mx.b.example [192.0.2.1]", ""),
        Said("deferred", 902_000, "mx.b.example [192.0.2.1]", "421 4.7.0 Slow"),
    )
