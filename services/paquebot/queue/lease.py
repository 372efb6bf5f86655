"""How long what we last heard from the queue can be relied on. Times are the event loop's, in seconds. Pure."""

import math
from dataclasses import dataclass

from paquebot.queue.provision import MEMBER_TTL_S

LAPSE_S = 5.0  # so long without an answer, another may have taken over: look at the owner records
PRESENT_S = MEMBER_TTL_S - 2.0  # since our last heartbeat: until then others count us as present
LEASE_S = 35.0  # less than ack_wait - PROGRESS_S: nobody else is handed what we have in hand before


@dataclass(slots=True)
class Lease:
    """What our ownership rests on."""

    confirmed: float = math.inf  # the last look that the queue answered

    def lapse(self, now: float) -> float:
        """Return how long the queue has been silent."""
        return now - self.confirmed

    def is_sure(self, now: float, beaten: float) -> bool:
        """Say whether nobody can have taken over unseen, our last heartbeat being of `beaten`: attempts may begin."""
        return self.lapse(now) < LAPSE_S and now - beaten < PRESENT_S

    def holds(self, now: float) -> bool:
        """Say whether what we have in hand is in no other hand: what has begun may end."""
        return self.lapse(now) < LEASE_S
