"""A delivery: one site's share of a message, what the queue holds and the deliverer works on."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum

from paquebot.mail.envelope import Wish
from paquebot.mail.reply import Reply

RECIPIENTS_MAX = 100  # of one delivery


class Lane(IntEnum):
    """Priority of a delivery: lower goes first."""

    URGENT = 0
    NORMAL = 1
    BULK = 2


@dataclass(frozen=True, slots=True)
class BodyRef:
    """Where a content too large to travel with its delivery lies: `b.<id>.<chunk>` of the pool's stream."""

    chunks: int
    size_bytes: int
    stream: int  # s of MQ_<pool>_<s>


@dataclass(frozen=True, slots=True)
class Delivery:
    """One recipient domain, one lane, at most RECIPIENTS_MAX recipients.

    It is named `<id>.<n>` for life: n is unique in the message. `prefix` (Received, tag fields,
    DKIM-Signature) is computed once and sent before the content, which never changes.
    Times are Unix milliseconds.
    """

    id: str
    n: int
    tenant: str
    credential: str
    reverse_path: str
    return_path: str  # what MAIL FROM says; differs from reverse_path when bounces come to us
    recipients: tuple[str, ...]
    domain: str  # of the recipients, as an A-label
    site: str  # subject token: see paquebot.queue.subjects.site_token
    group: str  # DestinationPolicy name, or "other"
    pool: str  # <namespace>_<name>
    lane: Lane
    partition: int
    prefix: bytes
    size_bytes: int  # of the content, without the prefix
    eight_bit: bool
    accepted_ms: int
    expires_ms: int
    attempts: int = 0
    next_ms: int = 0  # when it is tried next; 0: now
    held: bool = False  # waits for a person until next_ms, then the policy's default
    reason: str = ""  # why it waits, in a sentence
    last_reply: Reply | None = None
    last_host: str = ""
    crashes: int = 0  # takes that ended with neither record nor reply
    body: BodyRef | None = None  # None: the content travels with the delivery
    utf8: bool = False  # reverse-path or header section go beyond ASCII (RFC 6531); recipients show for themselves
    envelope_id: str = ""
    ret: str = ""
    wishes: Mapping[str, Wish] = field(default_factory=dict)  # by recipient, see Envelope
    delay_told: bool = False  # a report said that it is late
    relayed: tuple[str, ...] = ()  # handed on, and its sender wants to know but could not be told yet
    tags: Mapping[str, str] = field(default_factory=dict)  # the sender's own words, for routes and selectors
    hold_until_ms: int = 0  # TransportRoutes may hold it until then, and never again; 0: none has held it yet
    route: str = ""  # TransportRoute whose smarthost takes it instead of the domain's MX hosts
    steered_ms: int = 0  # when a person last decided about it: orders given before are done with
    order: str = ""  # id of the suspension that it waits for
    refuse_ms: int = 0  # from then on it is refused as unwanted instead of tried; 0: never
    alarmed: bool = False  # when it was judged its account did not act like itself
    moving_to: str = ""  # pool that takes it over: nothing else may be done with it
    moving_from: str = ""  # pool that it comes from and that may still hold it

    @property
    def name(self) -> str:
        """`<id>.<n>`."""
        return f"{self.id}.{self.n}"

    @property
    def is_moving(self) -> bool:
        """True while two pools may hold it: neither tries it."""
        return bool(self.moving_to or self.moving_from)

    def to(self, recipients: tuple[str, ...]) -> "Delivery":
        """Return the delivery to these of its recipients; to all of them it is itself, for copying it is not cheap."""
        return self if recipients == self.recipients else replace(self, recipients=recipients)


@dataclass(frozen=True, slots=True)
class Plan:
    """The router's answer: the deliveries of a message; each recipient stands in exactly one. Or why there are none."""

    deliveries: tuple[Delivery, ...]
    refusal: Reply | None = None
