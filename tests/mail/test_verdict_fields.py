"""Tag fields: sound header fields, whatever the rules are called."""

from email import message_from_bytes, policy

from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.header import fields
from paquebot.mail.verdict import Action, Reason, Verdict
from paquebot.mail.verdict_fields import tag_fields


def test_accepted_mail_gets_no_fields() -> None:
    assert tag_fields(Verdict(Action.ACCEPT, 0.2, (Reason("a", 1, "A."),))) == b""


def test_mail_that_nobody_looked_at_says_so() -> None:
    assert tag_fields(Verdict(Action.ACCEPT, unscanned=True)) == b"X-Spam-Status: Unscanned\r\n"


def test_tagged_mail_names_its_probability_and_rules() -> None:
    verdict = Verdict(Action.TAG, 0.75, (Reason("forged_from", 2, "A."), Reason("link", 1, "B.")))
    assert tag_fields(verdict) == (
        b"X-Spam-Flag: YES\r\nX-Spam-Status: Yes, probability=0.7500,\r\n rules=forged_from,link\r\n"
    )


def test_tagged_mail_without_reasons_is_still_told() -> None:
    assert tag_fields(Verdict(Action.TAG, 0.75)).endswith(b"X-Spam-Status: Yes, probability=0.7500\r\n")


@given(st.lists(st.text(max_size=60), max_size=30))
def test_no_rule_name_can_inject_a_field_or_a_long_line(names: list[str]) -> None:
    written = tag_fields(Verdict(Action.TAG, 0.9, tuple(Reason(name, 1, "A.") for name in names)))
    assert written.isascii()
    assert [field.name for field in fields(written)] == ["x-spam-flag", "x-spam-status"]
    assert b"".join(field.raw for field in fields(written)) == written
    assert max(map(len, written.split(b"\r\n"))) <= 78
    assert message_from_bytes(written, policy=policy.SMTP)["X-Spam-Flag"] == "YES"
