"""Finishing content: what is added, what is taken out, what is refused and with which reply."""

import email
from dataclasses import replace
from email import policy
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.bodyhash import relaxed_body_hash
from paquebot.mail.finish import Finished, Finishing, finish
from paquebot.mail.refusal import ContentRefused
from paquebot.mail.reply import Reply

_NOW_MS = 1_764_000_000_000
_FINISHING = Finishing(_NOW_MS, "0197-id", "one.example", "sender@one.example")
_WHOLE = (
    b"Date: Mon, 24 Nov 2025 16:00:00 +0000\r\n"
    b"From: Ann <ann@one.example>\r\n"
    b"Message-ID: <1@one.example>\r\n"
    b"Subject: Hi\r\n"
    b"\r\n"
    b"Hello\r\n"
)


def _finish(content: bytes) -> Finished:
    return finish(content, _FINISHING)


def _refusal(content: bytes, finishing: Finishing = _FINISHING) -> Reply:
    with pytest.raises(ContentRefused) as caught:
        finish(content, finishing)
    return caught.value.reply


def test_content_that_lacks_nothing_is_not_changed() -> None:
    finished = _finish(_WHOLE)
    assert finished.content is _WHOLE
    assert finished.header_section == _WHOLE.partition(b"\r\n\r\n")[0] + b"\r\n"
    assert finished.body_hash == relaxed_body_hash(b"Hello\r\n")
    assert (finished.authors, finished.sender, finished.added) == (("ann@one.example",), "", ())
    assert not finished.eight_bit


def test_missing_date_from_and_message_id_are_added_after_the_other_fields() -> None:
    finished = _finish(b"Subject: Hi\r\n\r\nHello\r\n")
    message = email.message_from_bytes(finished.content, policy=policy.SMTP)
    assert message.keys() == ["Subject", "Date", "From", "Message-ID"]
    assert parsedate_to_datetime(message["Date"]).timestamp() == _NOW_MS / 1000
    assert message["From"] == "sender@one.example"
    assert message["Message-ID"] == "<0197-id@one.example>"
    assert finished.added == ("Date", "From", "Message-ID")
    assert finished.authors == ("sender@one.example",)
    assert finished.content.endswith(b"\r\n\r\nHello\r\n")


@pytest.mark.parametrize(
    ("content", "finished"),
    [
        (_WHOLE.removesuffix(b"\r\n"), _WHOLE),
        (_WHOLE.partition(b"\r\n\r\n")[0], _WHOLE.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"),
        (_WHOLE.partition(b"\r\n\r\n")[0] + b"\r\n", _WHOLE.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"),
    ],
)
def test_a_missing_line_end_or_empty_line_is_added(content: bytes, finished: bytes) -> None:
    assert _finish(content).content == finished


def test_content_without_header_section_gets_one() -> None:
    finished = _finish(b"\r\nHello\r\n")
    assert finished.content == finished.header_section + b"\r\nHello\r\n"
    assert finished.header_section.startswith(b"Date: ")


def test_bcc_is_taken_out_with_its_folded_lines_and_every_time() -> None:
    hidden = b"Bcc: x@b.example,\r\n y@b.example,\r\n\tz@b.example\r\nbcc: w@b.example\r\nResent-BCC: v@b\r\n"
    finished = _finish(_WHOLE.replace(b"Subject", hidden + b"X-Bcc: kept\r\nSubject"))
    assert finished.content == _WHOLE.replace(b"Subject", b"X-Bcc: kept\r\nSubject")


def test_bcc_as_the_last_field_leaves_a_sound_header_section() -> None:
    finished = _finish(_WHOLE.replace(b"\r\n\r\n", b"\r\nBcc: x@two.example\r\n\r\n"))
    assert finished.content == _WHOLE


def test_a_body_that_mentions_bcc_is_left_alone() -> None:
    content = _WHOLE + b"Bcc: x@two.example\r\n"
    assert _finish(content).content == content


def test_eight_bit_content_passes_and_is_marked_when_policy_passes_it() -> None:
    finished = _finish(_WHOLE + "Grüße\r\n".encode())
    assert finished.eight_bit
    assert finished.content.endswith("Grüße\r\n".encode())


def test_eight_bit_content_is_encoded_when_policy_says_so() -> None:
    finished = finish(
        _WHOLE + "Grüße an alle, die dies lesen\r\n".encode(), Finishing(_NOW_MS, "i", "d", "", encode=True)
    )
    assert finished.content.isascii()
    assert not finished.eight_bit
    message = email.message_from_bytes(finished.content, policy=policy.SMTP)
    assert message.get_content() == "Hello\r\nGrüße an alle, die dies lesen\r\n"
    assert finished.body_hash == relaxed_body_hash(finished.content.partition(b"\r\n\r\n")[2])
    assert finished.header_section + b"\r\n" + finished.content.partition(b"\r\n\r\n")[2] == finished.content


@pytest.mark.parametrize(
    "name",
    ["Date", "From", "Sender", "Reply-To", "To", "Cc", "Message-ID", "In-Reply-To", "References", "Subject"],
)
def test_a_field_allowed_once_is_refused_twice_and_named(name: str) -> None:
    twice = f"{name}: a@one.example\r\n{name.upper()}: b@one.example\r\n".encode()
    without = b"".join(line for line in _WHOLE.splitlines(keepends=True) if not line.startswith(name.encode() + b":"))
    reply = _refusal(twice + without)
    assert (reply.code, reply.enhanced) == (554, "5.6.0")
    assert reply.text.startswith(f"{name} is there more than once")


def test_fields_allowed_often_may_stand_often() -> None:
    content = b"Comments: a\r\nComments: b\r\nKeywords: c\r\nKeywords: d\r\nX: e\r\nX: f\r\n" + _WHOLE
    assert _finish(content).content is content


@pytest.mark.parametrize(("count", "refused"), [(99, False), (100, False), (101, True)])
def test_more_than_a_hundred_received_fields_are_a_loop(count: int, *, refused: bool) -> None:
    content = b"Received: by mx.example; now\r\n" * count + _WHOLE
    if refused:
        assert str(_refusal(content)).startswith("554 5.4.6 More than 100 Received")
    else:
        assert _finish(content).content is content


@pytest.mark.parametrize(("over", "refused"), [(-1, False), (0, False), (1, True)])
def test_a_header_section_over_256_kib_is_refused(over: int, *, refused: bool) -> None:
    section = _WHOLE.partition(b"\r\n\r\n")[0] + b"\r\n"
    room = 262_144 + over - len(section)
    lines, rest = divmod(room, 500)
    filler = (b"X: " + b"x" * 495 + b"\r\n") * (lines - 1) + b"X: " + b"x" * (495 + rest) + b"\r\n"
    content = filler + _WHOLE
    assert content.index(b"\r\n\r\n") + 2 == 262_144 + over
    if refused:
        assert _refusal(content).text == "The header section is larger than 256 KiB"
    else:
        assert _finish(content).content is content


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"From ann@one.example Mon Nov 24 2025\r\n" + _WHOLE, 1),
        (b" folded first\r\n" + _WHOLE, 1),
        (b"A: 1\r\nno colon here\r\n" + _WHOLE, 2),
        (b"A: 1\r\n b\r\nSubject : x\r\n" + _WHOLE, 3),
        (b": no name\r\n" + _WHOLE, 1),
        (b"Just text\r\n", 1),
    ],
)
def test_a_line_that_is_no_field_is_refused_by_its_number(content: bytes, line: int) -> None:
    assert _refusal(content) == Reply(554, "5.6.0", f"Line {line} of the header section is no header field")


@pytest.mark.parametrize(
    ("content", "enhanced", "text"),
    [
        (_WHOLE + b"bare\nline", "5.6.0", "Content holds a CR or LF that is not part of CRLF"),
        (_WHOLE + b"bare\rline", "5.6.0", "Content holds a CR or LF that is not part of CRLF"),
        (_WHOLE + b"\n\r\r\n", "5.6.0", "Content holds a CR or LF that is not part of CRLF"),
        (_WHOLE + b"\0\r\n", "5.6.0", "Content holds a NUL octet"),
        (_WHOLE + b"x" * 999 + b"\r\n", "5.6.0", "A line is longer than 998 octets"),
        (
            _WHOLE.replace(b"Hi", b"H\xc3\xaf"),
            "5.6.7",
            "The header section holds octets above 127: encode them (RFC 2047), or say SMTPUTF8 (RFC 6531)",
        ),
        (
            _WHOLE.replace(b"Ann <", b"Doe, Ann <"),
            "5.6.0",
            "From cannot be read: A name stands without an address (a comma in a name needs quotes).",
        ),
        (_WHOLE.replace(b"ann@", b"ann@@"), "5.6.0", "From cannot be read: An address cannot be read."),
        (_WHOLE.replace(b"Ann <ann@one.example>", b""), "5.6.0", "From names no mailbox"),
        (
            _WHOLE.replace(b"Ann <ann@one.example>", b"Us: ann@one.example;"),
            "5.6.0",
            "From must name mailboxes, not a group",
        ),
        (
            _WHOLE.replace(b"Ann ", b"bob@one.example, "),
            "5.6.0",
            "From names several mailboxes: Sender must say which of them sends (RFC 5322 3.6.2)",
        ),
        (b"Sender: a@one.example, b@one.example\r\n" + _WHOLE, "5.6.0", "Sender must name one mailbox"),
        (b"Sender: nobody\r\n" + _WHOLE, "5.6.0", "Sender must name one mailbox"),
    ],
)
def test_what_is_wrong_is_said_in_its_own_reply(content: bytes, enhanced: str, text: str) -> None:
    assert _refusal(content) == Reply(554, enhanced, text)


@pytest.mark.parametrize("name", ["From", "Sender"])
def test_an_originator_larger_than_16_kib_is_refused(name: str) -> None:
    spaces = b",\r\n" + b" " * 900
    content = b"From: a@one.example\r\nSender: a@one.example\r\n\r\n"
    field = f"{name}: a@one.example".encode()
    assert _finish(content.replace(field, field + spaces * 15)).sender == "a@one.example"
    with pytest.raises(ContentRefused, match=f"{name} is larger than 16 KiB"):
        _finish(content.replace(field, field + spaces * 19))


def test_a_line_of_998_octets_is_accepted() -> None:
    assert _finish(_WHOLE + b"x" * 998 + b"\r\n").content.endswith(b"x\r\n")


def test_several_authors_with_a_sender_are_accepted_and_told() -> None:
    finished = _finish(b"Sender: Bob <bob@ONE.example>\r\n" + _WHOLE.replace(b"Ann ", b"bob@one.example, "))
    assert finished.authors == ("bob@one.example", "ann@one.example")
    assert finished.sender == "bob@one.example"


def test_a_missing_from_is_refused_when_the_reverse_path_cannot_stand_in() -> None:
    content = b"Subject: Hi\r\n\r\nHello\r\n"
    null = _refusal(content, Finishing(_NOW_MS, "i", "d", ""))
    assert null == Reply(554, "5.6.0", "From is missing, and the reverse-path is null")
    injected = _refusal(content, Finishing(_NOW_MS, "i", "d", "a@one.example>\r\nBcc: <b@two.example"))
    assert injected == Reply(554, "5.1.7", "From is missing, and the reverse-path is no mailbox")


@given(
    st.lists(
        st.sampled_from(
            [
                b"From: a@b.example",
                b"Bcc: c@d.example",
                b"Subject: x",
                b"\r\n",
                b" ",
                b":",
                b"Date",
                b"\xfc",
                b"y",
            ]
        ),
        max_size=20,
    ),
    st.booleans(),
)
def test_any_content_is_finished_or_refused_and_finishing_twice_changes_nothing(
    pieces: list[bytes], encode: bool
) -> None:
    finishing = Finishing(_NOW_MS, "id", "one.example", "s@one.example", encode=encode)
    try:
        finished = finish(b"".join(pieces), finishing)
    except ContentRefused as refused:
        assert refused.reply.is_permanent  # noqa: PT017  (either end is right; this is the other)
        return
    again = finish(finished.content, finishing)
    assert again.content is finished.content
    assert again.added == ()
    assert b"\nbcc:" not in b"\n" + finished.header_section.lower()


_UTF8 = replace(_FINISHING, utf8=True, default_from="ü@xn--bcher-kva.example")


def test_with_smtputf8_the_header_section_may_be_utf8_and_is_not_changed() -> None:
    content = _WHOLE.replace(b"Ann <ann@one.example>", "Änne <ä@bücher.example>".encode()).replace(
        b"Hi", "Grüße".encode()
    )
    finished = finish(content, replace(_UTF8, encode=True))
    assert finished.content is content
    assert finished.authors == ("ä@xn--bcher-kva.example",)
    assert not finished.eight_bit


def test_with_smtputf8_a_missing_from_is_added_in_utf8() -> None:
    finished = finish(b"Subject: Hi\r\n\r\nHello\r\n", _UTF8)
    assert "From: <ü@xn--bcher-kva.example>\r\n".encode() in finished.header_section


def test_an_eight_bit_body_under_a_utf8_header_is_not_encoded_because_every_host_that_takes_it_has_8bitmime() -> None:
    content = _WHOLE.replace(b"Hi", "Grüße".encode()).replace(b"Hello", "Grüße".encode())
    assert finish(content, replace(_UTF8, encode=True)).content is content


@pytest.mark.parametrize("octets", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xc3"])
def test_with_smtputf8_a_header_that_is_not_utf8_is_refused(octets: bytes) -> None:
    refusal = _refusal(_WHOLE.replace(b"Hi", octets), _UTF8)
    assert str(refusal) == "554 5.6.7 The header section holds octets above 127: they are not UTF-8"


def test_a_from_beyond_ascii_is_no_mailbox_when_its_domain_is_none() -> None:
    refusal = _refusal(_WHOLE.replace(b"ann@one.example", "ann@ü..example".encode()), _UTF8)
    assert refusal.text.startswith("From cannot be read")
