"""A star is any run of characters; the rest is itself, in any case."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.glob import matches


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("4.7.28", "4.7.28", True),
        ("4.7.28", "4.7.280", False),
        ("4.7.*", "4.7.28", True),
        ("*unusual rate*", "Our system has detected an UNUSUAL RATE of mail", True),
        ("*rate", "rate limited", False),
        ("a*b*c", "a-c-b-c", True),
        ("a*a", "a", False),
        ("*", "", True),
        ("", "x", False),
        ("a**b", "ab", True),
    ],
)
def test_examples(pattern: str, text: str, fits: bool) -> None:
    assert matches(pattern, text) is fits


@given(pattern=st.text("ab*", max_size=8), text=st.text("ab", max_size=12))
def test_it_decides_as_a_regular_expression_would(pattern: str, text: str) -> None:
    expected = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text)
    assert matches(pattern, text) == (expected is not None)


def test_a_hostile_pattern_takes_no_time() -> None:
    assert not matches("*a" * 100, "a" * 99 + "b" * 100_000)
