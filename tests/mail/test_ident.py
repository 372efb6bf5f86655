"""Ids of messages and reports."""

from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.ident import accepted_ms, message_id, report_id

_ID = message_id(1_764_000_000_000, bytes(10))


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_a_message_id_is_a_uuid_7_that_tells_its_time(now_ms: int, chance: bytes) -> None:
    made = UUID(message_id(now_ms, chance))
    assert (made.version, made.variant) == (7, RFC_4122)
    assert accepted_ms(str(made)) == now_ms


@given(st.integers(0, 2**48 - 2), st.binary(min_size=10, max_size=10), st.binary(min_size=10, max_size=10))
def test_a_later_message_id_sorts_later(now_ms: int, first: bytes, second: bytes) -> None:
    assert message_id(now_ms, first) < message_id(now_ms + 1, second)


def test_chance_makes_ids_of_one_millisecond_differ() -> None:
    assert message_id(1, bytes(9) + b"\1") != message_id(1, bytes(9) + b"\2")


def test_a_report_has_the_same_id_each_time_it_is_made() -> None:
    assert report_id(_ID, 1, "2") == report_id(_ID, 1, "2")
    assert UUID(report_id(_ID, 1, "2")).version == 5


def test_reports_about_other_deliveries_or_attempts_have_other_ids() -> None:
    ids = {report_id(_ID, 1, "2"), report_id(_ID, 2, "1"), report_id(_ID, 1, "3"), report_id(_ID[:-1] + "1", 1, "2")}
    assert len(ids) == 4
