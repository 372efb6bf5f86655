"""What the scaler knows and decides, as values. Seconds; rates a second; `_s` of a moment is Unix time."""

import math
from dataclasses import dataclass
from enum import StrEnum

from paquebot.policy.scaling import Scaling


class Reason(StrEnum):
    """What keeps a destination from being served faster."""

    RATE = "RateLimit"  # its DestinationPolicy
    LEARNED = "LearnedRate"  # its hosts asked for less
    CONNECTIONS = "Connections"  # all that may be open are in use
    SLOTS = "Slots"  # as many deliverers as may serve it do all they can
    RESTING = "Resting"  # its hosts refuse, so it rests


@dataclass(frozen=True, slots=True)
class Destination:
    """What is limited as one: a DestinationPolicy's group, a site, or all other sites together.

    `backlog` may be sent now; `seconds` an attempt takes, 0 when none was seen. `connections` and `rate_per_s` hold for
    all slots together; `slots` is how many deliverers can serve it at once.
    """

    name: str
    backlog: int = 0
    arrivals_per_s: float = 0.0
    seconds: float = 0.0
    connections: float = math.inf
    rate_per_s: float = math.inf
    slots: int = 1
    resting_until_s: float = 0.0
    policy: str = ""  # the DestinationPolicy that limits it; empty: the default one
    learned: bool = False  # the rate is what its hosts bear, below what the policy allows


@dataclass(frozen=True, slots=True)
class Pod:
    """A deliverer that reports: attempts a second, the share of a core that it uses, open sessions."""

    name: str
    attempts_per_s: float = 0.0
    core: float = 0.0
    sessions: int = 0


@dataclass(frozen=True, slots=True)
class Signals:
    """One look at a pool's queue. `due_s`: the earliest time known at which deferred mail is due, infinity: none is."""

    destinations: tuple[Destination, ...] = ()
    pods: tuple[Pod, ...] = ()
    deferred: int = 0
    oldest_s: float = 0.0  # age of what lies ready for longest
    due_s: float = math.inf


@dataclass(frozen=True, slots=True)
class Spec:
    """What a pool declares, and how many replicas its Deployment wants now."""

    scaling: Scaling
    replicas: int
    sessions_per_replica: int = 200
    paused: bool = False
    rate_prior: float = 100.0  # messages a second of one deliverer, until it is measured


@dataclass(frozen=True, slots=True)
class State:
    """What the model remembers of a pool; `begin` makes one that is more careful, never less.

    `wishes` are the most (for going down) and the least (for going up) of late, older ones only where they count.
    """

    at_s: float
    highest: tuple[tuple[float, int], ...] = ()
    lowest: tuple[tuple[float, int], ...] = ()
    changes: tuple[tuple[float, int], ...] = ()
    per_pod: float = 0.0
    idle_since_s: float = math.inf
    failures: int = 0
    changed_s: float = 0.0  # when the number changed last; 0: not known


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """A destination that takes less than there is for it, and why."""

    destination: Destination
    wanted_per_s: float
    cap_per_s: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class Demand:
    """What a pool's destinations ask for: messages a second with and without their limits, and pods."""

    wanted_per_s: float = 0.0
    served_per_s: float = 0.0
    pods: float = 0.0
    sendable: bool = False
    bottlenecks: tuple[Bottleneck, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """How many replicas there shall be now. `wish` is what the demand alone asks for, within the pool's bounds.

    `per_pod` is what one deliverer can do, messages a second; `drain_s` until what may be sent is sent.
    """

    replicas: int
    wish: int
    demand: Demand
    per_pod: float
    drain_s: float
    failures: int = 0
    changed_s: float = 0.0
