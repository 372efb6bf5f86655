"""Rules over structure: each speaks of its fault, and is silent about sound mail."""

from collections.abc import Callable

import pytest

from paquebot.spamfilter import structure_rules as rules
from paquebot.spamfilter.facts import Facts

Compose = Callable[..., Facts]
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


def test_the_test_string_is_found_in_the_clear_and_encoded(facts_of: Compose) -> None:
    assert rules.gtube(facts_of(GTUBE)) is not None
    encoded = "WEpTKkM0SkRCUUFETjEuTlNCTjMqMklETkVOKkdUVUJFLVNUQU5EQVJELUFOVEktVUJFLVRFU1QtRU1BSUwqQy4zNFg="
    assert rules.gtube(facts_of(encoded, Content_Transfer_Encoding="base64")) is not None
    assert rules.gtube(facts_of(GTUBE[:-1])) is None


def test_each_mime_fault_counts_up_to_three(facts_of: Compose) -> None:
    one = rules.mime_faults(facts_of(Content_Type="multipart/mixed; boundary=b"))
    assert one is not None
    assert one.text.endswith("A multipart has no part.")
    two = rules.mime_faults(facts_of(Content_Type="multipart/mixed", Content_Transfer_Encoding="base64"))
    assert two is not None
    assert two.weight == 2 * one.weight


@pytest.mark.parametrize(("second", "speaks"), [("text/html", True), ("text/plain; charset=utf-8", False)])
def test_a_mime_field_with_two_values_is_told(facts_of: Compose, second: str, *, speaks: bool) -> None:
    assert (rules.repeated_mime_field(facts_of(CONTENT_TYPE=second)) is not None) is speaks


@pytest.mark.parametrize(
    ("date", "malformed"),
    [
        ("Mon, 24 Nov 2025 12:00:00 +0000", False),
        ("24 Nov 2025 12:00 GMT", False),
        ("Mon, 24 Nov 2025 12:00:00 +0100 (CET)", False),
        ("Mon, 24 Nov 25 12:00:00 EST", False),
        ("2025-11-24T12:00:00Z", True),
        ("yesterday", True),
        ("", True),
    ],
)
def test_a_date_that_cannot_be_read_is_told(facts_of: Compose, date: str, *, malformed: bool) -> None:
    assert (rules.malformed_date(facts_of(Date=date)) is not None) is malformed


@pytest.mark.parametrize(
    ("ident", "malformed"),
    [("<a@b>", False), (" <a@b> (comment)", False), ("a@b", True), ("<a b@c>", True), ("<ab>", True), ("", True)],
)
def test_a_message_id_of_another_form_is_told(facts_of: Compose, ident: str, *, malformed: bool) -> None:
    assert (rules.malformed_message_id(facts_of(Message_ID=ident)) is not None) is malformed


def test_a_fold_of_nothing_but_white_space_is_told(facts_of: Compose) -> None:
    assert rules.blank_fold(facts_of(Subject="a\r\n \t\r\n b")) is not None
    assert rules.blank_fold(facts_of(Subject="a\r\n b")) is None


def test_mail_without_recipient_field_is_told(facts_of: Compose) -> None:
    assert rules.no_recipient_field(facts_of(To=None)) is not None
    assert rules.no_recipient_field(facts_of(To=None, Cc="x@two.example")) is None


@pytest.mark.parametrize(("subject", "speaks"), [(None, True), (" ", True), ("x", False)])
def test_mail_without_subject_is_told(facts_of: Compose, subject: str | None, *, speaks: bool) -> None:
    assert (rules.no_subject(facts_of(Subject=subject)) is not None) is speaks


def test_html_without_plain_text_is_told(facts_of: Compose, html_of: Compose) -> None:
    assert rules.html_only(html_of("<p>x</p>")) is not None
    both = "--b\r\n\r\nx\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>x</p>\r\n--b--"
    assert rules.html_only(facts_of(both, Content_Type="multipart/alternative; boundary=b")) is None
    assert rules.html_only(facts_of("%PDF", Content_Type="application/pdf")) is None


def test_mime_without_version_is_told(facts_of: Compose) -> None:
    assert rules.undeclared_mime(facts_of(MIME_Version=None)) is not None
    assert rules.undeclared_mime(facts_of(MIME_Version=None, Content_Type=None)) is None


def test_undeclared_eight_bit_text_is_told(facts_of: Compose) -> None:
    assert rules.undeclared_eight_bit(facts_of("Grüße")) is not None
    assert rules.undeclared_eight_bit(facts_of("Grüße", Content_Transfer_Encoding="8bit")) is None
    assert rules.undeclared_eight_bit(facts_of("plain")) is None
