import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paquebot.smtp.grammar import (
    CommandRefused,
    MailArgument,
    hello_name,
    is_mailbox,
    mail_argument,
    rcpt_argument,
)


def refusal(argument: bytes, *, extended: bool = True) -> str:
    with pytest.raises(CommandRefused) as refused:
        mail_argument(argument, extended=extended)
    return str(refused.value.reply)[:9]


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        (b"FROM:<>", MailArgument("")),
        (b"from:<a@b.test>", MailArgument("a@b.test")),
        (b"FROM: <A@B.Test>", MailArgument("A@b.test")),
        (b'FROM:<"a b@c"@d.test>', MailArgument('"a b@c"@d.test')),
        (b'FROM:<"a\\"> SIZE=1"@d.test>', MailArgument('"a\\"> SIZE=1"@d.test')),
        (b"FROM:<a@[127.0.0.1]>", MailArgument("a@[127.0.0.1]")),
        (b"FROM:<a@b.test> SIZE=7", MailArgument("a@b.test", 7)),
        (b"FROM:<a@b.test> size=0 body=8bitmime", MailArgument("a@b.test", 0, eight_bit=True)),
        (b"FROM:<a@b.test> BODY=7BIT AUTH=<>", MailArgument("a@b.test")),
        (b"FROM:<a@b.test>  AUTH=e+3Dmc2@example.com", MailArgument("a@b.test")),
    ],
)
def test_mail_is_read(argument: bytes, expected: MailArgument) -> None:
    assert mail_argument(argument, extended=True) == expected


@pytest.mark.parametrize(
    ("argument", "reply"),
    [
        (b"", "501 5.5.4"),
        (b"TO:<a@b.test>", "501 5.5.4"),
        (b"FROM:a@b.test", "501 5.5.4"),
        (b"FROM:<a@b.test>SIZE=1", "501 5.5.4"),
        (b"FROM:<a@b.test", "501 5.5.4"),
        (b"FROM:<a>", "501 5.1.7"),
        (b"FROM:<a..b@c.test>", "501 5.1.7"),
        (b"FROM:<a@b..test>", "501 5.1.7"),
        (b"FROM:<a@b.test.>", "501 5.1.7"),
        (b"FROM:<@r.test:a@b.test>", "501 5.1.7"),
        ("FROM:<ä@b.test>".encode(), "553 5.6.7"),
        ("FROM:ä@b.test".encode(), "553 5.6.7"),
        (b"FROM:<a@b.test> SIZE=many", "501 5.5.4"),
        (b"FROM:<a@b.test> SIZE=" + b"9" * 21, "501 5.5.4"),
        (b"FROM:<a@b.test> SIZE", "501 5.5.4"),
        (b"FROM:<a@b.test> SIZE=1 SIZE=2", "501 5.5.4"),
        (b"FROM:<a@b.test> BODY=BINARYMIME", "555 5.5.4"),
        (b"FROM:<a@b.test> SMTPUTF8", "555 5.5.4"),
        (b"FROM:<a@b.test> RET=HDRS", "555 5.5.4"),
        (b"FROM:<a@b.test> AUTH=a+zz", "501 5.5.4"),
        (b"FROM:<a@b.test> X=\xff", "501 5.5.4"),
        (b"FROM:<a@b.test> =1", "501 5.5.4"),
    ],
)
def test_mail_is_refused_with_a_code_that_says_what_is_wrong(argument: bytes, reply: str) -> None:
    assert refusal(argument) == reply


def test_without_ehlo_there_are_no_parameters() -> None:
    assert refusal(b"FROM:<a@b.test> SIZE=1", extended=False) == "555 5.5.4"


@pytest.mark.parametrize(
    ("local", "domain", "fits"),
    [
        (64, 63, True),
        (65, 63, False),
        (1, 252, True),
        (1, 253, False),
        (64, 189, True),
        (64, 190, False),
    ],
)
def test_paths_have_the_lengths_of_the_rfc(local: int, domain: int, *, fits: bool) -> None:
    labels = ("d" * 62 + ".") * 10
    name = labels[: domain - 1] + "d"
    assert is_mailbox(f"{'l' * local}@{name}") == fits


def test_labels_are_63_octets_at_most() -> None:
    assert is_mailbox(f"a@{'d' * 63}.test")
    assert not is_mailbox(f"a@{'d' * 64}.test")


def test_rcpt_is_read_and_knows_the_postmaster() -> None:
    assert rcpt_argument(b"TO:<Some.One@B.TEST>", "mx.test") == "Some.One@b.test"
    assert rcpt_argument(b"TO:<PostMaster>", "mx.test") == "postmaster@mx.test"


@pytest.mark.parametrize(
    ("argument", "reply"),
    [
        (b"TO:<>", "501 5.1.3"),
        (b"TO:<a@b.test> NOTIFY=NEVER", "555 5.5.4"),
        (b"FROM:<a@b.test>", "501 5.5.4"),
        ("TO:<a@bücher.test>".encode(), "553 5.6.7"),
    ],
)
def test_rcpt_is_refused(argument: bytes, reply: str) -> None:
    with pytest.raises(CommandRefused) as refused:
        rcpt_argument(argument, "mx.test")
    assert str(refused.value.reply).startswith(reply)


def test_a_hello_name_is_printable_and_bounded() -> None:
    assert hello_name(b"[192.0.2.1]") == "[192.0.2.1]"
    assert hello_name(b"under_score") == "under_score"
    for bad in (b"", b"two words", b"a" * 256, b"\xff"):
        with pytest.raises(CommandRefused):
            hello_name(bad)


@pytest.mark.parametrize(
    "read",
    [
        lambda argument: mail_argument(b"FROM:<" + argument, extended=True),
        lambda argument: mail_argument(b"FROM:<a@b.test> " + argument, extended=True),
        lambda argument: rcpt_argument(argument, "mx.test"),
        hello_name,
    ],
)
@settings(deadline=None)
@given(st.binary(max_size=100))
def test_any_argument_is_read_or_refused(read: Callable[[bytes], object], argument: bytes) -> None:
    with contextlib.suppress(CommandRefused):
        assert read(argument) is not None


@settings(deadline=None)
@given(st.text(max_size=60))
def test_no_mailbox_can_carry_a_command(text: str) -> None:
    if is_mailbox(text):
        assert text.isascii()
        assert not set("\r\n\0") & set(text)
