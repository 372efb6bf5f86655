"""Objects change while the queue is away: each says what it waits for, all are in force afterwards, no mail is lost."""

from collections.abc import Iterator
from functools import partial

import pytest

from cluster.letters import letters
from cluster.platform import PLATFORM, Cluster
from cluster.tenant import Place, Tenant, is_true, tenant
from cluster.waiting import condition, until

ROUTE = {"match": {"recipientDomains": ["nowhere.test"]}, "action": {"reject": {"reply": "550 5.7.1 Not there"}}}


@pytest.fixture(scope="module")
def strand(cluster: Cluster) -> Iterator[Tenant]:
    with tenant(cluster, "strand") as found:
        yield found


def scale(cluster: Cluster, replicas: int) -> None:
    cluster.plane.kubectl("scale", "statefulset/paquebot-nats", f"--namespace={PLATFORM}", f"--replicas={replicas}")
    until(f"{replicas} of NATS are there", lambda: nodes(cluster) == replicas, cluster.pods)


def nodes(cluster: Cluster) -> int:
    return sum(name.startswith("paquebot-nats-") for name in cluster.pods())


def waits(cluster: Cluster, place: Place) -> bool:
    """Say whether an object says that the queue is away, of itself as it stands now."""
    told = condition(cluster.get(*place), "Programmed")
    return (told.get("status"), told.get("reason")) == ("Unknown", "ConfigStoreUnavailable")


def test_all_say_what_they_wait_for_and_all_are_programmed_afterwards(strand: Tenant) -> None:
    cluster, (pool, domain, credential) = strand.cluster, strand.places
    added = [("transportroutes", strand.name, "added"), ("smtpcredentials", strand.name, "added")]
    with letters(strand, "outage") as post:
        post.more(1)
        scale(cluster, 0)
        try:
            strand.merge(pool, {"retry": {"quick": ["2s"]}})
            strand.merge(domain, {"limits": {"maxRecipients": 7}})
            strand.merge(credential, {"lane": "Bulk"})
            strand.mailer.declare("TransportRoute", "added", ROUTE)
            strand.mailer.declare("SMTPCredential", "added", {"domainRefs": [{"name": "main"}]})
            for place in (pool, domain, credential, *added):
                until(f"{place} waits", partial(waits, cluster, place), partial(cluster.get, *place))
        finally:
            scale(cluster, 1)
        for place in (pool, domain, credential, *added):
            until(f"{place} is in force", partial(is_true, cluster, place, "Programmed"), partial(cluster.get, *place))
        post.more(1)
    cluster.wait_ready(PLATFORM)
    until("the credential is ready", partial(is_true, cluster, added[1]), partial(cluster.get, *added[1]))
