"""The pace that a site bears, found out from what its hosts say. Pure; `now` in seconds, paces in messages a second.

A refusal takes a part off at once (multiplicative down), success adds little by little (gradual up). What was too much
is remembered: below it the pace climbs in quick steps, near it in single probes, more seldom each time one fails.
"""

from dataclasses import dataclass, field

from paquebot.policy.pace import Adaptive

PERIOD_S = 10.0  # what is "recent"
STEP_S = 10.0  # between two looks while it climbs
STEP_MESSAGES = 5  # that a step takes at least
VERIFY_S = 30.0  # a probe stands so long before it counts as borne
PROBE_S = 60.0  # between two probes at first
PROBE_MAX_S = 900.0
NEAR = 0.9  # of what was too much: from here on by probes
ALIKE = 0.25  # two limits this close are one
BOUND = 0.5  # of the pace must be used, or there is no telling whether more would be borne


@dataclass(slots=True)
class Recent:
    """Attempts that went well and that were refused, over about the last PERIOD_S."""

    since: float = 0.0
    well: int = 0
    refused: int = 0
    well_before: int = 0
    refused_before: int = 0
    begun: bool = False  # a whole period lies before this one

    def went_well(self, now: float) -> None:
        """Count an attempt that went well."""
        if now - self.since >= PERIOD_S:
            self._turn(now)
        self.well += 1

    def was_refused(self, now: float) -> None:
        """Count an attempt that was refused."""
        self._turn(now)
        self.refused += 1

    def pace(self, now: float) -> float:
        """Return what went well, a second."""
        self._turn(now)
        passed = now - self.since
        if not self.begun:
            return self.well / max(1.0, passed)
        return (self.well_before * (1 - passed / PERIOD_S) + self.well) / PERIOD_S

    def refused_share(self, now: float) -> float:
        """Return what was refused, of all."""
        self._turn(now)
        refused = self.refused + self.refused_before
        return refused / max(1, refused + self.well + self.well_before)

    def _turn(self, now: float) -> None:
        passed = now - self.since
        if passed >= 2 * PERIOD_S:
            self.since, self.begun = now, False
            self.well = self.refused = self.well_before = self.refused_before = 0
        elif passed >= PERIOD_S:
            self.since, self.begun = self.since + PERIOD_S, True
            self.well_before, self.refused_before = self.well, self.refused
            self.well = self.refused = 0


@dataclass(slots=True)
class Pace:
    """What was learned about one site. `allowed` 0: no limit but the policy's, `rate_per_s`."""

    adaptive: Adaptive
    rate_per_s: float
    allowed: float = 0.0
    too_much: float = 0.0  # the pace at which it was refused last; 0: none is known
    probe_s: float = PROBE_S
    probing: bool = False
    cut_at: float = 0.0
    look_at: float = 0.0
    looked_at: float = 0.0
    well: int = 0  # since the last look
    refused: int = 0
    recent: Recent = field(default_factory=Recent)

    @property
    def per_s(self) -> float:
        """The pace to keep; 0: none."""
        if not self.allowed or not self.rate_per_s:
            return self.allowed or self.rate_per_s
        return min(self.allowed, self.rate_per_s)

    @property
    def least(self) -> float:
        """The slowest pace that it is cut to."""
        return min(filter(None, (self.adaptive.least_per_s, self.rate_per_s)))

    def went_well(self, now: float) -> None:
        """Count a success; now and then it earns a faster pace."""
        self.recent.went_well(now)
        self.well += 1
        if self.allowed and now >= self.look_at:
            self._look(now)

    def was_refused(self, now: float) -> bool:
        """Count a refusal; say whether it is one too many."""
        self.recent.was_refused(now)
        self.refused += 1
        return self.recent.refused_share(now) > self.adaptive.refused_share

    def cut(self, now: float) -> bool:
        """Go slower; return False when that does not help: nothing went well since the last cut, or it is slowest."""
        base = self.recent.pace(now)
        if self.allowed:
            base = min(self.allowed, base or self.allowed)
        if not self.well or base <= self.least:
            return False
        if abs(base - self.too_much) <= ALIKE * base:
            self.probe_s = min(2 * self.probe_s, PROBE_MAX_S)
        self.too_much = base
        self.allowed = max(self.least, base * (1 - self.adaptive.decrease))
        self.cut_at, self.recent, self.probing = now, Recent(now), False
        self._plan(now)
        return True

    def recall(self, now: float, allowed: float, too_much: float, probe_s: float) -> None:
        """Take over what another learned, within the policy of today."""
        if allowed > 0 and (not self.rate_per_s or allowed < self.rate_per_s):
            self.allowed, self.too_much, self.cut_at = max(self.least, allowed), max(0.0, too_much), now
            self.probe_s = min(PROBE_MAX_S, max(PROBE_S, probe_s))
            self._plan(now)

    def forget(self) -> None:
        """Unlearn everything."""
        self.allowed, self.too_much, self.probe_s, self.probing = 0.0, 0.0, PROBE_S, False

    def _look(self, now: float) -> None:
        """Judge what was borne since the last look."""
        if self.refused:
            self._step_back()
        elif self.well >= BOUND * self.allowed * (now - self.looked_at):
            self._step_up()
        self._plan(now)

    def _step_back(self) -> None:
        """Refused now and then: too little for a cut, but this is the limit."""
        self.too_much, self.probing = self.allowed, False
        self.allowed = max(self.least, self.allowed / (1 + self.adaptive.increase))
        self.probe_s = min(2 * self.probe_s, PROBE_MAX_S)

    def _step_up(self) -> None:
        if self.probing:  # borne: what was too much is so no longer
            self.probe_s, self.probing = PROBE_S, False
            self.too_much = 0.0 if self.allowed > self.too_much * (1 + self.adaptive.increase) else self.too_much
            return
        self.probing = self._is_near()
        self.allowed *= 1 + self.adaptive.increase
        if self.rate_per_s and self.allowed >= self.rate_per_s:
            self.forget()

    def _plan(self, now: float) -> None:
        """Say when to look again."""
        self.looked_at, self.well, self.refused = now, 0, 0
        if not self.allowed:
            return
        pause = VERIFY_S if self.probing else self.probe_s if self._is_near() else STEP_S
        self.look_at = now + max(pause, STEP_MESSAGES / self.allowed)

    def _is_near(self) -> bool:
        return 0 < NEAR * self.too_much < self.allowed * (1 + self.adaptive.increase)
