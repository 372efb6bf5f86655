"""An item in hand: a delivery that this process owns, and the means to settle it."""

import math
from dataclasses import dataclass, field, replace

from paquebot.mail.delivery import Delivery
from paquebot.queue.notes import UNTOUCHED, Note, Past
from paquebot.queue.ownership import Fence
from paquebot.queue.ways import Way, way_of


@dataclass(slots=True, eq=False)
class Taken:
    """A delivery in hand. `reply` is where its ack goes; `past`: what an earlier owner's crash left of it."""

    delivery: Delivery
    inline: bytes
    reply: str
    fence: Fence
    seq: int = 0  # its place in the partition's stream
    past: Past = UNTOUCHED
    note: Note = field(init=False)  # what the journal tells of it
    begun: bool = False  # an attempt is under way
    passed_s: float = -math.inf  # loop time when it was last found free to be tried
    way: Way = field(init=False)  # by which it came

    def __post_init__(self) -> None:
        self.note = Note(self.delivery)
        self.way = way_of(self.delivery)

    def begin(self) -> None:
        """Note that an attempt begins with the delivery as it is now."""
        self.begun = True
        self.note.delivery = self.delivery

    def learn(self, past: Past) -> None:
        """Take over what earlier owners left."""
        self.past = past
        self.delivery = replace(self.delivery, crashes=max(past.crashes, self.delivery.crashes))
        self.note = Note(self.delivery, past.doubt, host=past.host, delivered=past.delivered)

    @property
    def name(self) -> str:
        """The delivery's name."""
        return self.delivery.name

    @property
    def doubtful(self) -> bool:
        """True when an earlier attempt may have delivered it: its final dot was sent, and nobody saw the reply."""
        return self.past.doubt is not None

    @property
    def size(self) -> int:
        """Octets it holds in memory."""
        return len(self.inline) + len(self.delivery.prefix) + 512

    def __repr__(self) -> str:
        return f"Taken({self.name}, partition {self.fence.partition}, begun={self.begun}, doubtful={self.doubtful})"
