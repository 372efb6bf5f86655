"""Structured MIME values in the shapes that mail really has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.mime_value import VALUE_MAX_BYTES, parameter, structured


@pytest.mark.parametrize(
    ("value", "token", "boundary"),
    [
        (b" text/plain", "text/plain", ""),
        (b" Multipart/MIXED; boundary=abc", "multipart/mixed", "abc"),
        (b' multipart/mixed;\r\n\tBoundary="a b;c"', "multipart/mixed", "a b;c"),
        (b' multipart/mixed; boundary = "a\\"b" ; x=y', "multipart/mixed", 'a"b'),
        (b" multipart/mixed; boundary=a; boundary=b", "multipart/mixed", "a"),
        (b" multipart/mixed; boundary=a=b ; c=d", "multipart/mixed", "a=b"),
        (b" ; boundary=a", "", "a"),
        (b"", "", ""),
    ],
)
def test_the_token_and_its_parameters_are_read(value: bytes, token: str, boundary: str) -> None:
    found, parameters = structured(value)
    assert (found, parameter(parameters, "boundary")) == (token, boundary)


@pytest.mark.parametrize(
    ("value", "filename"),
    [
        (b"attachment; filename=report.pdf", "report.pdf"),
        (b"attachment; filename*=utf-8''na%C3%AFve.txt", "naïve.txt"),
        (b"attachment; filename*=UTF-8'en'a%20b", "a b"),
        (b"attachment; filename*=nocharset", "nocharset"),
        (b'attachment; filename*0="very "; filename*1="long.txt"', "very long.txt"),
        (b"attachment; filename*0*=utf-8''%C3%BC; filename*1=b; filename*2*=%20c", "üb c"),
        (b'attachment; filename="=?utf-8?q?gr=C3=BC=C3=9Fe.txt?="', "grüße.txt"),
        (b"attachment; filename*=utf-8''right; filename=wrong", "right"),  # RFC 6266 §4.3 says the same
        (b"attachment", ""),
        (b"attachment; other=x", ""),
    ],
)
def test_file_names_are_read_in_all_their_forms(value: bytes, filename: str) -> None:
    assert parameter(structured(value)[1], "filename") == filename


def test_what_follows_the_limit_is_not_read() -> None:
    filler = b"x/y; a=" + b"z" * (VALUE_MAX_BYTES - 20)
    assert parameter(structured(filler + b"; b=c")[1], "b") == "c"
    assert parameter(structured(filler + b" " * 20 + b"; b=c")[1], "b") == ""


@given(
    st.lists(
        st.sampled_from([b";", b"=", b'"', b"\\", b"a", b"*0*", b"*", b"'", b"%C3", b" ", b"\r\n"]),
        max_size=60,
    )
)
def test_garbage_raises_nothing(pieces: list[bytes]) -> None:
    _, parameters = structured(b"".join(pieces))
    for name in ("a", "aa"):
        parameter(parameters, name)
