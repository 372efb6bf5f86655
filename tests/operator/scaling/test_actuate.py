"""What is written: the size that somebody decided, and before it shrinks what each deliverer has under way."""

from dataclasses import replace

import pytest

from paquebot.policy.scaling import Mode, Scaling
from paquebot.policy.values import SendingPool
from paquebot_operator.scaling.actuate import DELETION_COST, Writes, cost_patch, wanted, writes
from paquebot_operator.scaling.values import Decision, Demand, Pod, Signals

POOL = SendingPool("mail", "main", "out.example")
FIVE = Decision(5, 6, Demand(), 100.0, 0.0)
SEEN = Signals((), (Pod("pod-1", sessions=7), Pod("pod-2", sessions=0)))


def pool(mode: Mode, replicas: int | None = None, *, draining: bool = False) -> SendingPool:
    return replace(POOL, scaling=Scaling(mode, replicas_min=0), replicas=replicas, draining=draining)


@pytest.mark.parametrize(
    ("declared", "size"),
    [
        (pool(Mode.DRAIN_TIME), 5),
        (pool(Mode.MANUAL, 3), 3),
        (pool(Mode.MANUAL, 0), 0),
        (pool(Mode.MANUAL), 0),
        (pool(Mode.EXTERNAL, 9), 9),
        (pool(Mode.EXTERNAL), 2),
        (pool(Mode.MANUAL, 0, draining=True), 1),
    ],
)
def test_the_size_is_that_of_who_decides(declared: SendingPool, size: int) -> None:
    assert wanted(declared, FIVE, 2) == size


def test_before_it_shrinks_each_deliverer_is_marked_with_what_it_has_under_way() -> None:
    assert writes(1, 2, SEEN) == Writes(1, {"pod-1": 7, "pod-2": 0})
    assert cost_patch(7) == {"metadata": {"annotations": {DELETION_COST: "7"}}}


def test_what_grows_or_stays_needs_no_marks() -> None:
    assert writes(3, 2, SEEN) == Writes(3)
    assert writes(2, 2, SEEN) == Writes()
    assert writes(1, 2, None) == Writes(1)
