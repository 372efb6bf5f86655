"""Encoding to 7 bits: what comes out says the same to an independent reader, or the content is refused."""

import email
import re
from email import policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.header import split
from paquebot.mail.refusal import ContentRefused
from paquebot.mail.seven_bit import encode_seven_bit


def _encoded(content: bytes) -> bytes:
    section, body_start = split(content)
    new_section, new_body = encode_seven_bit(section, content[body_start:])
    return new_section + b"\r\n" + new_body


def _lines(*lines: str) -> bytes:
    return "\r\n".join([*lines, ""]).encode()


def _refusal(content: bytes) -> str:
    with pytest.raises(ContentRefused) as caught:
        _encoded(content)
    return str(caught.value.reply)


def _leaves(content: bytes) -> list[tuple[str, bytes]]:
    message = email.message_from_bytes(content, policy=policy.SMTP)
    return [
        (part.get_content_type(), part.get_payload(decode=True)) for part in message.walk() if not part.is_multipart()
    ]


_ALTERNATIVE = _lines(
    "MIME-Version: 1.0",
    "Content-Type: multipart/mixed; boundary=outer",
    "Content-Transfer-Encoding: 8bit",
    "",
    "préambule",
    "--outer",
    "Content-Type: multipart/alternative; boundary=inner",
    "Content-Transfer-Encoding: 8bit",
    "",
    "--inner",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding:",
    " 8bit",
    "",
    "Grüße mit Leerzeichen am Ende  ",
    ".",
    "ein sehr langer Satz " * 20,
    "--inner",
    "Content-Type: text/html; charset=utf-8",
    "",
    "Русский текст " * 9,
    "--inner--",
    "--outer",
    "Content-Type: image/x-thing",
    "Content-Transfer-Encoding: binary",
    "",
    "\x7fü" * 40,
    "--outer",
    "Content-Type: text/plain",
    "",
    "seven bits = left alone",
    "--outer--",
    "épilogue",
)


def test_every_leaf_of_nested_multiparts_says_the_same_afterwards() -> None:
    encoded = _encoded(_ALTERNATIVE)
    assert encoded.isascii()
    assert _leaves(encoded) == _leaves(_ALTERNATIVE)


def test_only_leaves_are_encoded_and_multiparts_are_relabelled() -> None:
    encodings = re.findall(rb"(?im)^content-transfer-encoding: *(.*?)\r$", _encoded(_ALTERNATIVE))
    assert encodings == [b"7bit", b"7bit", b"quoted-printable", b"base64", b"base64"]
    assert b"\r\nseven bits = left alone\r\n" in _encoded(_ALTERNATIVE)


def test_preamble_and_epilogue_only_lose_what_is_no_ascii() -> None:
    encoded = _encoded(_ALTERNATIVE)
    assert b"\r\npr??ambule\r\n" in encoded
    assert encoded.endswith(b"--outer--\r\n??pilogue\r\n")


def test_encoded_lines_are_short_and_end_with_crlf() -> None:
    encoded = _encoded(_ALTERNATIVE)
    assert encoded.count(b"\n") == encoded.count(b"\r\n")
    assert max(map(len, encoded.split(b"\r\n"))) <= 76


def test_a_message_inside_is_entered_not_encoded() -> None:
    content = _lines(
        "Content-Type: message/rfc822",
        "Content-Transfer-Encoding: 8bit",
        "",
        "Subject: inside",
        "Content-Type: text/plain; charset=utf-8",
        "",
        "Grüße",
    )
    encoded = _encoded(content)
    inside = email.message_from_bytes(encoded, policy=policy.SMTP).get_content()
    assert isinstance(inside, EmailMessage)
    assert inside["Subject"] == "inside"
    assert inside.get_content() == "Grüße\r\n"


@pytest.mark.parametrize(
    ("body", "charset"),
    [("Grüße an alle hier im Haus\r\n".encode(), b"utf-8"), ("Grüße\r\n".encode("latin-1"), b"unknown-8bit")],
)
def test_text_without_mime_fields_gets_them(body: bytes, charset: bytes) -> None:
    encoded = _encoded(b"Subject: x\r\n\r\n" + body)
    section, _ = split(encoded)
    assert b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=%b\r\n" % charset in section
    assert _leaves(encoded)[0][1] == body


def test_a_part_without_header_fields_gets_them() -> None:
    content = _lines("Content-Type: multipart/mixed; boundary=b", "", "--b", "", "Grüße, und noch mehr Worte", "--b--")
    fields = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"
    assert b"--b\r\n" + fields + b"\r\nGr=C3" in _encoded(content)


def _part(header: str, body: str = "Grüße") -> bytes:
    return _lines("Content-Type: multipart/mixed; boundary=b", "", "--b", *header.split("\n"), "", body, "--b--")


@pytest.mark.parametrize(
    ("content", "reply"),
    [
        (
            _part("Content-Type: multipart/signed; boundary=c"),
            "554 5.6.3 8-bit content inside multipart/signed breaks the signature when encoded",
        ),
        (
            _part("Content-Type: message/partial"),
            "554 5.6.3 8-bit content of type message/partial cannot be encoded",
        ),
        (
            _part("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64"),
            "554 5.6.3 8-bit content of type message/rfc822 cannot be encoded",
        ),
        (
            _part("Content-Type: multipart/x"),
            "554 5.6.3 8-bit content of a multipart without parts cannot be encoded",
        ),
        (
            _part("Content-Type: text/plain\nContent-Transfer-Encoding: base64"),
            "554 5.6.3 A part holds octets above 127 although its encoding is base64",
        ),
        (
            _part("Content-Type: text/plain; name=grün.txt"),
            "554 5.6.7 A MIME header holds octets above 127: encode them (RFC 2047, RFC 2231)",
        ),
        (
            _part("Content-Type: message/rfc822", "Subject: grün\r\n\r\nx"),
            "554 5.6.7 A MIME header holds octets above 127: encode them (RFC 2047, RFC 2231)",
        ),
    ],
)
def test_what_must_not_be_encoded_is_refused_plainly(content: bytes, reply: str) -> None:
    assert _refusal(content) == reply


def test_seven_bit_content_inside_signed_parts_is_left_alone() -> None:
    signed = _lines("--c", "", "Hello =", "--c", "Content-Type: application/pgp-signature", "", "x", "--c--")
    content = _part("Content-Type: multipart/signed; boundary=c", signed.decode()) + "grün\r\n".encode()
    assert signed in _encoded(content)


def test_too_deep_nesting_is_refused() -> None:
    opened = [line for n in range(25) for line in (f"Content-Type: multipart/mixed; boundary=b{n}.", "", f"--b{n}.")]
    assert _refusal(_lines(*opened, "", "Grüße")) == "554 5.6.3 8-bit content is nested too deeply to be encoded"


def test_parts_without_end_are_refused() -> None:
    content = _lines("Content-Type: multipart/mixed; boundary=c", "", *["--c"] * 502, "", "Grüße", "--c--")
    assert _refusal(content) == "554 5.6.3 8-bit content of a multipart with 500 parts or more cannot be encoded"


_TEXT = st.lists(st.text(st.sampled_from("aü=. \tЖ_-?"), max_size=90), max_size=12)


@given(_TEXT, st.sampled_from(["text/plain", "text/html", "application/x-thing"]))
def test_any_text_reads_the_same_after_encoding(lines: list[str], content_type: str) -> None:
    part = [f"Content-Type: {content_type}; charset=utf-8", "", "ü", *lines]
    encoded = _encoded(_lines("Content-Type: multipart/mixed; boundary=zz", "", "--zz", *part, "--zz--"))
    assert encoded.isascii()
    assert encoded.count(b"\n") == encoded.count(b"\r\n") == encoded.count(b"\r")
    assert max(map(len, encoded.split(b"\r\n"))) <= 76
    assert _leaves(encoded)[0][1] == "\r\n".join(["ü", *lines]).encode()
