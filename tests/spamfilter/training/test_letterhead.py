import random
from email.header import decode_header, make_header

import pytest

from paquebot.spamfilter.training.letterhead import Letterhead, base64_words, quoted_words

SUBJECT = "Überfällig: 請求書 für Straße, noch dreimal gesagt: Überfällig, überfällig, überfällig"


@pytest.mark.parametrize("words", [base64_words, quoted_words])
@pytest.mark.parametrize("charset", ["utf-8", "iso-2022-jp"])
def test_encoded_words_say_what_they_encode_and_are_short(words, charset) -> None:
    text = SUBJECT if charset == "utf-8" else "重要なお知らせ、ご利用明細をご確認ください"
    encoded = words(text, charset)
    assert all(len(word) <= 75 for word in encoded)
    assert str(make_header(decode_header("\r\n ".join(encoded)))) == text


def test_lines_are_folded_and_addresses_stay_outside_encoded_words() -> None:
    head = Letterhead((("From", "Jürgen Müller <j@x.example>"), ("Subject", "word " * 40 + "end")))
    section = head.section("utf-8", random.Random(1))
    assert b" <j@x.example>\r\n" in section
    assert all(len(line) <= 78 for line in section.split(b"\r\n"))
    assert section.isascii()


def test_a_field_that_its_charset_has_not_comes_in_utf8() -> None:
    section = Letterhead((("Subject", "Größe"), ("From", "陳大文 <c@x.example>"))).section(
        "iso-8859-1", random.Random(1)
    )
    assert section.lower().count(b"=?iso-8859-1?") == 1
    assert b"=?utf-8?" in section
