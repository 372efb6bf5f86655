"""A pool with nothing to do has no deliverer, and one message is enough to get it one."""

from cluster.mailer import mailer
from cluster.platform import Cluster
from cluster.waiting import condition, until

SCALING = {"minReplicas": 0, "maxReplicas": 2, "idleAfter": "1s"}


def test_its_last_deliverer_ends_and_one_comes_back_for_one_message(cluster: Cluster) -> None:
    with mailer(cluster, "sleeper", scaling=SCALING) as sleeper:
        until("it sleeps", lambda: sleeper.deployment() and sleeper.replicas() == (0, 0))
        until("it says so", lambda: condition(sleeper.pool(), "Available").get("reason") == "ScaledToZero")
        assert condition(sleeper.pool(), "Ready")["status"] == "True"
        sleeper.wait_for_all(sleeper.send("someone@accept.test", 1))
        until("it sleeps again", lambda: sleeper.replicas() == (0, 0))
