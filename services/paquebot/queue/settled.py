"""What this process has settled lately, by its place in a stream: what comes back is only acknowledged.

An ack may be lost with a connection, and a nats-server that was killed forgets acks on their way and the Msg-Ids of
what has gone. Settled stays settled, whoever owns the partition meanwhile.
"""

from dataclasses import dataclass, field

SETTLED_MAX = 65_536  # items: longer than a lost ack's item needs to come back


@dataclass(slots=True)
class Settled:
    """Items that were settled, the oldest first."""

    names: dict[tuple[int, int], str] = field(default_factory=dict)  # by partition and sequence in its stream

    def remember(self, partition: int, seq: int, name: str) -> None:
        """Note an item; forget the oldest when there are too many."""
        self.names[partition, seq] = name
        if len(self.names) > SETTLED_MAX:
            del self.names[next(iter(self.names))]

    def has(self, partition: int, seq: int, name: str) -> bool:
        """Say whether this very item was settled before."""
        return self.names.get((partition, seq)) == name
