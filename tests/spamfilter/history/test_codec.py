"""A history is stored and read as it is; what cannot be read is none."""

import json

import pytest

from history_support import BEGIN_S, foreign, settled
from paquebot.spamfilter.history.account import Account, newcomer
from paquebot.spamfilter.history.alarm import assess, watched
from paquebot.spamfilter.history.codec import (
    OCTETS_MAX,
    decode_account,
    decode_counts,
    encode_account,
    encode_counts,
)
from paquebot.spamfilter.history.counts import Span, What, unseen

LATER = BEGIN_S + 1e6


def busy() -> Account:
    account = settled(400)
    for number in range(30):
        account, _ = watched(account.after(foreign(number, LATER + number)), LATER + number)
    return account


def test_an_account_read_back_acts_the_same() -> None:
    account = busy()
    read = decode_account(encode_account(account))
    assert read is not None
    assert (read.alarm, read.recipients, read.networks, read.links) == (
        account.alarm,
        account.recipients,
        account.networks,
        account.links,
    )
    assert assess(read, LATER + 30).evidence == pytest.approx(assess(account, LATER + 30).evidence, abs=0.01)
    assert encode_account(read) == encode_account(account)


def test_a_newcomer_is_small_and_nobody_is_large() -> None:
    assert len(encode_account(newcomer(BEGIN_S))) < 1500
    assert len(encode_account(busy())) < OCTETS_MAX / 2


def test_other_keys_are_counters_alone() -> None:
    counts = unseen(BEGIN_S).after({What.COMPLAINTS: 2.0}, LATER)
    read = decode_counts(encode_counts(counts))
    assert read is not None
    assert read.count(What.COMPLAINTS, Span.DAY, LATER) == 2


def test_counters_of_an_earlier_release_are_filled_up() -> None:
    entry = json.loads(encode_counts(unseen(BEGIN_S).after({What.SENT: 3.0}, BEGIN_S)))
    entry["counts"][2] = entry["counts"][2][:6]
    read = decode_counts(json.dumps(entry).encode())
    assert read is not None
    assert (read.count(What.SENT, Span.HOUR, BEGIN_S), read.count(What.REFUSED, Span.HOUR, BEGIN_S)) == (3, 0)


@pytest.mark.parametrize(
    "encoded",
    [b"", b"{", b"[]", b'{"format": 2}', b'{"format": 1}', b'{"format": 1, "counts": 7}', b"x" * (OCTETS_MAX + 1)],
)
def test_what_cannot_be_read_is_unknown(encoded: bytes) -> None:
    assert decode_account(encoded) is None
    assert decode_counts(encoded) is None


def test_a_broken_field_makes_all_of_it_unknown() -> None:
    for field in json.loads(encode_account(busy())):
        entry = json.loads(encode_account(busy()))
        entry[field] = "?"
        assert decode_account(json.dumps(entry).encode()) is None
