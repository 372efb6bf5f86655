import pytest

from paquebot.mail.reply import Reply
from paquebot.sandbox.manner import Wording
from paquebot.sandbox.voice import Voice
from paquebot.smtp.replyreader import ReplyReader

HELLO = Reply(250, "", "mx.b.test\nPIPELINING\nSIZE 1000\n8BITMIME")
SAID = (Reply(220, "", "mx.b.test ESMTP Paquebot"), HELLO, Reply(250, "2.1.0", "Ok"), Reply(354, "", "Go on"))


def read(octets: bytes) -> list[Reply]:
    reader = ReplyReader()
    reader.append(octets)
    replies = []
    while (reply := reader.next_reply()) is not None:
        replies.append(reply)
    return replies


def test_plain_words_are_the_sessions_own() -> None:
    voice = Voice("mx.b.test", Wording.PLAIN, frozenset())
    assert read(b"".join(map(voice.words, SAID))) == list(SAID)
    assert list(voice.replies(b"".join(map(voice.words, SAID)))) == list(SAID)


def test_keywords_are_left_out_also_the_last() -> None:
    voice = Voice("mx.b.test", Wording.PLAIN, frozenset({"8BITMIME", "SIZE"}))
    assert voice.words(HELLO) == b"250-mx.b.test\r\n250 PIPELINING\r\n"


@pytest.mark.parametrize("wording", [Wording.MULTILINE, Wording.ODD])
def test_other_words_mean_the_same_and_keep_to_the_limits(wording: Wording) -> None:
    voice = Voice("mx.b.test", wording, frozenset())
    written = b"".join(map(voice.words, SAID))
    assert [reply.code // 100 for reply in read(written)] == [2, 2, 2, 3]
    assert all(len(line) + 2 <= 512 for line in written.split(b"\r\n"))
    keywords = {line.partition(" ")[0].upper() for line in read(voice.words(HELLO))[0].text.split("\n")[1:]}
    assert {"PIPELINING", "SIZE", "8BITMIME"} <= keywords
    refusal = read(voice.words(Reply(550, "5.1.1", "No such user")))[0]
    assert (refusal.code, refusal.enhanced) == (550, "5.1.1")


def test_odd_is_odd() -> None:
    voice = Voice("mx.b.test", Wording.ODD, frozenset())
    assert voice.words(Reply(250, "2.1.0", "Ok")) == b"259\r\n"
    assert b"pipelining" in voice.words(HELLO)
