"""The relaxed canonical body against the words of RFC 6376 and against an independent implementation."""

import hashlib

import pytest
from dkim.canonicalization import Relaxed
from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.bodyhash import relaxed_body, relaxed_body_hash

_PIECES = st.sampled_from([b" ", b"\t", b"  ", b"\r\n", b"\r\n\r\n", b"a", b"bc", b".", b"\xc3\xbc", b" \t "])


@given(st.lists(_PIECES, max_size=60))
def test_any_body_is_canonical_as_dkimpy_says(pieces: list[bytes]) -> None:
    body = b"".join(pieces) + b"\r\n"
    assert relaxed_body(body) == Relaxed.canonicalize_body(body)


@pytest.mark.parametrize(
    ("body", "canonical"),
    [
        (b"", b""),
        (b"\r\n", b""),
        (b"\r\n\r\n\r\n", b""),
        (b" \r\n\t\r\n", b""),
        (b" C \r\nD \t E\r\n\r\n\r\n", b" C\r\nD E\r\n"),  # RFC 6376 §3.4.5
        (b"a" + b" " * 990 + b"b\r\n", b"a b\r\n"),
    ],
)
def test_white_space_is_reduced_and_empty_lines_at_the_end_are_dropped(body: bytes, canonical: bytes) -> None:
    assert relaxed_body(body) == canonical


def test_the_hash_of_an_empty_body_is_the_one_of_rfc_6376() -> None:
    assert relaxed_body_hash(b"\r\n") == hashlib.sha256(b"").digest()
