"""How much an account sends at which hour of the week (UTC), and how far this hour is from that. Pure."""

from dataclasses import dataclass, replace

HOURS = 168
WEEK = (0.0,) * HOURS
_HOUR_S = 3600.0
_THURSDAY = 72  # 1970-01-01 was one: a week begins on Monday
_LEARNED = 0.25  # of what an hour was, each week
_PEAK_KEPT = 0.998  # an hour: half is left after two weeks


@dataclass(frozen=True, slots=True)
class Habit:
    """Messages an hour for each hour of the week, the busiest hour lately, and what this hour has brought so far."""

    hour: int = 0  # since 1970
    so_far: int = 0
    peak: float = 0.0
    week: tuple[float, ...] = WEEK

    def after(self, now_s: float) -> "Habit":
        """Return the habit with one more message now; a message from before counts for this hour."""
        hour = max(self.hour, int(now_s // _HOUR_S))
        if hour == self.hour:
            return replace(self, so_far=self.so_far + 1)
        week = list(self.week)
        for past in range(max(self.hour, hour - HOURS), hour):
            cell = (past + _THURSDAY) % HOURS
            sent = self.so_far if past == self.hour else 0
            week[cell] += _LEARNED * (sent - week[cell])
        peak = max(self.peak * _PEAK_KEPT ** (hour - self.hour), float(self.so_far)) if self.hour else 0.0
        return Habit(hour, 1, peak, tuple(week))

    def usual(self, now_s: float) -> float:
        """Return what this hour of the week usually brings."""
        return self.week[(int(now_s // _HOUR_S) + _THURSDAY) % HOURS]

    def in_this_hour(self, now_s: float) -> int:
        """Return what this hour has brought so far."""
        return self.so_far if int(now_s // _HOUR_S) <= self.hour else 0
