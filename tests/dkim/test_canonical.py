"""Relaxed header fields, and which of them a signature covers."""

from hypothesis import given
from hypothesis import strategies as st

from paquebot.dkim.canonical import OVERSIGNED, SIGNED_IF_PRESENT, pick, relaxed_header

NAMES = st.sampled_from([*OVERSIGNED, *SIGNED_IF_PRESENT, "Received", "X-Other", "from", "SUBJECT"])
VALUES = st.lists(st.sampled_from(["a", "Grüße", " ", "\t", "\r\n ", "\r\n\t", ":", "=", ";"]), max_size=12).map(
    "".join
)
SECTIONS = st.lists(st.tuples(NAMES, VALUES), max_size=12).map(
    lambda fields: "".join(f"{name}:{value}\r\n" for name, value in fields).encode()
)


def h_names(section: bytes) -> list[str]:
    h_tag = pick(section).h_tag.replace(b"\r\n ", b"").decode()
    return h_tag.removeprefix(" h=").removesuffix(";").split(":")


def test_the_example_of_rfc_6376_section_3_4_5_gives_its_relaxed_header() -> None:
    fields = relaxed_header(b"A", b" X") + relaxed_header(b"B ", b" Y\t\r\n\tZ  ")
    assert fields == b"a:X\r\nb:Y Z\r\n"


def test_every_oversigned_name_is_listed_once_more_than_it_occurs() -> None:
    names = h_names(b"From: a@shop.example\r\nFROM: b@shop.example\r\n")
    assert [names.count(name) for name in OVERSIGNED] == [3, *[1] * (len(OVERSIGNED) - 1)]


def test_a_name_signed_if_present_is_not_listed_when_absent() -> None:
    assert "References" not in h_names(b"From: a@shop.example\r\n")
    assert h_names(b"References: <1@shop.example>\r\n").count("References") == 1


def test_of_duplicates_the_last_is_hashed_first() -> None:
    assert pick(b"To: first@x.test\r\nTo: second@x.test\r\n").canonical == b"to:second@x.test\r\nto:first@x.test\r\n"


def test_a_line_without_colon_is_passed_over() -> None:
    assert pick(b"From\r\nTo: a@x.test\r\n").canonical == b"to:a@x.test\r\n"


@given(section=SECTIONS)
def test_picked_fields_are_those_that_relaxing_each_field_gives(section: bytes) -> None:
    lines = section.replace(b"\r\n ", b"\0 ").replace(b"\r\n\t", b"\0\t").split(b"\r\n")[:-1]
    fields = [line.replace(b"\0", b"\r\n").partition(b":") for line in lines]
    expected = b"".join(
        relaxed_header(name, value)
        for covered in OVERSIGNED + SIGNED_IF_PRESENT
        for name, _, value in reversed(fields)
        if name.lower() == covered.lower().encode()
    )
    assert pick(section).canonical == expected


@given(section=SECTIONS)
def test_the_h_tag_keeps_to_78_columns(section: bytes) -> None:
    assert all(len(line) <= 78 for line in pick(section).h_tag.split(b"\r\n"))
