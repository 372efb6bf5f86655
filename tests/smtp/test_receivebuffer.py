import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paquebot.smtp.receivebuffer import LINE_FLOOD_MAX, LINE_KEPT_MAX, Flooded, ReceiveBuffer

MANY = 10**9


def filled(*chunks: bytes) -> ReceiveBuffer:
    buffer = ReceiveBuffer()
    for chunk in chunks:
        buffer.append(chunk)
    return buffer


def content_by(octets: bytes, size: int, kept_max: int = 1_000, flood_max: int = MANY) -> bytes | None:
    """Read content that comes in chunks of a size."""
    buffer = ReceiveBuffer()
    buffer.begin_content()
    for start in range(0, len(octets), size):
        buffer.append(octets[start : start + size])
        found = buffer.content(kept_max, flood_max)
        if found is not None:
            return found
    return None


def test_lines_come_with_their_end_and_in_order() -> None:
    buffer = filled(b"a\r", b"\nb\n", b"c")
    assert [buffer.line(), buffer.line(), buffer.line()] == [b"a\r\n", b"b\n", None]
    assert buffer.first_octet() == ord("c")
    buffer.clear()
    assert (len(buffer), buffer.first_octet(), buffer.line()) == (0, None, None)


@pytest.mark.parametrize("size", [1, 1_000, LINE_FLOOD_MAX])
def test_of_a_line_without_end_only_the_beginning_is_kept(size: int) -> None:
    buffer = ReceiveBuffer()
    for start in range(0, LINE_FLOOD_MAX - 1, size):
        buffer.append(b"x" * min(size, LINE_FLOOD_MAX - 1 - start))
        assert buffer.line() is None
        assert len(buffer) <= LINE_KEPT_MAX
    buffer.append(b"\nnext\r\n")
    assert buffer.line() == b"x" * LINE_KEPT_MAX
    assert buffer.line() == b"next\r\n"


@pytest.mark.parametrize("size", [1_000, LINE_FLOOD_MAX + 1])
def test_one_octet_more_is_a_flood(size: int) -> None:
    buffer = ReceiveBuffer()
    with pytest.raises(Flooded):  # noqa: PT012  (the chunk that floods differs with the size)
        for start in range(0, LINE_FLOOD_MAX, size):
            buffer.append(b"x" * min(size, LINE_FLOOD_MAX - start))
            buffer.line()
        buffer.append(b"\n")
        buffer.line()


@pytest.mark.parametrize(
    ("octets", "content"),
    [
        (b".\r\n", b""),
        (b"a\r\n.\r\n", b"a\r\n"),
        (b"\r\n.\r\n", b"\r\n"),
        (b"a\r\n..\r\n.\r\n", b"a\r\n..\r\n"),
        (b"a\n.\nb\r\n.\r\n", b"a\n.\nb\r\n"),
        (b"a\n.\r\nb\r\n.\r\n", b"a\n.\r\nb\r\n"),
        (b"a\r.\rb\r\n.\r\n", b"a\r.\rb\r\n"),
        (b"a\r\n.\nb\r\n.\r\n", b"a\r\n.\nb\r\n"),
        (b"a\r\n.\rb\r\n.\r\n", b"a\r\n.\rb\r\n"),
        (b"a\r.\r\nb\r\n.\r\n", b"a\r.\r\nb\r\n"),
        (b"a\r\n\0.\r\nb\r\n.\r\n", b"a\r\n\0.\r\nb\r\n"),
        (b"a\r\n.\r", None),
        (b"a\r\n.\n", None),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 100])
def test_only_crlf_dot_crlf_ends_content(octets: bytes, content: bytes | None, size: int) -> None:
    assert content_by(octets, size) == content


def test_what_follows_the_end_stays_for_the_next_line() -> None:
    buffer = ReceiveBuffer()
    buffer.begin_content()
    buffer.append(b"a\r\n.\r\nQUIT\r\n")
    assert buffer.content(100, MANY) == b"a\r\n"
    assert buffer.line() == b"QUIT\r\n"


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(0, 60))
def test_content_beyond_its_maximum_is_not_kept_and_its_end_is_found(size: int, length: int) -> None:
    found = content_by(b"x" * length + b"\r\n.\r\n", size, kept_max=20)
    assert found is not None
    assert (len(found) > 20) == (length + 2 > 20)


@pytest.mark.parametrize(("length", "floods"), [(96, False), (97, True)])
@pytest.mark.parametrize("size", [1, 7, 200])
def test_endless_content_is_a_flood(length: int, *, floods: bool, size: int) -> None:
    octets = b"x" * length + b"\r\n.\r\n"
    if floods:
        with pytest.raises(Flooded):
            content_by(octets, size, kept_max=20, flood_max=103)
    else:
        assert content_by(octets, size, kept_max=20, flood_max=103) is not None


def test_octets_are_taken_unseen_and_lines_go_on_behind_them() -> None:
    buffer = ReceiveBuffer()
    buffer.append(b"ab")
    assert buffer.line() is None
    assert buffer.take(1) == b"a"
    buffer.append(b"c\nd")
    assert buffer.take(0) == b""
    assert buffer.take(2) == b"bc"
    assert (buffer.line(), buffer.take(9), buffer.take(9)) == (b"\n", b"d", b"")
