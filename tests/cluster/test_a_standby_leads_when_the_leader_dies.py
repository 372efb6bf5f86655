"""Of two operators the one that leads is killed with its node; the other leads, and does what is asked meanwhile."""

import time
from collections.abc import Callable, Iterator

import pytest

from cluster.operators import kill, leader, pods, scale
from cluster.platform import PLATFORM, Cluster
from cluster.tenant import is_true, tenant
from cluster.waiting import until

TAKES_MAX_S = 90.0  # the lease lasts 15 s; the rest is for a machine that is busy


@pytest.fixture
def two(cluster: Cluster) -> Iterator[Cluster]:
    scale(cluster, 2)
    yield cluster
    scale(cluster, 1)
    until("the one that is left leads", lambda: leader(cluster) in pods(cluster), lambda: leader(cluster))


def test_a_change_made_meanwhile_is_programmed_by_the_other(
    two: Cluster, record_property: Callable[[str, object], None]
) -> None:
    route = {"match": {"recipientDomains": ["nowhere.test"]}, "action": {"reject": {"reply": "550 5.7.1 Not there"}}}
    with tenant(two, "atoll") as atoll:
        first = leader(two)
        kill(two, first)
        began = time.monotonic()
        two.plane.kubectl("delete", "pod", first, f"--namespace={PLATFORM}", "--force", "--grace-period=0")
        atoll.mailer.declare("TransportRoute", "meanwhile", route)
        place = ("transportroutes", atoll.name, "meanwhile")
        until(
            "the change is in force",
            lambda: is_true(two, place, "Programmed"),
            lambda: (leader(two), two.get(*place)),
            TAKES_MAX_S,
        )
        record_property("programmed_after_s", round(time.monotonic() - began, 1))
        assert leader(two) in pods(two).keys() - {first}
        assert is_true(two, place)
