"""What waits in memory for one site: urgent lanes first, tenants in turn within a lane. Pure."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from paquebot.mail.delivery import Lane
from paquebot.queue.taken import Taken


def _lanes() -> "dict[Lane, OrderedDict[str, deque[Taken]]]":
    return {lane: OrderedDict() for lane in Lane}


@dataclass(slots=True)
class Line:
    """Items by lane and tenant."""

    lanes: "dict[Lane, OrderedDict[str, deque[Taken]]]" = field(default_factory=_lanes)
    length: int = 0

    def push(self, taken: Taken) -> None:
        """Add an item behind those of its tenant."""
        tenants = self.lanes[taken.delivery.lane]
        tenants.setdefault(taken.delivery.tenant, deque()).append(taken)
        self.length += 1

    def pop(self) -> Taken | None:
        """Take the next item: of the most urgent lane, of the tenant that has waited longest for its turn."""
        for tenants in self.lanes.values():
            if tenants:
                tenant, waiting = next(iter(tenants.items()))
                taken = waiting.popleft()
                if waiting:
                    tenants.move_to_end(tenant)
                else:
                    del tenants[tenant]
                self.length -= 1
                return taken
        return None

    def take_out(self, unwanted: Callable[[Taken], bool]) -> list[Taken]:
        """Take out all items that a test names."""
        out = [taken for taken in self if unwanted(taken)]
        if out:
            kept = [taken for taken in self if not unwanted(taken)]
            self.lanes = _lanes()
            self.length = 0
            for taken in kept:
                self.push(taken)
        return out

    def __iter__(self) -> Iterator[Taken]:
        return (taken for tenants in self.lanes.values() for waiting in tenants.values() for taken in waiting)

    def __len__(self) -> int:
        return self.length
