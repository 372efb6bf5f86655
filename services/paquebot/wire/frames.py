"""Frames of items: the same shape for every stream, around requests and answers of its own."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from paquebot.wire.method import Answered, Asked, Fault
from paquebot.wire.values import fault_from_pb, fault_to_pb

Q = TypeVar("Q")
A = TypeVar("A")


def encode_asked(frame: Any, items: Sequence[Asked[Q]], to_pb: Callable[[Q], Any]) -> bytes:
    """Fill an empty frame message with requests and return its octets."""
    for asked in items:
        frame.items.add(item=asked.item, deadline_ms=asked.deadline_ms, request=to_pb(asked.request))
    return bytes(frame.SerializeToString())


def decode_asked(frame: Any, from_pb: Callable[[Any], Q]) -> list[Asked[Q]]:
    """Return the requests of a frame message."""
    return [Asked(item.item, item.deadline_ms, from_pb(item.request)) for item in frame.items]


def encode_answered(frame: Any, items: Sequence[Answered[A]], to_pb: Callable[[A], Any]) -> bytes:
    """Fill an empty frame message with answers and faults and return its octets."""
    for answered in items:
        if isinstance(answered.answer, Fault):
            frame.items.add(item=answered.item, fault=fault_to_pb(answered.answer))
        else:
            frame.items.add(item=answered.item, answer=to_pb(answered.answer))
    return bytes(frame.SerializeToString())


def decode_answered(frame: Any, from_pb: Callable[[Any], A]) -> list[Answered[A]]:
    """Return the answers and faults of a frame message."""
    return [
        Answered(item.item, fault_from_pb(item.fault) if item.HasField("fault") else from_pb(item.answer))
        for item in frame.items
    ]
