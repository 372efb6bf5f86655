"""Which faults come when: the same seed, the same storm. Pure."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from chaos.link import Way


class Kind(StrEnum):
    """What happens to a target."""

    KILL = "kill -9"
    RESTART = "restart in order"
    FREEZE = "freeze"
    CUT = "cut"
    HOLE = "black hole"
    SLOW = "slow"
    FILL = "fill"
    DOWN = "everything down"


WAYS = {Kind.CUT: Way.CUT, Kind.HOLE: Way.HOLE, Kind.SLOW: Way.SLOW}
# Seconds that a fault lasts; one in eight freezes and black holes outlasts every lease.
LASTS = {
    Kind.KILL: (1.0, 4.0),
    Kind.RESTART: (0.0, 0.0),
    Kind.FREEZE: (2.0, 12.0),
    Kind.CUT: (0.5, 5.0),
    Kind.HOLE: (1.0, 9.0),
    Kind.SLOW: (2.0, 8.0),
    Kind.FILL: (2.0, 8.0),
    Kind.DOWN: (4.0, 12.0),
}
LONG, LONG_S = 0.125, (30.0, 45.0)
BRIM, MOST = "to the brim", "to 80 %"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, from `at_s` seconds after the beginning."""

    at_s: float
    kind: Kind
    target: str
    lasts_s: float

    def __str__(self) -> str:
        return f"{self.at_s:7.2f} s  {self.kind} {self.target} for {self.lasts_s:.1f} s"


Card = tuple[Kind, str]


def deck(processes: Sequence[str], links: Sequence[str], deliverers: Sequence[str]) -> list[Card]:
    """Return every fault that there is to draw."""
    cards = [(Kind.KILL, name) for name in processes]
    cards += [(kind, name) for kind in WAYS for name in links]
    cards += [(Kind.FREEZE, name) for name in deliverers]
    cards += [(Kind.KILL, name) for name in deliverers]  # twice as often: they are what could repeat
    return [*cards, (Kind.FILL, BRIM), (Kind.FILL, MOST), (Kind.DOWN, "")]


def plan(seed: int, cards: Sequence[Card], seconds: float, gap_s: float) -> list[Fault]:
    """Deal cards at random moments, all once before any comes again; none outlasts the end by much."""
    chance = random.Random(f"{seed} faults")
    faults: list[Fault] = []
    at = chance.uniform(1, 3)
    for kind, target in _dealt(chance, cards):
        if at >= seconds:
            return faults
        shortest, longest = LASTS[kind]
        lasts = chance.uniform(shortest, longest)
        if kind in {Kind.FREEZE, Kind.HOLE} and chance.random() < LONG:
            lasts = chance.uniform(*LONG_S)
        faults.append(Fault(at, kind, target, min(lasts, max(shortest, seconds - at))))
        at += chance.expovariate(1 / gap_s)
    raise AssertionError("cards are dealt for ever")


def _dealt(chance: random.Random, cards: Sequence[Card]) -> Iterator[Card]:
    while True:
        yield from chance.sample(cards, len(cards))
