import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paquebot.smtp.stuffing import content_fault, stuff, unstuff

LINES = st.lists(st.sampled_from([b"", b".", b"..", b".a", b"a", b"a.b"]), max_size=8).map(
    lambda lines: b"".join(line + b"\r\n" for line in lines)
)


@settings(deadline=None)
@given(LINES)
def test_what_is_stuffed_comes_back_and_never_ends_early(content: bytes) -> None:
    stuffed = stuff(content)
    assert unstuff(stuffed) == content
    assert b"\r\n.\r\n" not in b"\r\n" + stuffed


def test_exactly_one_dot_is_taken_even_from_lines_nobody_stuffed() -> None:
    assert unstuff(b".x\r\n..\r\na.b\r\n...\r\n") == b"x\r\n.\r\na.b\r\n..\r\n"


def test_a_last_line_without_end_gets_one() -> None:
    assert stuff(b".a\r\nb") == b"..a\r\nb\r\n"
    assert stuff(b"") == b""


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", None),
        (b"a\r\n", None),
        (b"a" * 998 + b"\r\n", None),
        (b"a" * 999 + b"\r\n", "longer than 998"),
        (b"a\r\n" + b"b" * 999 + b"\r\n", "longer than 998"),
        (b"a\0b\r\n", "NUL"),
        (b"a\nb\r\n", "bare LF"),
        (b"a\rb\r\n", "bare CR"),
        (b"a\r\r\n", "bare CR"),
        (b"a\n\r\n", "bare LF"),
        (b"\r\n\n", "bare LF"),
    ],
)
def test_each_fault_of_content_has_its_own_reply(content: bytes, fault: str | None) -> None:
    found = content_fault(content)
    if fault is None:
        assert found is None
    else:
        assert found is not None
        assert found.code == 554
        assert fault in found.text
