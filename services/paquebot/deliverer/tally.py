"""What a site, or a whole process, did: counts, its pace of late, what hosts said last. Pure; `now` in seconds."""

from collections import deque
from dataclasses import dataclass, field

from paquebot.mail.outcome import Kind, Outcome
from paquebot.wire.deliverer import Counts, Said

PACE_S = 10  # the pace is that of the last so many seconds


@dataclass(slots=True)
class Tally:
    """Counts attempts when they begin and recipients when they end."""

    counts: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    seconds: "deque[list[int]]" = field(default_factory=deque)  # [second, attempts begun in it], the oldest first
    last: dict[Kind, tuple[float, str, str]] = field(default_factory=dict)  # when, host, what was said

    def begin(self, now: float) -> None:
        """Count an attempt that begins."""
        second = int(now)
        if self.seconds and self.seconds[-1][0] == second:
            self.seconds[-1][1] += 1
            return
        self.seconds.append([second, 1])
        if len(self.seconds) > PACE_S + 1:
            self.seconds.popleft()

    def end(self, now: float, outcome: Outcome, host: str) -> None:
        """Count a recipient's outcome."""
        self.counts[outcome.kind] += 1
        self.last[outcome.kind] = (now, host, str(outcome.reply or outcome.reason))

    def pace(self, now: float) -> float:
        """Return the attempts a second over the last PACE_S whole seconds."""
        end = int(now)
        return sum(begun for second, begun in self.seconds if end - PACE_S <= second < end) / PACE_S

    def totals(self) -> Counts:
        """Return the counts as a value."""
        return Counts(self.counts[Kind.DELIVERED], self.counts[Kind.DEFERRED], self.counts[Kind.FAILED])

    def said(self, now: float, now_ms: int) -> tuple[Said, ...]:
        """Return the last things of each kind, the latest first; times in Unix milliseconds."""
        last = sorted(self.last.items(), key=lambda entry: -entry[1][0])
        return tuple(Said(kind, now_ms - int((now - at) * 1000), host, text) for kind, (at, host, text) in last)
