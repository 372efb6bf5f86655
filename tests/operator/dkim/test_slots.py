"""What is kept beside the keys is read as it was written, and nothing else is taken for it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot_operator.dkim.slots import Keys, Phase, Slot, decode, encode

KEYS = Keys(revoked=frozenset({"pq2-ed"})).put(
    Slot("pq2-rsa", Phase.ACTIVE, 20, "sha256:b", signs_since_s=10),
    Slot("pq1-rsa", Phase.RETIRING, 30, "sha256:a", signs_since_s=5),
    Slot("pq1-ed", Phase.PENDING, 40, "sha256:c", free_s=7),
)


def test_what_was_written_is_read() -> None:
    assert decode(encode(KEYS)) == KEYS
    assert decode(encode(Keys())) == Keys()
    assert [slot.selector for slot in KEYS.slots] == ["pq1-rsa", "pq2-rsa", "pq1-ed"]


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"slots": [{"selector": "m1", "phase": "Active", "since_s": 1}]},
        {"slots": [{"selector": "pq1-ed", "phase": "Good", "since_s": 1}]},
        {"slots": [{"selector": "pq1-ed", "phase": "Active", "since_s": -1}]},
        {"slots": [{"selector": "pq1-ed", "phase": "Active", "since_s": True}]},
        {"slots": [{"selector": f"pq{n}-ed", "phase": "Active", "since_s": 1} for n in (1, 2)]},
        {"slots": [{"selector": "pq1-ed", "phase": "Active", "since_s": 1}] * 2},
        {"slots": {}, "revoked": 1},
    ],
)
def test_what_we_did_not_write_is_nothing(change: dict[str, object]) -> None:
    written = {"format": 1, "slots": [], "revoked": []} | change
    assert decode(json.dumps(written).encode()) is None


@given(encoded=st.binary() | st.sampled_from([b"[]", b"1", b"[" * 10_000, b'{"format":1,"slots":[1],"revoked":[]}']))
def test_other_octets_are_nothing(encoded: bytes) -> None:
    assert decode(encoded) is None
