"""References: short, found again however they are typed, and telling nothing but when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.ident import message_id
from paquebot.mail.reference import id_begins, read_reference, reference_of, referred_ms, unwanted

IDENT = "0193665f-1234-7abc-8def-0123456789ab"


@given(st.integers(0, 2**47), st.binary(min_size=10, max_size=10))
def test_a_reference_tells_its_time_and_is_read_as_it_is_written(now_ms: int, chance: bytes) -> None:
    reference = reference_of(message_id(now_ms, chance))
    assert referred_ms(reference) == now_ms
    assert read_reference(reference) == reference
    assert message_id(now_ms, chance).startswith(id_begins(reference))


def test_two_messages_of_one_millisecond_have_two_references() -> None:
    assert len({reference_of(message_id(5, n.to_bytes(2) + bytes(8))) for n in range(2000)}) == 2000


@pytest.mark.parametrize("typed", [str.upper, lambda text: text.replace("-", ""), lambda text: f" {text} "])
def test_however_it_is_typed_it_is_the_same(typed: object) -> None:
    reference = reference_of(IDENT)
    assert read_reference(typed(reference)) == reference  # type: ignore[operator]


@pytest.mark.parametrize("text", ["", "shop", IDENT, "06d3k-8z1vb-r7xqu", "06d3k-8z1vb-r7xq"])
def test_what_is_none_is_none(text: str) -> None:
    assert read_reference(text) == ""


def test_a_sender_is_told_the_reference_and_nothing_of_why() -> None:
    told = unwanted(IDENT)
    assert told.endswith(f"reference {reference_of(IDENT)}")
    assert IDENT not in told
