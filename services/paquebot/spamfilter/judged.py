"""What is kept of a judged message so that people's decisions can teach: its words as slots, and no text. Pure.

And what a record of the event stream teaches about its message.
"""

import struct
from dataclasses import dataclass
from typing import Final

from paquebot.mail.record import Kind, Record
from paquebot.spamfilter.content import WORDS_MAX

KEPT_S: Final = 7 * 86_400  # beyond the end of a hold: complaints and bounces come late
NEAR: Final = 0.1  # probability from which a message is kept that was let through
_FORMAT: Final = 1
_HEAD: Final = struct.Struct("<BBffH")  # format, flags, logit, the weight of what was taught, words
_ALARMED, _TAUGHT_WANTED = 1, 2
_POLICY: Final = "5.7."  # RFC 3463 §3.8: security or policy
TEACHING: Final = (Kind.RELEASED, Kind.REFUSED, Kind.FAILED, Kind.COMPLAINT, Kind.UNSUBSCRIBE)


@dataclass(frozen=True, slots=True)
class Judged:
    """A message as it was judged: what was known without the tenant's delta, in log-odds, and its words.

    `taught` is the weight of what people have taught by it so far, 0 for nothing; `wanted` what that was.
    """

    logit: float
    words: tuple[int, ...]
    alarmed: bool = False
    taught: float = 0.0
    wanted: bool = False

    def encode(self) -> bytes:
        """Return it as octets, 4 a word."""
        words = self.words[:WORDS_MAX]
        flags = _ALARMED * self.alarmed | _TAUGHT_WANTED * self.wanted
        return _HEAD.pack(_FORMAT, flags, self.logit, self.taught, len(words)) + struct.pack(f"<{len(words)}I", *words)


@dataclass(frozen=True, slots=True)
class Label:
    """What somebody said of a message, and how much their word counts (1 at most)."""

    is_wanted: bool
    weight: float


def decode(encoded: bytes) -> Judged | None:
    """Return what was kept; None for what is none, or another release's."""
    try:
        form, flags, logit, taught, count = _HEAD.unpack_from(encoded)
        words = struct.unpack_from(f"<{count}I", encoded, _HEAD.size)
    except struct.error:
        return None
    if form != _FORMAT or count > WORDS_MAX:
        return None
    return Judged(logit, words, bool(flags & _ALARMED), taught, bool(flags & _TAUGHT_WANTED))


def label_of(record: Record) -> Label | None:
    """Return what a record teaches about its message; None for nothing."""
    match record.kind:
        case Kind.RELEASED if record.author:
            return Label(is_wanted=True, weight=1.0)
        case Kind.REFUSED if record.author:
            return Label(is_wanted=False, weight=1.0)
        case Kind.FAILED if record.host and record.reply is not None and record.reply.enhanced.startswith(_POLICY):
            return Label(is_wanted=False, weight=0.5)
        case Kind.COMPLAINT:
            return Label(is_wanted=False, weight=1.0)
        case Kind.UNSUBSCRIBE:
            return Label(is_wanted=False, weight=0.1)
    return None


def teaches(label: Label, judged: Judged) -> bool:
    """Say whether a label is to be learned: a weightier word than before, and no release of an account under alarm."""
    if label.is_wanted and judged.alarmed:
        return False
    return label.weight > judged.taught
