"""What is gathered from a message, and that anything can be gathered from."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.envelope import Envelope
from paquebot.mail.origin import Origin
from paquebot.mail.principal import Principal
from paquebot.spamfilter.attachment import Kind
from paquebot.spamfilter.facts import TEXT_MAX_BYTES, TEXTS_MAX, Facts, gather
from paquebot.spamfilter.judge import rules
from paquebot.spamfilter.links import Link
from paquebot.wire.spamfilter import JudgeRequest

Compose = Callable[..., Facts]


def test_fields_are_gathered_by_lower_case_name_with_every_value(facts_of: Compose) -> None:
    facts = facts_of(SUBJECT="again")
    assert facts.fields[b"subject"] == [b" The plan", b" again"]


def test_authors_and_own_domains_are_known(facts_of: Compose) -> None:
    facts = facts_of(Reply_To="Bob <bob@Two.example>")
    assert facts.author_domain == "one.example"
    assert facts.reply_to is not None
    assert facts.reply_to.address == "bob@two.example"
    assert facts.own_domains == {"one.example", "steamship.example"}


def test_a_message_without_author_has_no_author_domain(facts_of: Compose) -> None:
    assert facts_of(From=None).author_domain == ""
    assert facts_of(From="nobody").author_domain == ""


def test_text_is_decoded_lowered_and_searched_for_links(facts_of: Compose) -> None:
    facts = facts_of("See HTTPS=3A//ONE.example", Content_Transfer_Encoding="quoted-printable")
    assert facts.texts[0].lowered == b"see https://one.example\r\n"
    assert facts.links == (Link("one.example"),)


def test_text_is_read_up_to_its_limits(facts_of: Compose) -> None:
    assert len(facts_of("x" * 200_000).texts[0].lowered) == TEXT_MAX_BYTES
    many = "--b\r\n\r\nx\r\n" * 30 + "--b--"
    assert len(facts_of(many, Content_Type="multipart/mixed; boundary=b").texts) == TEXTS_MAX


def test_only_named_or_remarkable_parts_are_attachments(facts_of: Compose) -> None:
    body = (
        "--b\r\n\r\nplain\r\n--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n"
        "\r\nx\r\n--b\r\nContent-Type: text/plain\r\n\r\n#!/bin/sh\r\n--b--"
    )
    facts = facts_of(body, Content_Type="multipart/mixed; boundary=b")
    assert [(each.filename, each.kind) for each in facts.attachments] == [("a.txt", Kind.OTHER), ("", Kind.SCRIPT)]


_LINES = st.sampled_from(
    [
        b"From: a@b.example", b"From: =?utf-7?q?+2AA-?= <a@b.example>", b"Reply-To: <x", b"\xff: \xfe", b"Date: x", b"",
        b"Content-Type: multipart/mixed; boundary=b", b"Content-Type: text/html", b"--b", b"--b--", b"<a href=https://[",
        b"Content-Type: message/rfc822", b"Content-Disposition: attachment; filename*=utf-7''%2B2AA-", b"MZ", b" fold",
        b"Content-Transfer-Encoding: base64", b"TVqQ", b"<form type=password", b"https://xn--.xn--a/",
    ]
)  # fmt: skip


@given(st.lists(_LINES, max_size=40), st.sampled_from([b"\r\n", b"\n", b"\r\n\r\n"]))
def test_anything_can_be_gathered_and_judged_by_every_rule(lines: list[bytes], end: bytes) -> None:
    facts = gather(end.join(lines), Envelope("\udc80@x", ()), Principal("t", "c", senders=("*@b.example",)))
    for reason in rules(facts):
        reason.text.encode()  # what cannot be encoded could not be sent


def test_facts_say_where_the_message_comes_from() -> None:
    request = JudgeRequest("id", Principal("shop", "app"), Envelope("", ()), b"", False, 0, "192.0.2.1", "laptop")
    facts = gather(request.content, request.envelope, request.principal, request.origin)
    assert facts.origin == Origin("id", "shop", "app", "192.0.2.1", "laptop")
