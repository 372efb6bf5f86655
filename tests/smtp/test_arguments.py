import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paquebot.mail.envelope import Wish
from paquebot.smtp.arguments import mail_from, rcpt_to
from paquebot.smtp.events import MailFrom, RcptTo
from paquebot.smtp.grammar import CommandRefused

ALL = frozenset({"SIZE", "8BITMIME", "AUTH", "DSN", "SMTPUTF8"})


def refusal(argument: bytes, offered: frozenset[str] = ALL) -> str:
    with pytest.raises(CommandRefused) as refused:
        mail_from(argument, offered)
    return str(refused.value.reply)[:9]


def mail(path: str, size: int | None = None, **more) -> MailFrom:
    return MailFrom(path, size, **{"eight_bit": False, **more})


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        (b"FROM:<>", mail("")),
        (b"from:<a@b.test>", mail("a@b.test")),
        (b"FROM: <A@B.Test>", mail("A@b.test")),
        (b'FROM:<"a b@c"@d.test>', mail('"a b@c"@d.test')),
        (b'FROM:<"a\\"> SIZE=1"@d.test>', mail('"a\\"> SIZE=1"@d.test')),
        (b"FROM:<a@[127.0.0.1]>", mail("a@[127.0.0.1]")),
        (b"FROM:<a@b.test> SIZE=7", mail("a@b.test", 7)),
        (b"FROM:<a@b.test> size=0 body=8bitmime", mail("a@b.test", 0, eight_bit=True)),
        (b"FROM:<a@b.test> BODY=7BIT AUTH=<>", mail("a@b.test")),
        (b"FROM:<a@b.test>  AUTH=e+3Dmc2@example.com", mail("a@b.test")),
        (b"FROM:<a@b.test> RET=hdrs ENVID=QQ+2B+3D1", mail("a@b.test", ret="HDRS", envelope_id="QQ+=1")),
        (b"FROM:<> RET=FULL", mail("", ret="FULL")),
        (b"FROM:<a@b.test> SMTPUTF8", mail("a@b.test", utf8=True)),
        ("FROM:<Ä.b@BÜCHER.test> smtputf8".encode(), mail("Ä.b@xn--bcher-kva.test", utf8=True)),
        ('FROM:<"ä b"@b.test> SMTPUTF8 AUTH=ö@b.test'.encode(), mail('"ä b"@b.test', utf8=True)),
        ("FROM:<{}@b.test> SMTPUTF8".format("ä" * 32).encode(), mail("ä" * 32 + "@b.test", utf8=True)),
        (b"FROM:<> ENVID=" + b"x" * 100, mail("", envelope_id="x" * 100)),
    ],
)
def test_mail_is_read(argument: bytes, expected: MailFrom) -> None:
    assert mail_from(argument, ALL) == expected


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
        ("FROM:ä@b.test".encode(), "501 5.5.4"),
        (b"FROM:<a@b.test> SIZE=many", "501 5.5.4"),
        (b"FROM:<a@b.test> SIZE=" + b"9" * 21, "501 5.5.4"),
        (b"FROM:<a@b.test> SIZE", "501 5.5.4"),
        (b"FROM:<a@b.test> SIZE=1 SIZE=2", "501 5.5.4"),
        (b"FROM:<a@b.test> BODY=BINARYMIME", "555 5.5.4"),
        (b"FROM:<a@b.test> SMTPUTF8=1", "501 5.5.4"),
        ("FROM:<a@bücher.test>".encode(), "553 5.6.7"),
        (b"FROM:<\xff@b.test> SMTPUTF8", "501 5.1.7"),
        ("FROM:<a@ü..test> SMTPUTF8".encode(), "501 5.1.7"),
        ("FROM:<a@☃.test> SMTPUTF8".encode(), "501 5.1.7"),
        ("FROM:<a\u2028b@b.test> SMTPUTF8".encode(), "501 5.1.7"),
        ("FROM:<a\u0085b@b.test> SMTPUTF8".encode(), "501 5.1.7"),
        ("FROM:<{}@b.test> SMTPUTF8".format("ä" * 33).encode(), "501 5.1.7"),
        ("FROM:<a@b.test> SMTPUTF8 ENVID=ä".encode(), "501 5.5.4"),
        (b"FROM:<a@b.test> HOLDFOR=60", "555 5.5.4"),
        (b"FROM:<a@b.test> HOLDUNTIL=2030-01-01T00:00:00Z", "555 5.5.4"),
        (b"FROM:<a@b.test> BY=120;R", "555 5.5.4"),
        (b"FROM:<a@b.test> MT-PRIORITY=3", "555 5.5.4"),
        (b"FROM:<a@b.test> REQUIRETLS", "555 5.7.4"),
        (b"FROM:<a@b.test> NOTIFY=NEVER", "555 5.5.4"),
        (b"FROM:<a@b.test> RET=BODY", "501 5.5.4"),
        (b"FROM:<a@b.test> RET", "501 5.5.4"),
        (b"FROM:<a@b.test> ENVID", "501 5.5.4"),
        (b"FROM:<a@b.test> ENVID=a+zz", "501 5.5.4"),
        (b"FROM:<a@b.test> ENVID=a+0D+0ARSET", "501 5.5.4"),
        (b"FROM:<a@b.test> ENVID=" + b"x" * 101, "501 5.5.4"),
        (b"FROM:<a@b.test> AUTH=a+zz", "501 5.5.4"),
        (b"FROM:<a@b.test> X=\xff", "501 5.5.4"),
        (b"FROM:<a@b.test> =1", "501 5.5.4"),
    ],
)
def test_mail_is_refused_with_a_code_that_says_what_is_wrong(argument: bytes, reply: str) -> None:
    assert refusal(argument) == reply


@pytest.mark.parametrize("parameter", [b"SIZE=1", b"BODY=7BIT", b"AUTH=<>", b"RET=FULL", b"ENVID=1", b"SMTPUTF8"])
def test_a_parameter_is_known_only_where_its_keyword_was_offered(parameter: bytes) -> None:
    assert mail_from(b"FROM:<a@b.test> " + parameter, ALL).path == "a@b.test"
    assert refusal(b"FROM:<a@b.test> " + parameter, frozenset()) == "555 5.5.4"


def test_rcpt_is_read_and_knows_the_postmaster() -> None:
    assert rcpt_to(b"TO:<Some.One@B.TEST>", "mx.test", ALL, utf8=False) == RcptTo("Some.One@b.test")
    assert rcpt_to(b"TO:<PostMaster> NOTIFY=NEVER", "mx.test", ALL, utf8=False) == RcptTo(
        "postmaster@mx.test", Wish(("NEVER",))
    )


@pytest.mark.parametrize(
    ("parameters", "wish"),
    [
        (b"NOTIFY=never", Wish(("NEVER",))),
        (b"NOTIFY=SUCCESS,failure", Wish(("SUCCESS", "FAILURE"))),
        (b"NOTIFY=DELAY,DELAY", Wish(("DELAY",))),
        (b"ORCPT=rfc822;a+2Bb@c.test", Wish((), "rfc822;a+b@c.test")),
        (b"orcpt=x400;/c+3DDE/ notify=SUCCESS", Wish(("SUCCESS",), "x400;/c=DE/")),
        (rb"ORCPT=utf-8;\x{E4}\x{2B}@c.test", Wish((), "utf-8;ä+@c.test")),
        (b"ORCPT=rfc822;" + b"x" * 493, Wish((), "rfc822;" + "x" * 493)),
    ],
)
def test_wishes_for_a_recipient_are_read(parameters: bytes, wish: Wish) -> None:
    assert rcpt_to(b"TO:<a@b.test> " + parameters, "mx.test", ALL, utf8=False) == RcptTo("a@b.test", wish)


@pytest.mark.parametrize(
    ("argument", "reply"),
    [
        (b"TO:<>", "501 5.1.3"),
        (b"TO:<a@b.test> SIZE=1", "555 5.5.4"),
        (b"FROM:<a@b.test>", "501 5.5.4"),
        ("TO:<a@bücher.test>".encode(), "553 5.6.7"),
        (b"TO:<a@b.test> NOTIFY", "501 5.5.4"),
        (b"TO:<a@b.test> NOTIFY=NEVER,SUCCESS", "501 5.5.4"),
        (b"TO:<a@b.test> NOTIFY=SUCCESS,", "501 5.5.4"),
        (b"TO:<a@b.test> NOTIFY=RELAYED", "501 5.5.4"),
        (b"TO:<a@b.test> ORCPT=rfc822", "501 5.5.4"),
        (b"TO:<a@b.test> ORCPT=rfc822;", "501 5.5.4"),
        (b"TO:<a@b.test> ORCPT=;a@b.test", "501 5.5.4"),
        (b"TO:<a@b.test> ORCPT=rfc822;a+0Ab", "501 5.5.4"),
        (b"TO:<a@b.test> ORCPT=rfc822;a+E4b", "501 5.5.4"),
        (rb"TO:<a@b.test> ORCPT=utf-8;\x{0A}", "501 5.5.4"),
        (rb"TO:<a@b.test> ORCPT=utf-8;\x{D800}", "501 5.5.4"),
        (rb"TO:<a@b.test> ORCPT=utf-8;\x{110000}", "501 5.5.4"),
        (b"TO:<a@b.test> ORCPT=rfc822;" + b"x" * 494, "501 5.5.4"),
    ],
)
def test_rcpt_is_refused(argument: bytes, reply: str) -> None:
    with pytest.raises(CommandRefused) as refused:
        rcpt_to(argument, "mx.test", ALL, utf8=False)
    assert str(refused.value.reply).startswith(reply)


def test_a_recipient_and_its_original_may_be_utf8_only_behind_smtputf8() -> None:
    argument = "TO:<Ä@bücher.test> ORCPT=utf-8;Ä@bücher.test".encode()
    assert rcpt_to(argument, "mx.test", ALL, utf8=True) == RcptTo(
        "Ä@xn--bcher-kva.test", Wish((), "utf-8;Ä@bücher.test")
    )
    for refused in (argument, "TO:<Ä@b.test>".encode(), "TO:<a@b.test> ORCPT=utf-8;Ä".encode()):
        with pytest.raises(CommandRefused):
            rcpt_to(refused, "mx.test", ALL, utf8=False)


@pytest.mark.parametrize(
    "read",
    [
        lambda argument: mail_from(b"FROM:<" + argument, ALL),
        lambda argument: mail_from(b"FROM:<a@b.test> " + argument, ALL),
        lambda argument: rcpt_to(argument, "mx.test", ALL, utf8=False),
        lambda argument: rcpt_to(b"TO:<a@b.test> ORCPT=" + argument, "mx.test", ALL, utf8=True),
        lambda argument: mail_from(b"FROM:<" + argument + b"@b.test> SMTPUTF8", ALL),
    ],
)
@settings(deadline=None)
@given(st.binary(max_size=100))
def test_any_argument_is_read_or_refused(read: Callable[[bytes], object], argument: bytes) -> None:
    with contextlib.suppress(CommandRefused):
        assert read(argument) is not None
