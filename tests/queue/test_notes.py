"""The journal's lines say what a successor must know, and no address."""

import pytest

from paquebot.queue.notes import FORMAT, UNTOUCHED, Note, Past, Stage, joined, read_batch, write_batch
from queue_making import delivery

MX = "mx.b.example [192.0.2.1]"


def read(note: Note) -> Past:
    ((name, attempts, past),) = read_batch(write_batch([note]))
    assert (name, attempts) == (note.delivery.name, note.delivery.attempts)
    return past


@pytest.mark.parametrize(
    ("note", "past"),
    [
        (Note(delivery(crashes=1)), Past(crashes=1)),
        (Note(delivery(attempts=4), stage=Stage.BEGUN), Past(crashes=1)),
        (Note(delivery(), stage=Stage.DOT, host=MX), Past(crashes=1, doubt=MX, host=MX)),
        (Note(delivery(), stage=Stage.ANSWERED, host=MX, delivered=(0, 2)), Past(False, 1, None, (0, 2), MX)),
        (Note(delivery(), stage=Stage.DOT, host=MX, delivered=(1,)), Past(False, 1, MX, (1,), MX)),
        (Note(delivery(crashes=1), "mx.old [192.0.2.9]", Stage.BEGUN), Past(crashes=2, doubt="mx.old [192.0.2.9]")),
        (Note(delivery(crashes=1), ""), Past(crashes=1, doubt="")),
    ],
)
def test_what_is_written_is_read(note: Note, past: Past) -> None:
    assert read(note) == past


def test_no_recipient_stands_in_it() -> None:
    note = Note(delivery(recipients=("ann@b.example",)), stage=Stage.ANSWERED, host=MX, delivered=(0,))
    assert b"ann" not in write_batch([note])


@pytest.mark.parametrize("payload", [b"", b"paquebot journal 2\nx", b"\xff", FORMAT.encode() + b"\nhalf\ta line"])
def test_what_it_does_not_understand_is_left_alone(payload: bytes) -> None:
    assert list(read_batch(payload)) == []


def test_none_takes_back_what_another_saw() -> None:
    first = Past(crashes=1, doubt=MX)
    second = Past(crashes=2, delivered=(1,), host="other [192.0.2.2]")
    both = Past(False, 2, MX, (1,), "other [192.0.2.2]")
    assert joined([first, second]) == joined([second, first]) == both
    assert joined([Past(doubt=""), first]) == first
    assert joined([]) == UNTOUCHED
