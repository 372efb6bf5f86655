from hypothesis import given, settings
from hypothesis import strategies as st

from paquebot.mail.reply import Reply
from paquebot.smtp.encoding import REPLY_LINE_MAX, encode_reply
from paquebot.smtp.replyreader import ReplyReader

TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)


def test_the_enhanced_status_stands_on_each_line() -> None:
    assert encode_reply(Reply(550, "5.1.1", "one\ntwo")) == b"550-5.1.1 one\r\n550 5.1.1 two\r\n"
    assert encode_reply(Reply(354, "", "go")) == b"354 go\r\n"
    assert encode_reply(Reply(334, "", "")) == b"334 \r\n"


def test_no_text_can_make_a_second_reply_or_leave_ascii() -> None:
    assert encode_reply(Reply(550, "", "a\r\n250 ok")) == b"550-a?\r\n550 250 ok\r\n"
    assert encode_reply(Reply(550, "", "caf\u00e9\0")) == b"550 caf??\r\n"


@settings(deadline=None)
@given(st.text(max_size=2_000))
def test_lines_have_at_most_512_octets(text: str) -> None:
    lines = encode_reply(Reply(550, "5.1.1", text)).split(b"\r\n")
    assert lines.pop() == b""
    assert all(len(line) <= REPLY_LINE_MAX - 2 for line in lines)
    assert all(line.startswith((b"550-5.1.1 ", b"550 5.1.1 ")) for line in lines)


@settings(deadline=None)
@given(st.sampled_from([250, 354, 451, 550]), st.lists(TEXT, min_size=1, max_size=5))
def test_what_is_written_is_read_back(code: int, lines: list[str]) -> None:
    enhanced = "" if code == 354 else f"{code // 100}.1.2"
    # An empty enhanced status leaves text that may look like one: only a marked line is sure.
    reply = Reply(code, enhanced, "\n".join(f"x{line}" for line in lines))
    reader = ReplyReader()
    reader.append(encode_reply(reply))
    assert reader.next_reply() == reply
