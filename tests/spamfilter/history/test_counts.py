"""Counters fade by their half-lives, each by its own."""

import pytest

from paquebot.spamfilter.history.counts import HALF_LIVES_S, Counts, Span, What, unseen

NOW = 1_000_000.0


@pytest.mark.parametrize("span", list(Span))
def test_half_is_left_after_a_half_life(span: Span) -> None:
    counts = unseen(NOW).after({What.SENT: 8.0}, NOW)
    assert counts.count(What.SENT, span, NOW) == 8
    assert counts.count(What.SENT, span, NOW + HALF_LIVES_S[span]) == pytest.approx(4)
    later = counts.after({What.HELD: 1.0}, NOW + HALF_LIVES_S[span])
    assert later.count(What.SENT, span, NOW + HALF_LIVES_S[span]) == pytest.approx(4)


def test_what_comes_late_counts_and_turns_no_clock_back() -> None:
    counts = unseen(NOW).after({What.SENT: 1.0}, NOW).after({What.COMPLAINTS: 1.0}, NOW - 60)
    assert counts.at_s == NOW
    assert counts.count(What.COMPLAINTS, Span.HOUR, NOW) == 1
    assert counts.first_s == NOW


def test_what_is_next_to_nothing_is_nothing() -> None:
    counts = Counts(0, 0).after({What.SENT: 1.0}, 0).after({What.HELD: 1.0}, 400 * HALF_LIVES_S[Span.HOUR])
    assert counts.count(What.SENT, Span.HOUR, 400 * HALF_LIVES_S[Span.HOUR]) == pytest.approx(0, abs=1e-12)
