"""Without an API server for twenty seconds mail flows on; the operator comes back with it, and does what is asked."""

import time
from collections.abc import Iterator

import pytest

from cluster.letters import letters
from cluster.operators import leader, pods
from cluster.platform import PLATFORM, Cluster
from cluster.rotating import FIRST, settled
from cluster.tenant import Tenant, is_true, tenant
from cluster.waiting import until

GONE_S = 20.0  # the operator gives up its lease after 10


@pytest.fixture(scope="module")
def fjord(cluster: Cluster) -> Iterator[Tenant]:
    with tenant(cluster, "fjord") as found:
        settled(found)
        yield found


def test_mail_flows_and_a_change_afterwards_is_programmed(fjord: Tenant) -> None:
    cluster, plane = fjord.cluster, fjord.cluster.plane
    with letters(fjord, "apart") as post:
        post.more(1)
        plane.kill("kube-apiserver")
        try:
            back = time.monotonic() + GONE_S
            while time.monotonic() < back:
                for each in post.more(1):
                    assert each.verdicts == dict.fromkeys(FIRST, True)
        finally:
            plane.start_server()
        route = {"match": {"recipientDomains": ["nowhere.test"]}, "action": {"hold": {"reason": "not yet"}}}
        fjord.mailer.declare("TransportRoute", "afterwards", route)
        place = ("transportroutes", fjord.name, "afterwards")
        until(
            "the change is in force",
            lambda: is_true(cluster, place, "Programmed"),
            lambda: (leader(cluster), cluster.get(*place)),
        )
    assert set(post.counted.values()) == {1}
    until("one leads", lambda: leader(cluster) in pods(cluster), lambda: leader(cluster))
    cluster.wait_ready(PLATFORM)
