"""Replies as values."""

import pytest

from paquebot.mail.reply import Reply


@pytest.mark.parametrize(
    ("lines", "reply"),
    [
        (["5.1.1 No such user"], Reply(550, "5.1.1", "No such user")),
        (["5.1.1 No", "5.1.1 such", "user"], Reply(550, "5.1.1", "No\nsuch\nuser")),
        (["5.1.1"], Reply(550, "5.1.1", "")),
        (["No such user"], Reply(550, "", "No such user")),
        (["4.1.1 The class differs"], Reply(550, "", "4.1.1 The class differs")),
        (["5.1.1x is no status"], Reply(550, "", "5.1.1x is no status")),
        ([], Reply(550, "", "")),
        ([""], Reply(550, "", "")),
    ],
)
def test_the_enhanced_status_is_taken_from_the_lines_when_its_class_fits(lines: list[str], reply: Reply) -> None:
    assert Reply.from_lines(550, lines) == reply


def test_a_reply_reads_on_one_line() -> None:
    assert str(Reply(550, "5.1.1", "No\nsuch user")) == "550 5.1.1 No such user"
    assert str(Reply(250, "", "")) == "250"


@pytest.mark.parametrize(
    ("code", "positive", "transient", "permanent"),
    [
        (199, False, False, False),
        (200, True, False, False),
        (250, True, False, False),
        (354, True, False, False),
        (399, True, False, False),
        (400, False, True, False),
        (499, False, True, False),
        (500, False, False, True),
        (599, False, False, True),
        (600, False, False, False),
    ],
)
def test_only_the_first_digit_decides(code: int, *, positive: bool, transient: bool, permanent: bool) -> None:
    reply = Reply(code, "", "")
    assert (reply.is_positive, reply.is_transient, reply.is_permanent) == (positive, transient, permanent)
