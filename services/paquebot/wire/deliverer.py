"""The live state of a deliverer on the wire."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from google.protobuf.message import Message

from paquebot.pb.v1 import deliverer_pb2 as pb
from paquebot.wire.method import Method

SERVICE = "paquebot.v1.Deliverer"

T = TypeVar("T")
M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class StateRequest:
    """A question for everything, or for one site (or group), one tenant, or where a message's deliveries are."""

    site: str = ""
    tenant: str = ""
    message: str = ""
    sites_max: int = 0  # the busiest; 0: the deliverer's own limit


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a site is served: messages a second, and connections. 0 a second allowed: unlimited."""

    allowed_per_s: float = 0.0
    observed_per_s: float = 0.0
    connections_allowed: int = 0
    level: int = 0  # how often it was throttled without recovering
    slowed_by: str = ""  # what it goes slower for than it may


@dataclass(frozen=True, slots=True)
class Share:
    """What waits in line for a site of one lane and tenant."""

    lane: int
    tenant: str
    waiting: int


@dataclass(frozen=True, slots=True)
class Said:
    """The last delivered, deferred or failed that a site's hosts caused: when, who, and their reply or the reason."""

    kind: str
    at_ms: int
    host: str
    text: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Recipients by outcome since the process, or the site in its memory, began."""

    delivered: int = 0
    deferred: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class SiteState:
    """How a site stands: READY, THROTTLED or SUSPENDED, why, until when (Unix milliseconds), and its load."""

    site: str
    group: str
    state: str
    reason: str = ""
    until_ms: int = 0
    connections: int = 0
    in_flight: int = 0
    waiting: int = 0
    pace: Pace = field(default_factory=Pace)
    shares: tuple[Share, ...] = ()
    said: tuple[Said, ...] = ()
    counts: Counts = field(default_factory=Counts)
    domain: str = ""  # one whose mail goes there
    slot: int = 0  # its share of the limits, of `slots`
    slots: int = 1


@dataclass(frozen=True, slots=True)
class Load:
    """What a deliverer has in memory."""

    in_hand: int = 0
    in_hand_bytes: int = 0
    sites: int = 0
    connections: int = 0


@dataclass(frozen=True, slots=True)
class InHand:
    """Where a delivery in hand is: in `line` behind others of its lane and tenant, in an `attempt`, or `settling`."""

    name: str
    site: str
    stage: str
    ahead: int = 0
    since_ms: int = 0
    slot: int = 0


@dataclass(frozen=True, slots=True)
class DelivererState:
    """What a deliverer owns and does, as of `at_ms`."""

    pod: str
    pool: str
    partitions: tuple[int, ...]
    sites: tuple[SiteState, ...]
    draining: bool = False
    load: Load = field(default_factory=Load)
    revision: str = ""
    counts: Counts = field(default_factory=Counts)
    at_ms: int = 0
    found: tuple[InHand, ...] = ()


def _to_pb(kind: type[M], value: Any) -> M:
    """Encode a flat value: its fields have the names of the message's."""
    return kind(**{each.name: getattr(value, each.name) for each in fields(value)})


def _from_pb(kind: type[T], message: Message, nested: Mapping[str, Any] | None = None) -> T:
    """Decode a value; what is not flat in it is given."""
    known = nested or {}
    flat = {each.name: getattr(message, each.name) for each in fields(kind) if each.name not in known}  # type: ignore[arg-type]
    return kind(**flat, **known)


def _site_to_pb(site: SiteState) -> pb.SiteState:
    return pb.SiteState(
        site=site.site,
        group=site.group,
        state=site.state,
        reason=site.reason,
        until_ms=site.until_ms,
        connections=site.connections,
        in_flight=site.in_flight,
        waiting=site.waiting,
        pace=_to_pb(pb.Pace, site.pace),
        shares=[_to_pb(pb.Share, share) for share in site.shares],
        said=[_to_pb(pb.Said, said) for said in site.said],
        counts=_to_pb(pb.Counts, site.counts),
        domain=site.domain,
        slot=site.slot,
        slots=site.slots,
    )


def _site_from_pb(message: pb.SiteState) -> SiteState:
    nested = {
        "pace": _from_pb(Pace, message.pace),
        "shares": tuple(_from_pb(Share, share) for share in message.shares),
        "said": tuple(_from_pb(Said, said) for said in message.said),
        "counts": _from_pb(Counts, message.counts),
    }
    return _from_pb(SiteState, message, nested)


def _encode_state(state: DelivererState) -> bytes:
    return pb.DelivererState(
        pod=state.pod,
        pool=state.pool,
        partitions=state.partitions,
        sites=[_site_to_pb(site) for site in state.sites],
        draining=state.draining,
        load=_to_pb(pb.Load, state.load),
        revision=state.revision,
        counts=_to_pb(pb.Counts, state.counts),
        at_ms=state.at_ms,
        found=[_to_pb(pb.InHand, each) for each in state.found],
    ).SerializeToString()


def _decode_state(encoded: bytes) -> DelivererState:
    message = pb.DelivererState.FromString(encoded)
    nested = {
        "partitions": tuple(message.partitions),
        "sites": tuple(_site_from_pb(site) for site in message.sites),
        "load": _from_pb(Load, message.load),
        "counts": _from_pb(Counts, message.counts),
        "found": tuple(_from_pb(InHand, each) for each in message.found),
    }
    return _from_pb(DelivererState, message, nested)


STATE: Method[StateRequest, DelivererState] = Method(
    SERVICE,
    "State",
    lambda request: _to_pb(pb.StateRequest, request).SerializeToString(),
    lambda encoded: _from_pb(StateRequest, pb.StateRequest.FromString(encoded)),
    _encode_state,
    _decode_state,
)
