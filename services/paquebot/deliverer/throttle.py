"""How fast a site may be served: READY, THROTTLED or SUSPENDED, its pace, its connections. Pure; `now` in seconds.

A host that asks for less gets a slower pace after a brief rest. Where that does not help, because nothing goes well any
more, the site rests by its back-off, longer each time.
"""

import math
from dataclasses import dataclass, field
from enum import StrEnum

from paquebot.deliverer.pace import Pace
from paquebot.policy.values import DestinationPolicy
from paquebot.queue.lesson import Lesson

SUCCESSES_A_STEP = 10  # that earn a connection back
REST_MAX_S = 86_400.0  # a rest that is recalled
BRIEF_S = 3.0  # rest before a slower pace begins


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
    until: float = 0.0  # THROTTLED or SUSPENDED: when it may be tried again
    pace: Pace = field(init=False)
    allowed: int = field(init=False)  # connections at once
    level: int = 0  # how often it rested without recovering
    slowed_by: str = ""  # what it was last slowed down for
    successes: int = 0
    next_at: float = 0.0  # the pace: no message begins before
    promised: float = -math.inf  # the last turn that was told

    def __post_init__(self) -> None:
        self.allowed = self.policy.connections_max
        self.pace = Pace(self.policy.adaptive, self.policy.rate_per_s)

    def follows(self, since: float) -> None:
        """Keep to the pace behind a former owner, who may have begun a message right before `since`."""
        self.next_at = since + _apart(self.pace.per_s)

    def wait(self, now: float) -> float:
        """Return the seconds until a message may begin; 0: now. infinity: not before somebody resumes it."""
        if self.state is not State.READY:
            if now < self.until:
                return self.until - now
            self._move(State.READY)
        return max(0.0, self.next_at - now)

    @property
    def why(self) -> str:
        """Say why a message must wait."""
        if self.state is State.READY:
            slower = f", slower than it may be after: {self.slowed_by}" if self.pace.allowed else ""
            return f"kept to its pace of {self.pace.per_s:.3g} messages a second{slower}"
        slower = f"; then {self.pace.per_s:.3g} messages a second" if self.pace.allowed else ""
        return f"{self.state}: {self.reason}{slower}"

    @property
    def has_learned(self) -> bool:
        """Say whether it is treated other than a site that is met for the first time."""
        return bool(self.level or self.pace.allowed)

    def is_forgettable(self, now: float) -> bool:
        """Say whether a fresh throttle would treat the site the same; what was learned is kept for a longest rest."""
        if self.wait(now) > 0.0:
            return False
        return now > max(self.until, self.pace.cut_at) + self.policy.backoff.max_s or not self.has_learned

    def turn(self, now: float, far_s: float) -> float:
        """Return when to send one more back for, in seconds: behind those that were told theirs, at the pace."""
        wait = min(self.wait(now), far_s)
        if self.pace.per_s:
            self.promised = min(now + far_s, max(now + wait, self.promised + 1.0 / self.pace.per_s))
            return self.promised - now
        return wait

    def begin(self, now: float) -> None:
        """Count a message that begins now: the next one waits its turn."""
        assert self.wait(now) == 0.0, "begun before its time"  # noqa: S101
        per_s = self.pace.per_s
        if per_s:
            self.next_at = now + 1.0 / per_s

    def slow_down(self, now: float, reason: str) -> None:
        """Go slower, or rest, longer each time; half the connections. What comes while it rests changes nothing."""
        if self.state is not State.READY:
            return
        backoff = self.policy.backoff
        rest_s = min(backoff.max_s, backoff.initial_s * backoff.multiplier ** min(self.level, 32))
        if self.policy.adaptive.enabled:
            if not self.pace.was_refused(now):
                return
            if self.pace.cut(now):
                rest_s = min(BRIEF_S, rest_s)
                self.level -= 1
        self.level += 1
        self._rest(now + rest_s, reason)

    def rest(self, now: float, rest_s: float, reason: str) -> None:
        """Rest so long, then go on slower, with half the connections."""
        if self.state is State.READY:
            self.pace.cut(now)
            self._rest(now + rest_s, reason)

    def went_well(self, now: float) -> None:
        """Count a success; some of them earn a connection, a faster pace and a shorter rest back."""
        self.pace.went_well(now)
        self.successes += 1
        if self.successes % SUCCESSES_A_STEP == 0:
            self.allowed = min(self.policy.connections_max, self.allowed + 1)
            self.level = max(0, self.level - 1)

    def suspend(self, reason: str, until: float = math.inf) -> None:
        """Send nothing until then, or until resumed."""
        self.reason = self.slowed_by = reason
        self.until = until
        if self.state is not State.SUSPENDED:
            self._move(State.SUSPENDED)

    def resume(self) -> None:
        """Send again."""
        if self.state is State.SUSPENDED:
            self.until = 0.0
            self._move(State.READY)

    def lesson(self, now: float, now_ms: int) -> Lesson | None:
        """Return what the next owner should know, None when there is nothing."""
        rests = self.state is not State.READY and math.isfinite(self.until)
        if not rests and not self.has_learned:
            return None
        return Lesson(
            state=self.state if rests else State.READY,
            until_ms=now_ms + round((self.until - now) * 1000) if rests else 0,
            reason=self.slowed_by,
            level=self.level,
            connections=self.allowed,
            pace=round(self.pace.allowed, 3),
            too_much=round(self.pace.too_much, 3),
            probe_s=self.pace.probe_s,
        )

    def recall(self, lesson: Lesson, now: float, now_ms: int) -> None:
        """Go on where the owner before stood; what it learned stays within today's policy."""
        if self.state is not State.READY or self.has_learned:
            return
        self.level, self.slowed_by = max(0, lesson.level), lesson.reason
        self.allowed = min(self.policy.connections_max, max(1, lesson.connections))
        if self.policy.adaptive.enabled:
            self.pace.recall(now, lesson.pace, lesson.too_much, lesson.probe_s)
            self.next_at = max(self.next_at, now + _apart(self.pace.per_s))  # it may have begun one right before
        rest_s = min((lesson.until_ms - now_ms) / 1000, max(self.policy.backoff.max_s, REST_MAX_S))
        if rest_s > 0 and lesson.state in MOVES[State.READY]:
            self.until, self.reason = now + rest_s, lesson.reason
            self._move(State(lesson.state))

    def follow(self, policy: DestinationPolicy) -> None:
        """Take a changed policy over; what was learned stays within its limits."""
        if policy.connections_max > self.policy.connections_max and self.level == 0:
            self.allowed = policy.connections_max
        before = self.pace.per_s
        self.pace.adaptive, self.pace.rate_per_s = policy.adaptive, policy.rate_per_s
        if not policy.adaptive.enabled or 0 < policy.rate_per_s <= self.pace.allowed:
            self.pace.forget()
        if self.pace.per_s != before:
            self.next_at += _apart(self.pace.per_s) - _apart(before)
            self.promised = -math.inf
        self.policy = policy
        self.allowed = min(self.allowed, policy.connections_max)

    def _rest(self, until: float, reason: str) -> None:
        self.until = until
        self.allowed = min(self.policy.connections_max, max(1, self.allowed // 2))
        self.successes = 0
        self.reason = self.slowed_by = reason
        self._move(State.THROTTLED)

    def _move(self, state: State) -> None:
        assert state in MOVES[self.state], f"{self.state} to {state} is no legal move"  # noqa: S101
        self.state = state
        if state is State.READY:
            self.reason = ""


def _apart(per_s: float) -> float:
    """Return the seconds between two messages."""
    return 1.0 / per_s if per_s else 0.0
