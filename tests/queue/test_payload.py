"""Items come back as they went; what cannot be read is refused by its format."""

import pytest

from paquebot.queue.payload import FORMAT, UnknownFormatError, decode, encode
from paquebot.wire.delivery import Item
from paquebot.wire.method import WireError
from queue_making import delivery


def test_an_item_comes_back_with_its_content() -> None:
    item = Item((delivery(), delivery(n=2)), split=True)
    assert decode(encode(item, b"\x00content\r\n")) == (item, b"\x00content\r\n")


def test_another_format_is_refused_by_its_number() -> None:
    with pytest.raises(UnknownFormatError, match=f"format 9; this release reads format {FORMAT}"):
        decode(b"\x09" + encode(Item((delivery(),)), b"")[1:])


def test_a_broken_item_is_refused() -> None:
    with pytest.raises(UnknownFormatError):
        decode(b"\x01")
    with pytest.raises(WireError):
        decode(b"\x01\x00\x00\x00\x02\xff\xffcontent")
