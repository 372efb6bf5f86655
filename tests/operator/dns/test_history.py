"""What was there once is believed to be gone only slowly; what never was is missing at once."""

import pytest

from paquebot_operator.dns.history import (
    NEGATIVE_FOR_S,
    STEADY_S,
    STEPS_S,
    Belief,
    after_look,
    believed,
    next_look_in_s,
)
from paquebot_operator.dns.record import Purpose, Record, Sighting, Verdict

RECORD = Record("pq1-ed._domainkey.shop.example", "TXT", "v=DKIM1; k=ed25519; p=AAAA", Purpose.DKIM)
P, M, D, U = Verdict.PRESENT, Verdict.MISSING, Verdict.DIFFERENT, Verdict.UNKNOWN


def after(*looks: tuple[int, Verdict]) -> Belief:
    belief = Belief(RECORD)
    for at_s, verdict in looks:
        belief = believed(belief, Sighting(verdict, at_s))
    return belief


@pytest.mark.parametrize(
    ("looks", "what"),
    [
        ([], U),
        ([(1, U)], U),
        ([(1, M)], M),
        ([(1, D)], D),
        ([(1, M), (2, P)], P),
        ([(1, P), (2, U), (3, U), (9999, U)], P),
        ([(1, P), (2, M), (3, M)], P),
        ([(1, P), (2, M), (3, M), (4, M), (2 + NEGATIVE_FOR_S - 1, M)], P),
        ([(1, P), (2, M), (2 + NEGATIVE_FOR_S, M)], P),
        ([(1, P), (2, M), (3, D), (2 + NEGATIVE_FOR_S, M)], M),
        ([(1, P), (2, M), (3, U), (4, M), (2 + NEGATIVE_FOR_S, M)], M),
        ([(1, P), (2, M), (3, P), (4, M), (2 + NEGATIVE_FOR_S, M)], P),
    ],
)
def test_belief_follows_looks(looks: list[tuple[int, Verdict]], what: Verdict) -> None:
    assert after(*looks).believed is what


def test_a_look_that_is_known_already_counts_once() -> None:
    assert after((1, P), (2, M), (2, M), (2, M)).negatives == 1


def test_a_clock_that_was_set_back_makes_no_look_void() -> None:
    assert after((9000, P), (10, M), (20, M), (10 + NEGATIVE_FOR_S, M)).believed is M
    assert after((9000, M), (10, P)).believed is P
    assert after((1, P), (9000, M), (10, M), (11, M)).believed is P


def test_a_last_look_that_says_other_than_is_believed_is_a_doubt() -> None:
    assert not after((1, P)).is_doubted
    assert after((1, P), (2, U)).is_doubted
    assert after((1, P), (2, M)).is_doubted


def test_beliefs_about_records_that_are_wanted_no_more_are_forgotten() -> None:
    other = Record("other.example", "TXT", "x", Purpose.DKIM)
    beliefs = after_look({RECORD: after((1, P))}, (other,), {other: Sighting(M, 2)})
    assert set(beliefs) == {other}
    assert beliefs[other].believed is M
    assert after_look({RECORD: after((1, P))}, (RECORD,), {})[RECORD].is_good


def test_looks_begin_quick_and_become_rare() -> None:
    at_s, steps = 0, []
    for _ in range(8):
        steps.append(next_look_in_s(at_s, "shop.example", at_s))
        at_s += steps[-1]
    assert tuple(steps) == (*STEPS_S, 3600, 3600)


def test_steady_looks_are_spread() -> None:
    looks = {next_look_in_s(None, f"{number}.example", 0) for number in range(200)}
    assert len(looks) > 190
    assert min(looks) >= 0.8 * STEADY_S
    assert max(looks) <= 1.2 * STEADY_S
