"""What waits in memory for one site: lanes take turns by weight, and so do tenants within a lane. Pure.

A turn is a transaction, whatever its size and recipients: transactions are what a receiving host counts.
Under floods in all lanes urgent mail gets 16 turns of 21, normal 4, bulk 1; a lane alone gets all.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from paquebot.deliverer.turns import Turns
from paquebot.mail.delivery import Lane
from paquebot.queue.taken import Taken

LANE_WEIGHTS = {Lane.URGENT: 16, Lane.NORMAL: 4, Lane.BULK: 1}
LINE_MAX = 1000  # items of one lane of one site in memory
TENANT_LEAST = 8  # items that a tenant may have in a full line


@dataclass(slots=True)
class Queue:
    """One lane: items by tenant."""

    tenants: dict[str, deque[Taken]] = field(default_factory=dict)
    turns: Turns[str] = field(default_factory=Turns)
    length: int = 0


def _lanes() -> dict[Lane, Queue]:
    return {lane: Queue() for lane in Lane}


@dataclass(slots=True)
class Line:
    """Items by lane and tenant. `weights` are the tenants' (default 1), as the pool's policy has them."""

    weights: Mapping[str, int] = field(default_factory=dict)
    lanes: dict[Lane, Queue] = field(default_factory=_lanes)
    turns: Turns[Lane] = field(default_factory=Turns)
    length: int = 0
    untried: int = 0  # of them, those that no attempt was made for

    def has_room(self, taken: Taken, free: int) -> bool:
        """Say whether an item may wait here, when so many more of its lane fit into memory.

        A line may be twice as long as what is left free, so that slow sites never fill the memory; and in a full
        one each tenant still has its place, so that another's flood does not send it away.
        """
        queue = self.lanes[taken.delivery.lane]
        if queue.length < min(LINE_MAX, 2 * free):
            return True
        own = len(queue.tenants.get(taken.delivery.tenant, ()))
        return own < max(TENANT_LEAST, queue.length // (len(queue.tenants) + 1)) and queue.length < 2 * LINE_MAX

    def push(self, taken: Taken) -> None:
        """Add an item behind those of its lane and tenant."""
        lane, tenant = taken.delivery.lane, taken.delivery.tenant
        queue = self.lanes[lane]
        if not queue.length:
            self.turns.enter(lane, rank=lane)
        waiting = queue.tenants.get(tenant)
        if waiting is None:
            waiting = queue.tenants[tenant] = deque()
            queue.turns.enter(tenant)
        waiting.append(taken)
        queue.length += 1
        self.length += 1
        self.untried += not taken.delivery.attempts

    def pop(self) -> Taken | None:
        """Take the next item: of the lane whose turn it is, of the tenant whose turn it is there."""
        if not self.length:
            return None
        lane = self.turns.next()
        queue = self.lanes[lane]
        taken = self._of_tenant(queue)
        (self.turns.again if queue.length else self.turns.leave)(LANE_WEIGHTS[lane])
        self.length -= 1
        self.untried -= not taken.delivery.attempts
        return taken

    def take_out(self, unwanted: Callable[[Taken], bool]) -> list[Taken]:
        """Take out all items that a test names; it is asked once for each, because its answers may change with time."""
        out: list[Taken] = []
        kept: list[Taken] = []
        for taken in self:
            (out if unwanted(taken) else kept).append(taken)
        if out:
            self.lanes, self.turns, self.length, self.untried = _lanes(), Turns(), 0, 0
            for taken in kept:
                self.push(taken)
        return out

    def __iter__(self) -> Iterator[Taken]:
        return (taken for queue in self.lanes.values() for waiting in queue.tenants.values() for taken in waiting)

    def __len__(self) -> int:
        return self.length

    def _of_tenant(self, queue: Queue) -> Taken:
        tenant = queue.turns.next()
        waiting = queue.tenants[tenant]
        taken = waiting.popleft()
        weight = self.weights.get(tenant, 1)
        if waiting:
            queue.turns.again(weight)
        else:
            del queue.tenants[tenant]
            queue.turns.leave(weight)
        queue.length -= 1
        return taken
