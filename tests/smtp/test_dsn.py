import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paquebot.mail.envelope import Envelope, Wish
from paquebot.smtp.dsn import (
    mail_parameters,
    rcpt_parameters,
    read_envid,
    read_notify,
    read_orcpt,
    wishes_fault,
)
from paquebot.smtp.grammar import CommandRefused

PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=33)


@settings(deadline=None)
@given(PRINTABLE)
def test_an_envid_is_read_as_it_was_written(envelope_id: str) -> None:
    written = mail_parameters("FULL", envelope_id)
    assert written.startswith(" RET=FULL ENVID=")
    assert written.isascii()
    assert read_envid(written.removeprefix(" RET=FULL ENVID=")) == envelope_id


@settings(deadline=None)
@given(st.text(st.characters(min_codepoint=160, exclude_categories=["Cs"]), min_size=1, max_size=30) | PRINTABLE)
def test_an_original_recipient_is_read_as_it_was_written(address: str) -> None:
    kind = "rfc822" if address.isascii() else "utf-8"
    written = rcpt_parameters(Wish((), f"{kind};{address}"))
    assert written.isascii()
    assert read_orcpt(written.removeprefix(" ORCPT=")) == f"{kind};{address}"


def test_wishes_are_written_in_their_order_and_nothing_is_written_for_none() -> None:
    assert rcpt_parameters(Wish(("SUCCESS", "DELAY"), "rfc822;a b")) == " NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+20b"
    assert rcpt_parameters(Wish()) == ""
    assert mail_parameters("", "") == ""
    assert read_notify("SUCCESS,DELAY") == ("SUCCESS", "DELAY")


@settings(deadline=None)
@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_no_wish_can_carry_a_command_or_another_parameter(one: str, two: str, three: str) -> None:
    mail, rcpt = mail_parameters(one, two), rcpt_parameters(Wish((one, two), three))
    for written, words in ((mail, 2), (rcpt, 2)):
        assert not set("\r\n\0") & set(written)
        assert written.count(" ") == written.count("=") <= words


def test_what_is_longer_than_a_parameter_may_be_is_left_out() -> None:
    assert mail_parameters("HDRS", "x" * 101) == " RET=HDRS"
    assert rcpt_parameters(Wish(("NEVER",), "utf-8;" + "ä" * 90)) == " NOTIFY=NEVER"


@pytest.mark.parametrize(
    ("envelope", "fault"),
    [
        (Envelope("", ("a@b.test",)), ""),
        (Envelope("", ("a@b.test",), ret="HDRS", envelope_id="x y"), ""),
        (Envelope("", ("a@b.test",), wishes={"a@b.test": Wish(("NEVER",), "rfc822;c@d.test")}), ""),
        (Envelope("", ("a@b.test",), ret="hdrs"), "ret"),
        (Envelope("", ("a@b.test",), envelope_id="x\ny"), "envelope_id"),
        (Envelope("", ("a@b.test",), envelope_id="=" * 34), "envelope_id"),
        (Envelope("", ("a@b.test",), wishes={"c@b.test": Wish()}), "recipient"),
        (Envelope("", ("a@b.test",), wishes={"a@b.test": Wish(("NEVER", "DELAY"))}), "NOTIFY"),
        (Envelope("", ("a@b.test",), wishes={"a@b.test": Wish((), "rfc822;c\nd")}), "ORCPT"),
        (Envelope("", ("a@b.test",), wishes={"a@b.test": Wish((), "no type")}), "ORCPT"),
    ],
)
def test_wishes_of_programs_are_held_to_the_same_rules(envelope: Envelope, fault: str) -> None:
    reply = wishes_fault(envelope)
    assert (reply is None) == (not fault)
    assert fault in (reply.text if reply else "")


def test_an_address_in_utf8_that_postfix_calls_rfc822_is_known_for_what_it_is() -> None:
    assert read_orcpt("rfc822;j+C3+BCrgen@b.example") == "utf-8;jürgen@b.example"
    for value in ("rfc822;j+FCrgen@b.example", "rfc822;+C2+85@b.example"):
        with pytest.raises(CommandRefused):
            read_orcpt(value)
