"""Partitions move only where they must."""

from collections import Counter

from paquebot.queue.rendezvous import owner_of
from paquebot.queue.subjects import PARTITIONS

PODS = [f"deliverer-{number}" for number in range(4)]


def owners(pods: list[str]) -> list[str]:
    return [owner_of(partition, pods) for partition in range(PARTITIONS)]


def test_order_does_not_matter_and_everybody_owns_something() -> None:
    assert owners(PODS) == owners(PODS[::-1])
    assert set(Counter(owners(PODS))) == set(PODS)


def test_only_the_partitions_of_a_pod_that_goes_move() -> None:
    for before, after in zip(owners(PODS), owners(PODS[1:]), strict=True):
        assert before == after or before == PODS[0]


def test_nobody_owns_when_nobody_is_there() -> None:
    assert owner_of(0, []) == ""
