"""How an MX host of the sandbox treats its clients: values. `doorkeeper` decides by them, `voice` words replies."""

from dataclasses import dataclass, field
from enum import StrEnum

from paquebot.mail.reply import Reply

THROTTLED = Reply(421, "4.7.0", "Too much from you: slow down")


class Stage(StrEnum):
    """Where in a dialogue trouble comes."""

    CONNECT = "Connect"
    EHLO = "Ehlo"
    MAIL = "Mail"
    RCPT = "Rcpt"
    DATA = "Data"
    CONTENT = "Content"  # in the middle of it
    DOT = "Dot"


class Act(StrEnum):
    """What a host may do instead of answering."""

    SILENT = "Silent"  # never answers
    HANG_UP = "HangUp"


Answer = Reply | Act


class Handshake(StrEnum):
    """What becomes of a TLS handshake."""

    GOOD = "Good"
    BROKEN = "Broken"  # answered with garbage
    SILENT = "Silent"  # never answered


class Certificate(StrEnum):
    """What a host shows; nobody vouches for either, as on much of the real internet."""

    SELF_SIGNED = "SelfSigned"
    EXPIRED = "Expired"


class Wording(StrEnum):
    """How replies are written (RFC 5321 §4.2)."""

    PLAIN = "Plain"
    MULTILINE = "Multiline"
    ODD = "Odd"  # rare, and legal


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that goes wrong at a stage."""

    at: Stage
    answer: Answer
    tries: int = 0  # only the first so many tries of the same thing; 0: all
    chance: float = 1.0
    keeps: bool = False  # at DOT: the host keeps the message all the same


@dataclass(frozen=True, slots=True)
class Limits:
    """What a host takes from one client address without having told it; 0: no limit.

    Beyond what it takes in a time, it takes nothing for `penalty_s`, and twice as long each next time.
    """

    messages_per_connection_max: int = 0
    messages_per_second_max: int = 0
    messages_per_minute_max: int = 0
    connections_max: int = 0
    reply: Reply = THROTTLED
    penalty_s: float = 0.0
    penalty_max_s: float = 3600.0


@dataclass(frozen=True, slots=True)
class Manner:
    """What one host does; zero and empty mean it does not."""

    without: frozenset[str] = frozenset()  # EHLO keywords it does not know
    handshake: Handshake = Handshake.GOOD
    certificate: Certificate = Certificate.SELF_SIGNED
    wording: Wording = Wording.PLAIN
    delay_s: float = 0.0  # before each reply
    trickle_s: float = 0.0  # between the pieces of a reply
    size_max_bytes: int = 104_857_600
    recipients_max: int = 0  # of a message: 552 beyond (RFC 5321 §4.5.3.1.10)
    greylist_s: float = 0.0  # 451 until this long after the first sight of (client, reverse-path, recipient)
    unknown_prefix: str = ""  # local parts that begin so are unknown users
    limits: Limits = field(default_factory=Limits)
    troubles: tuple[Trouble, ...] = ()
