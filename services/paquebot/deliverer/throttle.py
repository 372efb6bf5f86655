"""How fast a site may be served: READY, THROTTLED or SUSPENDED, its pace, its connections. Pure; `now` in seconds."""

import math
from dataclasses import dataclass, field
from enum import StrEnum

from paquebot.policy.values import DestinationPolicy

SUCCESSES_A_STEP = 10  # that earn a connection back


class State(StrEnum):
    """A site is in exactly one of these."""

    READY = "READY"
    THROTTLED = "THROTTLED"
    SUSPENDED = "SUSPENDED"


MOVES = {
    State.READY: {State.THROTTLED, State.SUSPENDED},
    State.THROTTLED: {State.READY, State.SUSPENDED},
    State.SUSPENDED: {State.READY},
}


@dataclass(slots=True)
class Throttle:
    """The pace of one site under its DestinationPolicy."""

    policy: DestinationPolicy
    state: State = State.READY
    reason: str = ""
    until: float = 0.0  # THROTTLED: when it may be tried again
    allowed: int = field(init=False)  # connections at once
    level: int = 0  # how often it was throttled without recovering
    successes: int = 0
    next_at: float = 0.0  # the pace: no message begins before
    promised: float = -math.inf  # the last turn that was told

    def __post_init__(self) -> None:
        self.allowed = self.policy.connections_max

    def follows(self, since: float) -> None:
        """Keep to the pace behind a former owner, who may have begun a message right before `since`."""
        self.next_at = since + _apart(self.policy)

    def wait(self, now: float) -> float:
        """Return the seconds until a message may begin; 0: now. infinity: not before somebody resumes it."""
        if self.state is State.SUSPENDED:
            return float("inf")
        if self.state is State.THROTTLED:
            if now < self.until:
                return self.until - now
            self._move(State.READY)
        return max(0.0, self.next_at - now)

    @property
    def why(self) -> str:
        """Say why a message must wait."""
        if self.state is State.READY:
            return f"kept to its pace of {self.policy.rate_per_s:g} messages a second"
        return f"{self.state}: {self.reason}"

    def is_forgettable(self, now: float) -> bool:
        """Say whether a fresh throttle would treat the site the same; what was learned is kept for a longest rest."""
        return self.wait(now) == 0.0 and (self.level == 0 or now > self.until + self.policy.backoff.max_s)

    def turn(self, now: float, far_s: float) -> float:
        """Return when to send one more back for, in seconds: behind those that were told theirs, at the pace."""
        wait = min(self.wait(now), far_s)
        if self.policy.rate_per_s:
            self.promised = min(now + far_s, max(now + wait, self.promised + 1.0 / self.policy.rate_per_s))
            return self.promised - now
        return wait

    def begin(self, now: float) -> None:
        """Count a message that begins now: the next one waits its turn."""
        assert self.wait(now) == 0.0, "begun before its time"  # noqa: S101
        if self.policy.rate_per_s:
            self.next_at = now + 1.0 / self.policy.rate_per_s

    def slow_down(self, now: float, reason: str) -> None:
        """Rest, longer each time; half the connections. What comes while it rests already changes nothing."""
        if self.state is not State.READY:
            return
        backoff = self.policy.backoff
        self.until = now + min(backoff.max_s, backoff.initial_s * backoff.multiplier ** min(self.level, 32))
        self.level += 1
        self.allowed = min(self.policy.connections_max, max(1, self.allowed // 2))
        self.successes = 0
        self.reason = reason
        self._move(State.THROTTLED)

    def went_well(self) -> None:
        """Count a success; some of them earn a connection and a shorter rest back."""
        self.successes += 1
        if self.successes % SUCCESSES_A_STEP == 0:
            self.allowed = min(self.policy.connections_max, self.allowed + 1)
            self.level = max(0, self.level - 1)

    def suspend(self, reason: str) -> None:
        """Send nothing until resumed."""
        self.reason = reason
        if self.state is not State.SUSPENDED:
            self._move(State.SUSPENDED)

    def resume(self) -> None:
        """Send again."""
        if self.state is State.SUSPENDED:
            self._move(State.READY)

    def follow(self, policy: DestinationPolicy) -> None:
        """Take a changed policy over; what was learned stays within its limits."""
        if policy.connections_max > self.policy.connections_max and self.level == 0:
            self.allowed = policy.connections_max
        if policy.rate_per_s != self.policy.rate_per_s:
            self.next_at += _apart(policy) - _apart(self.policy)
            self.promised = -math.inf
        self.policy = policy
        self.allowed = min(self.allowed, policy.connections_max)

    def _move(self, state: State) -> None:
        assert state in MOVES[self.state], f"{self.state} to {state} is no legal move"  # noqa: S101
        self.state = state
        if state is State.READY:
            self.reason = ""


def _apart(policy: DestinationPolicy) -> float:
    """Return the seconds between two messages."""
    return 1.0 / policy.rate_per_s if policy.rate_per_s else 0.0
