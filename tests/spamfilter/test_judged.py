"""What is kept of judged mail, and what records teach about it."""

from dataclasses import replace

import pytest

from paquebot.mail.record import Kind, Record
from paquebot.mail.reply import Reply
from paquebot.spamfilter.content import WORDS_MAX
from paquebot.spamfilter.judged import Judged, Label, decode, label_of, teaches

RECORD = Record(Kind.RELEASED, 1, "id", 1, "shop", ("a@b.example",))
POLICY, UNKNOWN = Reply(550, "5.7.1", "Spam"), Reply(550, "5.1.1", "No such user")


@pytest.mark.parametrize(
    ("record", "label"),
    [
        (replace(RECORD, author="ann"), Label(is_wanted=True, weight=1.0)),
        (replace(RECORD, kind=Kind.REFUSED, author="ann"), Label(is_wanted=False, weight=1.0)),
        (replace(RECORD, kind=Kind.FAILED, host="mx", reply=POLICY), Label(is_wanted=False, weight=0.5)),
        (replace(RECORD, kind=Kind.COMPLAINT), Label(is_wanted=False, weight=1.0)),
        (replace(RECORD, kind=Kind.UNSUBSCRIBE), Label(is_wanted=False, weight=0.1)),
        # nobody decided
        (RECORD, None),
        (replace(RECORD, kind=Kind.REFUSED, reply=POLICY), None),
        (replace(RECORD, kind=Kind.FAILED, reply=POLICY), None),
        (replace(RECORD, kind=Kind.FAILED, host="mx", reply=UNKNOWN), None),
        (replace(RECORD, kind=Kind.FAILED, host="mx"), None),
        (replace(RECORD, kind=Kind.CANCELLED, author="ann"), None),
        (replace(RECORD, kind=Kind.DELIVERED, host="mx"), None),
    ],
)
def test_what_a_record_teaches(record: Record, label: Label | None) -> None:
    assert label_of(record) == label


def test_a_release_of_an_account_under_alarm_teaches_nothing_and_its_refusal_does() -> None:
    alarmed = Judged(2.0, (1, 2), alarmed=True)
    assert not teaches(Label(is_wanted=True, weight=1.0), alarmed)
    assert teaches(Label(is_wanted=False, weight=1.0), alarmed)


def test_a_message_teaches_again_only_by_a_weightier_word() -> None:
    bounced = Judged(2.0, (1, 2), taught=0.5)
    assert teaches(Label(is_wanted=True, weight=1.0), bounced)
    assert not teaches(Label(is_wanted=False, weight=0.5), bounced)


def test_what_is_kept_comes_back_and_is_bounded() -> None:
    judged = Judged(1.5, (7, 2**31), alarmed=True, taught=0.5, wanted=True)
    assert decode(judged.encode()) == judged
    long = decode(Judged(0.0, tuple(range(WORDS_MAX + 9))).encode())
    assert long is not None
    assert len(long.words) == WORDS_MAX


@pytest.mark.parametrize("encoded", [b"", b"\x09" + Judged(0.0, ()).encode()[1:], Judged(0.0, (1, 2)).encode()[:-1]])
def test_what_is_something_else_is_none(encoded: bytes) -> None:
    assert decode(encoded) is None
