"""Whose turn it is among several who wait, by weight: start-time fair queueing. Pure.

A turn costs its taker 1/weight of virtual time; the one who is least far goes next. Nobody is served in a burst,
as with quanta; who was away comes back level with those who waited, with no credit and with its debt.
"""

from dataclasses import dataclass, field
from heapq import heappop, heappush, heapreplace
from typing import Generic, TypeVar

WEIGHT_MAX = 1000
_TURN = 1_000_000_000  # virtual time of one turn at weight 1
_DEBTS_KEPT = 64  # beyond those who wait, before what is paid is forgotten

K = TypeVar("K")


@dataclass(slots=True)
class Turns(Generic[K]):
    """Those who wait, each once. Weights are 1 to WEIGHT_MAX; among equals the lower rank, then the earlier, goes."""

    heap: list[tuple[int, int, int, K]] = field(default_factory=list)
    debts: dict[K, int] = field(default_factory=dict)  # how far those are who left
    reached: int = 0
    entered: int = 0

    def enter(self, key: K, rank: int = 0) -> None:
        """Let somebody wait who does not yet."""
        self.entered += 1
        start = max(self.reached, self.debts.pop(key, 0))
        heappush(self.heap, (start, rank, self.entered, key))

    def next(self) -> K:
        """Return whose turn it is; somebody must wait."""
        return self.heap[0][3]

    def again(self, weight: int) -> None:
        """Note that the next one has taken its turn, and waits on."""
        start, rank, _entered, key = self.heap[0]
        self.entered += 1
        self.reached = start
        heapreplace(self.heap, (start + _TURN // weight, rank, self.entered, key))

    def leave(self, weight: int) -> None:
        """Note that the next one has taken its turn, and waits no more."""
        start, _rank, _entered, key = heappop(self.heap)
        self.reached = start
        self.debts[key] = start + _TURN // weight
        if not self.heap:  # whoever comes next competes with nobody
            self.debts.clear()
        elif len(self.debts) > len(self.heap) + _DEBTS_KEPT:
            self.debts = {each: debt for each, debt in self.debts.items() if debt > start}

    def __bool__(self) -> bool:
        return bool(self.heap)

    def __len__(self) -> int:
        return len(self.heap)
