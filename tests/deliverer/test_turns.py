"""Turns go by weight, nobody is passed over for long, and nobody saves turns up."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from paquebot.deliverer.turns import Turns

WEIGHTS = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 50), min_size=2)


@given(weights=WEIGHTS)
def test_shares_of_those_who_always_wait_are_as_their_weights(weights: dict[str, int]) -> None:
    turns: Turns[str] = Turns()
    for each in weights:
        turns.enter(each)
    took: Counter[str] = Counter()
    rounds = 20
    for _ in range(rounds * sum(weights.values())):
        key = turns.next()
        took[key] += 1
        turns.again(weights[key])
    for key, weight in weights.items():
        assert abs(took[key] - rounds * weight) <= 1 + weight / min(weights.values())


@given(weights=WEIGHTS)
def test_between_two_turns_of_one_nobody_takes_more_than_its_share(weights: dict[str, int]) -> None:
    turns: Turns[str] = Turns()
    for each in weights:
        turns.enter(each)
    since: Counter[str] = Counter()
    watched = min(weights, key=lambda each: weights[each])
    for _ in range(10 * sum(weights.values())):
        key = turns.next()
        since[key] += 1
        if key == watched:
            assert all(count <= weights[each] / weights[watched] + 2 for each, count in since.items())
            since.clear()
        turns.again(weights[key])


def test_who_was_away_gains_no_credit() -> None:
    turns: Turns[str] = Turns()
    turns.enter("busy")
    for _ in range(1000):
        turns.again(1)
    turns.enter("idle")
    took = []
    for _ in range(6):
        took.append(turns.next())
        turns.again(1)
    assert took.count("busy") == took.count("idle") == 3


def test_who_leaves_and_comes_back_at_once_gains_no_turn() -> None:
    turns: Turns[str] = Turns()
    turns.enter("flood")
    turns.enter("drips")
    took: Counter[str] = Counter()
    for _ in range(100):
        key = turns.next()
        took[key] += 1
        if key == "drips":
            turns.leave(1)
            turns.enter("drips")
        else:
            turns.again(1)
    assert took == {"flood": 50, "drips": 50}


def test_the_first_of_a_newcomer_goes_within_a_round() -> None:
    turns: Turns[str] = Turns()
    for number in range(10):
        turns.enter(f"t{number}")
    for _ in range(55):
        turns.again(1)
    turns.enter("new")
    took = []
    while "new" not in took:
        took.append(turns.next())
        turns.again(1)
    assert len(took) <= 11


def test_debts_of_those_who_left_are_not_kept_for_ever() -> None:
    turns: Turns[str] = Turns()
    turns.enter("stays")
    for number in range(10_000):
        turns.enter(f"t{number}")
        for _ in range(2):
            (turns.again if turns.next() == "stays" else turns.leave)(1)
    assert len(turns) == 1
    assert len(turns.debts) < 100
