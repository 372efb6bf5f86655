"""What this process has settled lately: what comes back is only acknowledged.

An ack may be lost with a connection. A nats-server that was killed forgets acks on their way, the Msg-Ids of what has
gone, and now and then that something has gone at all: then a schedule that had fired fires once more, in a new place.
Settled stays settled, whoever owns the partition meanwhile.
"""

import sys
from dataclasses import dataclass, field

from paquebot.mail.delivery import Delivery
from paquebot.wire.delivery import Item

SETTLED_MAX = 65_536  # items: longer than a lost ack's item needs to come back


@dataclass(slots=True)
class Settled:
    """Items that were settled, the oldest first."""

    names: dict[tuple[int, int], str] = field(default_factory=dict)  # by partition and sequence in its stream
    stages: dict[tuple[str, int], int] = field(default_factory=dict)  # by name and steering: attempts that are past

    def remember(self, partition: int, seq: int, name: str) -> None:
        """Note an item; forget the oldest when there are too many."""
        self.names[partition, seq] = name
        if len(self.names) > SETTLED_MAX:
            del self.names[next(iter(self.names))]

    def ended(self, delivery: Delivery, again: Delivery | None) -> None:
        """Note how far a delivery is past: `again` is what waits of it now, None when it is done with.

        Who steers a delivery may let its attempts begin anew: what was steered since is another.
        """
        past = sys.maxsize if again is None else again.attempts - 1
        if again is not None and again.steered_ms != delivery.steered_ms:
            past = delivery.attempts
        self.stages[delivery.name, delivery.steered_ms] = past
        if len(self.stages) > SETTLED_MAX:
            del self.stages[next(iter(self.stages))]

    def has(self, partition: int, seq: int, item: Item) -> bool:
        """Say whether this very item was settled before, or its delivery as it is here, in whatever place."""
        first = item.deliveries[0]
        if self.names.get((partition, seq)) == first.name:
            return True
        return not item.split and first.attempts <= self.stages.get((first.name, first.steered_ms), -1)
