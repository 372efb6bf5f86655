"""The live state of a deliverer on the wire."""

from dataclasses import dataclass

from paquebot.pb.v1 import deliverer_pb2 as pb
from paquebot.wire.method import Method

SERVICE = "paquebot.v1.Deliverer"


@dataclass(frozen=True, slots=True)
class StateRequest:
    """A question for everything."""


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


@dataclass(frozen=True, slots=True)
class DelivererState:
    """What a deliverer owns and does."""

    pod: str
    pool: str
    partitions: tuple[int, ...]
    sites: tuple[SiteState, ...]
    draining: bool = False


def _encode_state(state: DelivererState) -> bytes:
    return pb.DelivererState(
        pod=state.pod,
        pool=state.pool,
        partitions=state.partitions,
        sites=[
            pb.SiteState(
                site=site.site,
                group=site.group,
                state=site.state,
                reason=site.reason,
                until_ms=site.until_ms,
                connections=site.connections,
                in_flight=site.in_flight,
                waiting=site.waiting,
            )
            for site in state.sites
        ],
        draining=state.draining,
    ).SerializeToString()


def _decode_state(encoded: bytes) -> DelivererState:
    message = pb.DelivererState.FromString(encoded)
    sites = tuple(
        SiteState(
            site.site,
            site.group,
            site.state,
            site.reason,
            site.until_ms,
            site.connections,
            site.in_flight,
            site.waiting,
        )
        for site in message.sites
    )
    return DelivererState(message.pod, message.pool, tuple(message.partitions), sites, message.draining)


STATE: Method[StateRequest, DelivererState] = Method(
    SERVICE,
    "State",
    lambda _request: pb.StateRequest().SerializeToString(),
    lambda _encoded: StateRequest(),
    _encode_state,
    _decode_state,
)
