"""More deliverers do not help where a destination takes only so much: none is started, and people are told why."""

from cluster.mailer import Mailer, mailer
from cluster.platform import Cluster
from cluster.waiting import condition, until

MESSAGES = 60
LOOKS = 3
POOL = {
    "concurrency": {"sessionsPerReplica": 1},
    "scaling": {"minReplicas": 1, "maxReplicas": 4, "targetDrainTime": "2s"},
}
NARROW = {"match": {"domains": ["plain.test"]}, "limits": {"rate": "1/s"}}


def limited(throttled: Mailer) -> dict[str, str]:
    """Return the condition once it says that the destination is the limit."""
    said = condition(throttled.pool(), "ScalingLimited")
    return said if said.get("reason") == "DestinationThrottle" else {}


def test_none_is_started_and_the_condition_names_destination_and_field(cluster: Cluster) -> None:
    with mailer(cluster, "throttled", **POOL) as throttled:
        throttled.declare("DestinationPolicy", "narrow", NARROW)
        until("one deliverer is ready", lambda: throttled.replicas() == (1, 1))
        sent = throttled.send("someone@plain.test", MESSAGES)

        said = until("the limit is told", lambda: limited(throttled))
        assert said["status"] == "True"
        assert said["message"].startswith("More replicas will not help: ")
        assert "limits.rate of DestinationPolicy narrow" in said["message"]
        (bottleneck,) = throttled.pool()["status"]["scaling"]["bottlenecks"]
        assert (bottleneck["destination"], bottleneck["reason"]) == ("narrow", "RateLimit")

        arrived = len(throttled.arrived())
        until("more is sent", lambda: throttled.replicas() == (1, 1) and len(throttled.arrived()) >= arrived + 5)
        cluster.plane.kubectl("delete", "destinationpolicy", "narrow")
        throttled.wait_for_all(sent)
