"""An item in hand: a delivery that this process owns, and the means to settle it."""

from dataclasses import dataclass

from paquebot.mail.delivery import Delivery
from paquebot.queue.ownership import Fence


@dataclass(slots=True, eq=False)
class Taken:
    """A delivery in hand. `reply` is where its ack goes; `doubtful`: an earlier attempt may have delivered it."""

    delivery: Delivery
    inline: bytes
    reply: str
    fence: Fence
    seq: int = 0  # its place in the partition's stream
    doubtful: bool = False
    begun: bool = False  # an attempt is under way

    @property
    def name(self) -> str:
        """The delivery's name."""
        return self.delivery.name

    @property
    def size(self) -> int:
        """Octets it holds in memory."""
        return len(self.inline) + len(self.delivery.prefix) + 512

    def __repr__(self) -> str:
        return f"Taken({self.name}, partition {self.fence.partition}, begun={self.begun}, doubtful={self.doubtful})"
