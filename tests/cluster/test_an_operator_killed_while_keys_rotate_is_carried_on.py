"""The operator is killed at each step of a rotation; the next one carries on, and no letter goes unverified."""

import time
from collections.abc import Iterator

import pytest

from cluster.letters import letters
from cluster.operators import kill, leader
from cluster.platform import PLATFORM, Cluster
from cluster.rotating import FIRST, SECOND, Rotation, settled
from cluster.tenant import Tenant, tenant
from cluster.waiting import until


@pytest.fixture(scope="module")
def reef(cluster: Cluster) -> Iterator[Tenant]:
    with tenant(cluster, "reef") as found:
        settled(found)
        yield found


def test_a_rotation_ends_as_it_would_have(reef: Tenant) -> None:
    cluster, killed = reef.cluster, list[float]()

    def die() -> None:
        kill(cluster, leader(cluster))
        killed.append(time.monotonic())

    rotation = Rotation(reef, die)
    with letters(reef, "killed") as post:
        for step in (rotation.keys_are_made, rotation.keys_are_published, rotation.keys_sign):
            step()
        until("the new keys sign alone", lambda: all(set(each.verdicts) == set(SECOND) for each in post.more(1)))
    assert len(killed) == 3
    assert all(each.verdicts and all(each.verdicts.values()) for each in post.come)
    assert {frozenset(each.verdicts) for each in post.come} >= {frozenset(FIRST), frozenset(SECOND)}
    assert set(post.counted.values()) == {1}
    cluster.wait_ready(PLATFORM)
