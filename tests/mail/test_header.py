"""Reading header sections: nothing raises, nothing is invented."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.header import Field, decode_text, decode_words, fields, split, unfold, value_of

_SECTION = b"From: a@one.example\r\nSubject: two\r\n lines\r\nX-Empty:\r\nfrom: b@two.example\r\n"


@pytest.mark.parametrize(
    ("content", "section", "body"),
    [
        (b"A: 1\r\n\r\nbody\r\n", b"A: 1\r\n", b"body\r\n"),
        (b"\r\nbody\r\n", b"", b"body\r\n"),
        (b"A: 1\r\n", b"A: 1\r\n", b""),
        (b"A: 1\r\n\r\n", b"A: 1\r\n", b""),
        (b"", b"", b""),
    ],
)
def test_the_empty_line_belongs_to_neither_section_nor_body(content: bytes, section: bytes, body: bytes) -> None:
    found, body_start = split(content)
    assert (found, content[body_start:]) == (section, body)


def test_fields_keep_their_folds_and_their_order() -> None:
    assert fields(_SECTION) == (
        Field("from", b"From: a@one.example\r\n"),
        Field("subject", b"Subject: two\r\n lines\r\n"),
        Field("x-empty", b"X-Empty:\r\n"),
        Field("from", b"from: b@two.example\r\n"),
    )


def test_a_field_gives_its_value_folded_and_its_text_unfolded() -> None:
    subject = fields(_SECTION)[1]
    assert subject.value == b" two\r\n lines\r\n"
    assert subject.text == "two lines"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"from", b" a@one.example"),
        (b"subject", b" two\r\n lines"),
        (b"x-empty", b""),
        (b"lines", None),
        (b"rom", None),
    ],
)
def test_a_value_is_found_by_the_whole_name_in_any_case(name: bytes, value: bytes | None) -> None:
    assert value_of(_SECTION, name) == value


def test_lines_that_belong_to_no_field_are_left_out() -> None:
    assert [field.name for field in fields(b"no field\r\nA: 1\r\nbad name: x\r\n")] == ["a"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b" plain ", "plain"),
        (b"=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        (b"=?UTF-8?B?R3LDvMOfZQ==?=", "Grüße"),
        (b"=?utf-8?B?R3LDvMOfZQ?=", "Grüße"),  # the padding forgotten, as some do
        (b"=?iso-8859-1?q?a?= =?iso-8859-1?q?b_c?= d", "ab c d"),  # RFC 2047 §8
        (b"=?utf-8*en?q?hi?=", "hi"),  # RFC 2231 §5
        (b"=?utf-8?q?x?=\r\n =?utf-8?q?y?=", "xy"),
        (b"=?nonsense?q?=E9?=", "é"),
        (b"=?punycode?q?abc?=", "abc"),
        (b"=?utf-8?b?A?=", "=?utf-8?b?A?="),
        (b"two\r\n lines", "two lines"),
    ],
)
def test_encoded_words_are_read_as_people_see_them(value: bytes, text: str) -> None:
    assert decode_words(value) == text


def test_text_of_an_unknown_charset_is_read_as_latin_1() -> None:
    assert decode_text(b"\xe9", "x-nothing") == "é"
    assert decode_text(b"\xe9", "latin-nothing") == "é"
    assert decode_text(b"\xff", "utf-8") == "\ufffd"


@given(st.binary(max_size=300))
def test_garbage_raises_nothing_and_splits_without_loss(garbage: bytes) -> None:
    section, body_start = split(garbage)
    assert section + garbage[len(section) : body_start] + garbage[body_start:] == garbage
    assert all(field.raw in section for field in fields(section))
    decode_words(garbage)
    unfold(garbage)


@given(
    st.lists(
        st.sampled_from([b"=?", b"utf-8", b"?", b"q", b"B", b"?=", b" ", b"\r\n ", b"=C3", b"aGk"]),
        max_size=30,
    )
)
def test_broken_encoded_words_raise_nothing(pieces: list[bytes]) -> None:
    decode_words(b"".join(pieces))
