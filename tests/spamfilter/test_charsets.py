import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.spamfilter.charsets import decode


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        ("Grüße", "iso-8859-1"),
        ("Grüße", "utf-8"),
        ("重要なお知らせ", "iso-2022-jp"),
        ("重要なお知らせ", "shift_jis"),
        ("账户通知", "gb2312"),
        ("привет", "koi8-r"),
        ("привет", "windows-1251"),
    ],
)
def test_declared_charsets_are_decoded(text: str, charset: str) -> None:
    assert decode(text.encode(charset), charset.upper().encode()) == text


@pytest.mark.parametrize("declared", [b"", b"us-ascii", b"no-such-charset", b"x\0y", b"utf_7", b"idna", b"zlib"])
def test_a_charset_that_says_nothing_is_seen_through(declared: bytes) -> None:
    assert decode("Grüße".encode(), declared) == "Grüße"
    assert decode("Grüße".encode("cp1252"), declared) == "Grüße"


def test_text_that_was_cut_in_a_letter_stays_what_it_is() -> None:
    assert decode("Grüß €".encode()[:-1], b"utf-8").startswith("Grüß ")


@given(st.binary(max_size=200), st.binary(max_size=20))
def test_no_octets_fail(octets: bytes, declared: bytes) -> None:
    assert isinstance(decode(octets, declared), str)
