"""Long lines are found wherever they stand, and nothing is built to find them."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.lines import LINE_MAX_BYTES, has_long_line


@pytest.mark.parametrize("before", [b"", b"a\r\n", b"a" * 998 + b"\r\n", b"\r\n" * 600])
@pytest.mark.parametrize("after", [b"", b"\r\n", b"\r\nb\r\n", b"\r\n" + b"b" * 998])
@pytest.mark.parametrize(("octets", "is_long"), [(997, False), (998, False), (999, True), (5000, True)])
def test_a_line_is_long_above_998_octets(before: bytes, after: bytes, octets: int, *, is_long: bool) -> None:
    assert has_long_line(before + b"x" * octets + after) is is_long


@given(st.lists(st.integers(0, 12), max_size=30), st.booleans())
def test_it_says_what_splitting_says(lengths: list[int], ended: bool) -> None:
    content = b"\r\n".join(b"x" * length for length in lengths) + (b"\r\n" if ended else b"")
    assert has_long_line(content, 8) is any(len(line) > 8 for line in content.split(b"\r\n"))


def test_short_lines_cost_no_memory() -> None:
    content = b"a\r\n" * 500_000
    tracemalloc.start()
    try:
        assert not has_long_line(content, LINE_MAX_BYTES)
        assert tracemalloc.get_traced_memory()[1] < 10_000
    finally:
        tracemalloc.stop()
