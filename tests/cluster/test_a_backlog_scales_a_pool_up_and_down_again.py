"""A backlog that is too much for one deliverer gets several, and no message is lost or repeated as they come and go."""

from cluster.mailer import mailer
from cluster.platform import Cluster
from cluster.waiting import until

MESSAGES = 60
SLOW = "someone@tarpit.test"  # waits before each reply
SESSIONS = {"sessionsPerReplica": 4}
STOPPED = {"concurrency": SESSIONS, "replicas": 0, "scaling": {"mode": "Manual"}}
SCALED = {
    "concurrency": SESSIONS,
    "scaling": {
        "minReplicas": 1,
        "maxReplicas": 4,
        "targetDrainTime": "5s",
        "scaleDown": {"stabilization": "1s", "maxPods": 4, "maxPercent": 100, "period": "1s"},
    },
}
WIDE = {"match": {"domains": ["tarpit.test"]}, "limits": {"maxConnections": 200}, "slots": 8}


def test_it_grows_with_the_backlog_and_shrinks_after_it_and_each_message_arrives_once(cluster: Cluster) -> None:
    with mailer(cluster, "blast", **STOPPED) as blast:
        blast.declare("DestinationPolicy", "tarpit", WIDE)
        sent = blast.send(SLOW, MESSAGES)
        assert blast.replicas() == (0, 0)
        assert not blast.arrived()

        blast.declare_pool(**SCALED)
        until("several deliverers are ready", lambda: blast.replicas()[1] >= 3)
        blast.wait_for_all(sent)
        until("one deliverer is left", lambda: blast.replicas() == (1, 1))
        blast.wait_for_all(blast.send(SLOW, 1))
        assert set(blast.arrived().values()) == {1}
        cluster.plane.kubectl("delete", "destinationpolicy", "tarpit")
