"""Retries come quickly at first, then grow, and never before their time."""

from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.retry import Retry, delay_s, next_try_ms

RETRY = Retry(quick_s=(60, 300), initial_s=600, max_s=4000, multiplier=2.0)


def test_quick_ones_in_turn_then_growing_to_the_maximum() -> None:
    assert [delay_s(RETRY, attempts) for attempts in range(1, 8)] == [60, 300, 600, 1200, 2400, 4000, 4000]


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_chance_moves_a_try_by_a_tenth_at_most(attempts: int, chance: float) -> None:
    delay = next_try_ms(RETRY, attempts, 0, chance)
    expected = delay_s(RETRY, attempts) * 1000
    assert 0.9 * expected - 1 <= delay <= 1.1 * expected + 1
