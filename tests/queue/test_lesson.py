"""What was learned is kept without mailboxes, and read with caution."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from paquebot.queue.lesson import REASON_MAX, Lesson, decode, encode, key_of

LESSON = Lesson("THROTTLED", 1000, "421 4.7.0 slow down", 2, 4, 1.5, 3.0, 60.0)


def test_a_lesson_is_read_as_it_was_written() -> None:
    assert decode(encode(LESSON)) == LESSON


def test_it_names_no_mailbox_and_is_small() -> None:
    told = Lesson("READY", reason="RCPT was answered with 421 <ann@shop.example> is busy" + "x" * 1000)
    encoded = encode(told)
    assert b"ann" not in encoded
    assert len(json.loads(encoded)["reason"]) == REASON_MAX


def test_sites_and_slots_have_keys_of_their_own() -> None:
    keys = {key_of("mail_main", site, slot) for site in ("big", "b.example", "b_example") for slot in range(3)}
    assert len(keys) == 9


@settings(max_examples=30)
@given(st.binary(max_size=50) | st.recursive(st.none() | st.floats(), st.lists).map(lambda e: json.dumps(e).encode()))
def test_what_is_no_lesson_is_passed_over(encoded: bytes) -> None:
    assert decode(encoded) is None


def test_a_lesson_of_infinite_numbers_is_none() -> None:
    assert decode(encode(LESSON).replace(b'"level": 2', b'"level": Infinity')) is None
