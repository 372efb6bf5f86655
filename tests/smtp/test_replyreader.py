import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paquebot.mail.reply import Reply
from paquebot.smtp.replyreader import REPLY_LINE_MAX, REPLY_LINES_MAX, BrokenSession, ReplyReader


def read_all(octets: bytes, size: int = 1 << 30) -> list[Reply | str]:
    """Read replies from chunks of a size; the last may be why the session broke."""
    reader = ReplyReader()
    found: list[Reply | str] = []
    try:
        for start in range(0, len(octets), size):
            reader.append(octets[start : start + size])
            while (reply := reader.next_reply()) is not None:
                found.append(reply)
    except BrokenSession as broken:
        found.append(broken.reason)
    return found


@pytest.mark.parametrize(
    ("octets", "reply"),
    [
        (b"250 2.1.0 Ok\r\n", Reply(250, "2.1.0", "Ok")),
        (b"250\r\n", Reply(250, "", "")),
        (b"250 \r\n", Reply(250, "", "")),
        (b"250 Ok\n", Reply(250, "", "Ok")),
        (b"299 5.1.1 odd\r\n", Reply(299, "", "5.1.1 odd")),
        (b"250-a\r\n250-\r\n250 c\r\n", Reply(250, "", "a\n\nc")),
        (b"250-a\r\n250\r\n", Reply(250, "", "a\n")),
        (b"550-5.1.1 no\r\n550 5.1.1 really\r\n", Reply(550, "5.1.1", "no\nreally")),
        (b"250-a\r\n251 b\r\n", Reply(251, "", "a\nb")),
        ("550 café\r\n".encode(), Reply(550, "", "café")),
        (b"550 a\x1b[31m\xff\r\n", Reply(550, "", "a?[31m\ufffd")),
        (b"550 " + b"x" * (REPLY_LINE_MAX - 5) + b"\r\n", Reply(550, "", "x" * (REPLY_LINE_MAX - 5))),
    ],
)
@pytest.mark.parametrize("size", [1, 1 << 30])
def test_odd_replies_are_read(octets: bytes, reply: Reply, size: int) -> None:
    assert read_all(octets, size) == [reply]


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"hello\r\n", "not an SMTP reply: 'hello'"),
        (b"\r\n", "not an SMTP reply: ''"),
        (b"150 x\r\n", "not an SMTP reply"),
        (b"650 x\r\n", "not an SMTP reply"),
        (b"2500 x\r\n", "not an SMTP reply"),
        (b"25\r\n", "not an SMTP reply"),
        (b"250-a\r\n550 b\r\n", "changed its code"),
        (b"250 " + b"x" * REPLY_LINE_MAX + b"\r\n", "more than 4096 octets"),
        (b"x" * (REPLY_LINE_MAX + 1), "more than 4096 octets"),
        (b"250-x\r\n" * REPLY_LINES_MAX, "more than 128 lines"),
    ],
)
def test_what_is_no_reply_breaks_the_session(octets: bytes, reason: str) -> None:
    (found,) = read_all(octets)
    assert isinstance(found, str)
    assert reason in found


def test_unread_octets_are_noticed_and_can_be_forgotten() -> None:
    reader = ReplyReader()
    assert not reader.unread
    reader.append(b"250-half\r\n")
    assert reader.next_reply() is None
    assert reader.unread
    reader.clear()
    reader.append(b"220 new\r\n")
    assert reader.next_reply() == Reply(220, "", "new")
    assert not reader.unread


PIECES = st.one_of(
    st.sampled_from([b"250 ok\r\n", b"250-a\r\n", b"550 5.1.1 no\r\n", b"354\n", b"25", b"x" * 4_100]),
    st.binary(max_size=8),
)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=8).map(b"".join), st.integers(1, 9))
def test_any_octets_give_the_same_replies_however_they_are_cut(octets: bytes, size: int) -> None:
    assert read_all(octets, size) == read_all(octets)
