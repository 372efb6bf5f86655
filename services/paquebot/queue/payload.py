"""What a queue item is made of: format number, length, protobuf, then the content as it came."""

import struct

from paquebot.wire.delivery import Item, decode_item, encode_item

FORMAT = 1
_HEAD = struct.Struct(">BI")


class UnknownFormatError(ValueError):
    """An item that this release cannot read."""


def encode(item: Item, content: bytes) -> bytes:
    """Return an item's octets. `content` is empty when it is stored apart."""
    encoded = encode_item(item)
    return b"".join((_HEAD.pack(FORMAT, len(encoded)), encoded, content))


def decode(payload: bytes) -> tuple[Item, bytes]:
    """Return an item and its content; raise UnknownFormatError, or WireError for a broken one."""
    return decode_head(payload), content_of(payload)


def decode_head(payload: bytes) -> Item:
    """Return an item and leave its content alone; raises as `decode` does."""
    return decode_item(payload[_HEAD.size : _end(payload)])


def content_of(payload: bytes) -> bytes:
    """Return the content that travels with an item."""
    return payload[_end(payload) :]


def _end(payload: bytes) -> int:
    if len(payload) < _HEAD.size:
        raise UnknownFormatError("an item shorter than its head")
    number, length = _HEAD.unpack_from(payload)
    if number != FORMAT:
        raise UnknownFormatError(f"an item of format {number}; this release reads format {FORMAT}")
    return int(_HEAD.size + length)
