"""Methods of our services as values: names and codecs. What carries them is not known here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class WireError(ValueError):
    """What came over the wire cannot be read: an unknown word, a missing part, a foreign format."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an item of a frame has no answer. `code` is UNAVAILABLE, DEADLINE, INVALID or INTERNAL."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Asked(Generic[Q]):
    """One request of a frame; `item` names it on its stream."""

    item: int
    deadline_ms: int
    request: Q


@dataclass(frozen=True, slots=True)
class Answered(Generic[A]):
    """The answer to an item of a frame."""

    item: int
    answer: A | Fault


@dataclass(frozen=True, slots=True)
class Method(Generic[Q, A]):
    """A unary method."""

    service: str
    name: str
    encode_request: Callable[[Q], bytes]
    decode_request: Callable[[bytes], Q]
    encode_answer: Callable[[A], bytes]
    decode_answer: Callable[[bytes], A]

    @property
    def path(self) -> str:
        """`/package.Service/Method`."""
        return f"/{self.service}/{self.name}"


@dataclass(frozen=True, slots=True)
class StreamMethod(Generic[Q, A]):
    """A bidirectional stream of frames."""

    service: str
    name: str
    encode_requests: Callable[[Sequence[Asked[Q]]], bytes]
    decode_requests: Callable[[bytes], list[Asked[Q]]]
    encode_answers: Callable[[Sequence[Answered[A]]], bytes]
    decode_answers: Callable[[bytes], list[Answered[A]]]
    request_size: Callable[[Q], int]  # about how many octets it takes in a frame

    @property
    def path(self) -> str:
        """`/package.Service/Method`."""
        return f"/{self.service}/{self.name}"
