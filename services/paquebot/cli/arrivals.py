"""Live lines of what a sandbox receives, few enough to be read."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from paquebot.sandbox.mxhost import Received

LINES_MAX = 10  # a second


@dataclass(slots=True)
class Arrivals:
    """Says a line for each transaction; beyond LINES_MAX in a second it counts."""

    say: Callable[[str], None]
    second: int = 0
    lines: int = 0
    more: int = 0

    def heard(self, received: Received) -> None:
        """Say what has come, or count it."""
        second = int(received.time_s)
        if second != self.second:
            if self.more:
                self.say(f"{'':8}  and {self.more} more")
            self.second, self.lines, self.more = second, 0, 0
        if self.lines >= LINES_MAX:
            self.more += 1
            return
        self.lines += 1
        self.say(line_of(received))


def line_of(received: Received) -> str:
    """Return a transaction on one line."""
    envelope = received.envelope
    clock = datetime.fromtimestamp(received.time_s, UTC).strftime("%H:%M:%S")
    first, *others = envelope.recipients
    whom = f"{first} and {len(others)} more" if others else first
    how = "TLS" if received.tls else "in the clear"
    return f"{clock}  {received.host}  <{envelope.reverse_path}> to {whom}, {size(len(received.content))}, {how}"


def size(octets: int) -> str:
    """Return a size for people."""
    for unit, length in (("MB", 1_000_000), ("kB", 1_000)):
        if octets >= length:
            return f"{octets / length:.1f} {unit}"
    return f"{octets} B"
