"""A pool is deleted while mail waits in it: all is sent first, then the pool goes, with deliverers and streams."""

import json
import urllib.request

from cluster.mailer import found, mailer
from cluster.platform import GROUP, PLATFORM, Cluster
from cluster.waiting import condition, until

MESSAGES = 30
SLOW = {"match": {"domains": ["multiline.test"]}, "limits": {"rate": "2/s"}}
MONITOR_PORT = 8222


def streams(cluster: Cluster, pool: str) -> list[str]:
    """Return a pool's streams, as NATS tells anybody in its namespace."""
    pod = cluster.plane.call("GET", f"/api/v1/namespaces/{PLATFORM}/pods/paquebot-nats-0")
    address = pod["status"]["podIP"]
    with urllib.request.urlopen(f"http://{address}:{MONITOR_PORT}/jsz?streams=true", timeout=10) as answer:
        told = json.load(answer)
    names = [each["name"] for account in told["account_details"] for each in account.get("stream_detail") or ()]
    return [name for name in names if pool in name]


def test_its_mail_is_sent_then_it_goes_with_its_streams(cluster: Cluster) -> None:
    with mailer(cluster, "ending") as ending:
        ending.declare("DestinationPolicy", "slow", SLOW)
        cluster.wait_condition(("destinationpolicies", "", "slow"), "Programmed")
        cluster.wait_condition(ending.pool_place)
        sent = ending.send("someone@multiline.test", MESSAGES)
        assert streams(cluster, "mail-system_ending")

        cluster.plane.call("DELETE", f"{GROUP}/namespaces/{PLATFORM}/sendingpools/ending")
        drained = until("it says what it waits for", lambda: condition(ending.pool(), "Drained"))
        assert (drained["status"], drained["reason"]) == ("False", "MailWaits")
        assert len(ending.arrived()) < MESSAGES

        place = f"{GROUP}/namespaces/{PLATFORM}/sendingpools/ending"
        until("it is gone", lambda: found(cluster, place) is None)
        ending.wait_for_all(sent)
        assert not streams(cluster, "mail-system_ending")
        until("its deliverers are gone", lambda: ending.deployment() is None)
        cluster.plane.kubectl("delete", "destinationpolicy", "slow")
