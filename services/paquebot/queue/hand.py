"""How much one deliverer holds in memory, by lane: a flood in one lane never takes the room of another. Pure."""

from dataclasses import dataclass, field

from paquebot.mail.delivery import Lane

ITEMS_MAX = {Lane.URGENT: 800, Lane.NORMAL: 1600, Lane.BULK: 1600}
BYTES_MAX = {Lane.URGENT: 24 << 20, Lane.NORMAL: 52 << 20, Lane.BULK: 52 << 20}


def _nothing() -> dict[Lane, int]:
    return dict.fromkeys(Lane, 0)


@dataclass(slots=True)
class Hand:
    """Items and octets in memory. What was asked for may still come when a lane is full: a request a partition."""

    items: dict[Lane, int] = field(default_factory=_nothing)
    octets: dict[Lane, int] = field(default_factory=_nothing)

    @property
    def count(self) -> int:
        """Items of all lanes."""
        return sum(self.items.values())

    @property
    def held_bytes(self) -> int:
        """Octets of all lanes."""
        return sum(self.octets.values())

    def take(self, lane: Lane, size_bytes: int) -> None:
        """Count what came in."""
        self.items[lane] += 1
        self.octets[lane] += size_bytes

    def drop(self, lane: Lane, size_bytes: int) -> None:
        """Count what is done with."""
        self.items[lane] -= 1
        self.octets[lane] -= size_bytes

    def free(self, lane: Lane) -> int:
        """Return how many more items of a lane may come, 0 when it is full."""
        if self.octets[lane] >= BYTES_MAX[lane]:
            return 0
        return max(0, ITEMS_MAX[lane] - self.items[lane])
