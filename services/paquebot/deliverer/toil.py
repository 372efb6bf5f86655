"""What a deliverer has done since it began, for whoever decides how many there shall be. Pure."""

from dataclasses import dataclass, field

from paquebot.queue.members import Load

GROUPS_MAX = 20  # told of: those with the most attempts


@dataclass(slots=True)
class Toil:
    """Counts attempts and the seconds that they took, by destination group."""

    groups: dict[str, tuple[int, float]] = field(default_factory=dict)

    def add(self, group: str, took_s: float) -> None:
        """Count an attempt that ended."""
        count, spent_s = self.groups.get(group, (0, 0.0))
        self.groups[group] = (count + 1, spent_s + took_s)

    def load(self, at_s: float, core_s: float, sessions: int) -> Load:
        """Return it as the heartbeat tells it: seconds since the start, seconds of CPU, attempts under way."""
        busiest = sorted(self.groups.items(), key=lambda each: each[1], reverse=True)[:GROUPS_MAX]
        told = {group: (count, round(spent_s, 3)) for group, (count, spent_s) in busiest}
        attempts = sum(count for count, _spent_s in self.groups.values())
        return Load(round(at_s, 3), attempts, round(core_s, 3), sessions, told)
