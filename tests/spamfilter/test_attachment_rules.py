"""Rules over attachments."""

from base64 import b64encode
from collections.abc import Callable

import pytest

from paquebot.spamfilter import attachment_rules as rules
from paquebot.spamfilter.facts import Facts

Compose = Callable[..., Facts]


def _mixed(*parts: str) -> dict[str, str]:
    body = "".join(f"--b\r\n{part}\r\n" for part in ("\r\nSee attached", *parts)) + "--b--"
    return {"body": body, "Content_Type": "multipart/mixed; boundary=b"}


def _part(octets: bytes, filename: str, content_type: str = "application/pdf") -> str:
    return (
        f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: base64\r\n"
        f'Content-Disposition: attachment; filename="{filename}"\r\n\r\n{b64encode(octets).decode()}'
    )


@pytest.mark.parametrize(
    ("octets", "weight"),
    [(b"\x7fELF\x02\x01\x01\0", 8.0), (b"#!/bin/sh\n", 1.5), (b"%PDF-1.7", 0)],
)
def test_a_program_is_told_whatever_it_is_called(facts_of: Compose, octets: bytes, weight: float) -> None:
    reason = rules.executable_attachment(facts_of(**_mixed(_part(octets, "report.pdf"))))
    assert (reason.weight if reason else 0) == weight


def test_the_worst_attachment_counts(facts_of: Compose) -> None:
    parts = (_part(b"#!/bin/sh\n", "a"), _part(b"\x7fELF\x02\x01\x01\0", "b"), _part(b"%PDF", "c"))
    reason = rules.executable_attachment(facts_of(**_mixed(*parts)))
    assert reason is not None
    assert reason.weight == 8.0


@pytest.mark.parametrize(
    ("filename", "weight"),
    [("a.pdf.exe", 5.0), ("a\u202efdp.exe", 4.0), ("setup.exe", 2.5), ("a.pdf", 0)],
)
def test_a_name_that_is_run_weighs_by_how_it_hides(facts_of: Compose, filename: str, weight: float) -> None:
    reason = rules.runnable_name(facts_of(**_mixed(_part(b"text", filename))))
    assert (reason.weight if reason else 0) == weight


@pytest.mark.parametrize(
    ("page", "speaks"), [(b"<script>x()</script>", True), (b"<FORM>", True), (b"<p>minutes</p>", False)]
)
def test_an_active_page_as_attachment_is_told(facts_of: Compose, page: bytes, *, speaks: bool) -> None:
    facts = facts_of(**_mixed(_part(page, "a.html", "text/html")))
    assert (rules.html_attachment(facts) is not None) is speaks


def test_an_active_page_in_line_is_not_an_attachment(html_of: Compose) -> None:
    assert rules.html_attachment(html_of("<script>x()</script>")) is None
