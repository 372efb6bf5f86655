"""Records survive the wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.record import Kind, Record
from paquebot.mail.reply import Reply
from paquebot.mail.verdict import Action, Levels, Reason, Terms, Verdict
from paquebot.pb.v1 import event_pb2
from paquebot.wire.method import WireError
from paquebot.wire.record import decode_records, encode_records

words = st.text(max_size=20)
records = st.builds(
    Record,
    kind=st.sampled_from(Kind),
    at_ms=st.integers(0, 2**50),
    id=words,
    n=st.integers(0, 1000),
    tenant=words,
    recipients=st.lists(words, max_size=3).map(tuple),
    reverse_path=words,
    host=words,
    reply=st.none() | st.builds(Reply, st.integers(200, 599), words, words),
    reason=words,
    next_ms=st.integers(0, 2**50),
    tls=words,
    report=words,
    author=words,
    verdict=st.none()
    | st.builds(
        Verdict,
        action=st.sampled_from(Action),
        probability=st.floats(0, 1),
        reasons=st.lists(st.builds(Reason, words, st.floats(-9, 9), words), max_size=3).map(tuple),
        shadow_action=st.none() | st.sampled_from(Action),
        unscanned=st.booleans(),
        model=words,
        alarmed=st.booleans(),
        terms=st.none() | st.builds(Terms, *[st.floats(-9, 9)] * 4),
        levels=st.none() | st.builds(Levels, *[st.floats(0, 2)] * 3),
        whose=words,
    ),
)


@given(st.lists(records, max_size=5).map(tuple))
def test_records_come_back_as_they_went(batch: tuple[Record, ...]) -> None:
    assert decode_records(encode_records(batch)) == batch


def test_a_later_format_is_refused_by_its_number() -> None:
    with pytest.raises(WireError, match="format 9"):
        decode_records(event_pb2.RecordBatch(format=9).SerializeToString())


def test_what_is_personal_stands_apart() -> None:
    batch = (Record(Kind.DELIVERED, 1, "id", 1, "shop", ("a@b.example",), reverse_path="c@d.example"),)
    message = event_pb2.RecordBatch.FromString(encode_records(batch)).records[0]
    message.ClearField("personal")
    assert b"@" not in message.SerializeToString()
