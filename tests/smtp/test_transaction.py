from dataclasses import replace

import pytest

from paquebot.mail.envelope import Wish
from paquebot.mail.reply import Reply
from paquebot.smtp.transaction import Transaction, TransactionResult, mail_command, rcpt_command, unfit, unfit_path

OK = Reply(250, "2.0.0", "Ok")
NO = Reply(550, "5.1.1", "No")
TEN = Transaction("a@a.test", ("b@b.test",), b"x" * 6, b"y" * 4)


@pytest.mark.parametrize("limit", ["", "0", "10", "11", "junk", "9" * 30])
def test_a_size_that_fits_or_says_nothing_lets_the_message_pass(limit: str) -> None:
    assert unfit(TEN, {"SIZE": limit}) is None


def test_a_host_that_takes_less_is_not_asked() -> None:
    refusal = unfit(TEN, {"SIZE": "9"})
    assert refusal is not None
    assert str(refusal) == "552 5.3.4 The message has 10 octets and the host takes 9"


def test_eight_bit_content_wants_8bitmime() -> None:
    wanted = Transaction("", ("b@b.test",), b"\xff", eight_bit=True)
    refusal = unfit(wanted, {})
    assert refusal is not None
    assert (refusal.code, refusal.enhanced) == (554, "5.6.3")
    assert unfit(wanted, {"8BITMIME": ""}) is None
    assert mail_command(wanted, {"8BITMIME": "", "SIZE": ""}) == "MAIL FROM:<> SIZE=1 BODY=8BITMIME\r\n"
    assert mail_command(TEN, {"8BITMIME": ""}) == "MAIL FROM:<a@a.test>\r\n"


def test_wishes_are_told_only_to_a_host_that_offers_dsn() -> None:
    wishes = {"b@b.test": Wish(("SUCCESS", "FAILURE"), "rfc822;B@b.test")}
    wanted = Transaction("", ("b@b.test", "c@b.test"), b"", envelope_id="a b", ret="HDRS", wishes=wishes)
    assert mail_command(wanted, {"DSN": ""}) == "MAIL FROM:<> RET=HDRS ENVID=a+20b\r\n"
    assert rcpt_command(wanted, "b@b.test", {"DSN": ""}) == (
        "RCPT TO:<b@b.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;B@b.test\r\n"
    )
    assert rcpt_command(wanted, "c@b.test", {"DSN": ""}) == "RCPT TO:<c@b.test>\r\n"
    assert mail_command(wanted, {}) == "MAIL FROM:<>\r\n"
    assert rcpt_command(wanted, "b@b.test", {}) == "RCPT TO:<b@b.test>\r\n"


@pytest.mark.parametrize(
    ("mailbox", "enhanced"),
    [
        ("a@b.test>\r\nRSET", "5.1.3"),
        ("a", "5.1.3"),
        ("ä@b.test", "5.6.7"),
        ("ä\r\n@b.test", "5.1.3"),
        ("a@ü.test", "5.1.3"),
        ("a@b.test", ""),
    ],
)
def test_no_address_can_carry_a_command(mailbox: str, enhanced: str) -> None:
    refusal = unfit_path(mailbox, "5.1.3", {})
    assert (refusal.enhanced if refusal else "") == enhanced
    from_there = unfit(Transaction(mailbox, ("b@b.test",), b""), {})
    assert (from_there is None) == (refusal is None)


def test_smtputf8_is_said_only_when_it_is_needed() -> None:
    offered = {"SMTPUTF8": "", "8BITMIME": ""}
    assert mail_command(TEN, offered) == "MAIL FROM:<a@a.test>\r\n"
    for needing in (
        replace(TEN, utf8=True),
        replace(TEN, return_path="ä@a.test"),
        replace(TEN, recipients=("b@b.test", "ö@b.test")),
    ):
        assert mail_command(needing, offered).endswith("> SMTPUTF8\r\n")
        assert unfit(needing, offered) is None


def test_what_needs_smtputf8_is_refused_for_a_host_without_it() -> None:
    for needing in (replace(TEN, utf8=True), replace(TEN, return_path="ä@a.test")):
        refusal = unfit(needing, {})
        assert refusal is not None
        assert refusal.enhanced == "5.6.7"
    assert unfit(replace(TEN, recipients=("ö@b.test",)), {}) is None  # only that recipient is refused


def test_only_an_accepted_recipient_of_an_accepted_content_is_accepted() -> None:
    recipients = (OK, NO, None)
    assert TransactionResult(OK, recipients, OK, OK).accepted == (True, False, False)
    assert TransactionResult(OK, recipients, OK, NO).accepted == (False, False, False)
    assert TransactionResult(OK, recipients, OK, None, in_doubt=True).accepted == (False, False, False)
