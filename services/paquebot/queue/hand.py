"""How much one deliverer holds in memory, by way: a flood on one never takes the room of another. Pure."""

from dataclasses import dataclass, field

from paquebot.queue.ways import Way

ITEMS_MAX = {Way.URGENT: 800, Way.NORMAL: 1600, Way.BULK: 1600, Way.AGAIN: 1600}
BYTES_MAX = {Way.URGENT: 24 << 20, Way.NORMAL: 40 << 20, Way.BULK: 32 << 20, Way.AGAIN: 32 << 20}


def _nothing() -> dict[Way, int]:
    return dict.fromkeys(Way, 0)


@dataclass(slots=True)
class Hand:
    """Items and octets in memory. What was asked for may still come when a way is full: a request a partition."""

    items: dict[Way, int] = field(default_factory=_nothing)
    octets: dict[Way, int] = field(default_factory=_nothing)

    @property
    def count(self) -> int:
        """Items of all ways."""
        return sum(self.items.values())

    @property
    def held_bytes(self) -> int:
        """Octets of all ways."""
        return sum(self.octets.values())

    def take(self, way: Way, size_bytes: int) -> None:
        """Count what came in."""
        self.items[way] += 1
        self.octets[way] += size_bytes

    def drop(self, way: Way, size_bytes: int) -> None:
        """Count what is done with."""
        self.items[way] -= 1
        self.octets[way] -= size_bytes

    def free(self, way: Way) -> int:
        """Return how many more items of a way may come, 0 when it is full."""
        if self.octets[way] >= BYTES_MAX[way]:
            return 0
        return max(0, ITEMS_MAX[way] - self.items[way])
