"""Reputation: log-odds of a Beta prior, bounded, and trust that takes time."""

import pytest

from paquebot.spamfilter.history.counts import Counts, What, unseen
from paquebot.spamfilter.history.reputation import (
    BAD_MAX,
    GOOD_MAX,
    TOTAL_MAX,
    TRUST_AGE_S,
    is_trusted,
    log_odds,
    reputation,
)

NOW = 1_700_000_000.0


def counts(sent: float, complaints: float = 0, policy: float = 0, age_s: float = 0) -> Counts:
    happened = {What.SENT: sent, What.COMPLAINTS: complaints, What.POLICY_BOUNCES: policy}
    return Counts(NOW - age_s, NOW).after(happened, NOW)


def test_who_is_not_known_counts_for_nothing() -> None:
    assert log_odds(unseen(NOW), NOW) == 0
    assert reputation([("account", unseen(NOW))], NOW) == ()


def test_complaints_weigh_more_than_bounces_and_wanted_mail_against_both() -> None:
    assert log_odds(counts(20, complaints=4), NOW) > log_odds(counts(20, policy=4), NOW) > 0
    assert log_odds(counts(1000, complaints=1), NOW) < 0


def test_no_key_decides_alone() -> None:
    assert log_odds(counts(500, complaints=500), NOW) == BAD_MAX
    assert log_odds(counts(1e6), NOW) == -GOOD_MAX
    all_bad = [(kind, counts(99, complaints=99)) for kind in ("account", "domain", "network", "link", "template")]
    assert sum(each.weight for each in reputation(all_bad, NOW)) == pytest.approx(TOTAL_MAX)


def test_reasons_are_sentences_with_figures() -> None:
    (bad,) = reputation([("link", counts(50, complaints=10))], NOW)
    assert (bad.rule, bad.text) == ("reputation_link", "10.0 of 50 messages of its domain of a link were unwanted.")
    (good,) = reputation([("account", counts(5000))], NOW)
    assert good.weight < 0


def test_trust_takes_a_month_and_many_messages_and_no_complaints() -> None:
    old = TRUST_AGE_S + 1
    assert is_trusted(counts(5000, complaints=2, age_s=old), NOW)
    assert not is_trusted(counts(5000, complaints=2, age_s=TRUST_AGE_S - 1), NOW)
    assert not is_trusted(counts(100, age_s=old), NOW)
    assert not is_trusted(counts(5000, complaints=20, age_s=old), NOW)
