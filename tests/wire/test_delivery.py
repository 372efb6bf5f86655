"""Queue items survive the wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.delivery import BodyRef, Delivery, Lane
from paquebot.mail.reply import Reply
from paquebot.wire.delivery import Item, decode_item, encode_item
from paquebot.wire.method import WireError

numbers = st.integers(0, 2**31)
words = st.text(max_size=20)
replies = st.builds(Reply, st.integers(200, 599), words, words)
deliveries = st.builds(
    Delivery,
    id=words,
    n=numbers,
    tenant=words,
    credential=words,
    reverse_path=words,
    return_path=words,
    recipients=st.lists(words, max_size=4).map(tuple),
    domain=words,
    site=words,
    group=words,
    pool=words,
    lane=st.sampled_from(Lane),
    partition=st.integers(0, 15),
    prefix=st.binary(max_size=64),
    size_bytes=numbers,
    eight_bit=st.booleans(),
    accepted_ms=numbers,
    expires_ms=numbers,
    attempts=numbers,
    next_ms=numbers,
    held=st.booleans(),
    reason=words,
    last_reply=st.none() | replies,
    last_host=words,
    crashes=numbers,
    utf8=st.booleans(),
    envelope_id=words,
    ret=words,
    delay_told=st.booleans(),
    relayed=st.lists(words, max_size=4).map(tuple),
    tags=st.dictionaries(words, words, max_size=3),
    route=words,
    hold_until_ms=numbers,
    body=st.none() | st.builds(BodyRef, numbers, numbers, st.integers(0, 3)),
    steered_ms=numbers,
    order=words,
    moving_to=words,
    moving_from=words,
)


@given(st.lists(deliveries, max_size=3).map(tuple), st.booleans())
def test_an_item_comes_back_as_it_went(several: tuple[Delivery, ...], split: bool) -> None:
    item = Item(several, split)
    assert decode_item(encode_item(item)) == item


def test_garbage_is_a_wire_error() -> None:
    with pytest.raises(WireError, match="not a queue item"):
        decode_item(b"\xff\xff\xff")
