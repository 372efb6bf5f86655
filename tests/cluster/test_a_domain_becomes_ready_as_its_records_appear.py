"""From `kubectl apply` to Ready, while somebody puts the records into the DNS one by one, as the status asks."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from cluster.letters import seen
from cluster.passing_time import let_pass
from cluster.platform import Cluster
from cluster.tenant import Tenant, is_true, tenant
from cluster.waiting import condition, until

PATIENCE_S = 3600  # the longest that the operator lets pass between two looks while records are missing


@pytest.fixture(scope="module")
def harbour(cluster: Cluster) -> Iterator[Tenant]:
    with tenant(cluster, "harbour") as found:
        yield found


def verdicts(harbour: Tenant, word: str) -> dict[str, bool]:
    """Send a letter; return by selector whether its signatures are good."""
    subject = f"{word} from {harbour.name}"
    harbour.send(subject)
    return seen(harbour.cluster, harbour.cluster.world.wait_for(subject).content).verdicts


def waits_for(harbour: Tenant, reason: str, words: str) -> None:
    """Wait until the domain says what it lacks, and says the same of Ready."""
    place = harbour.places[1]

    def said() -> bool:
        told = [condition(harbour.cluster.get(*place), kind) for kind in ("DNSVerified", "Ready")]
        return all(each.get("status") == "False" and each["reason"] == reason for each in told) and all(
            words in each["message"] for each in told
        )

    until(f"{reason} is told", said, harbour.status)


def test_each_condition_says_what_is_to_be_done_until_all_is_done(harbour: Tenant) -> None:
    cluster, place = harbour.cluster, harbour.places[1]
    waits_for(harbour, "RecordMissing", "2 of 2 records missing; add:")
    for kind in ("Accepted", "ResolvedRefs", "KeysReady"):
        assert is_true(cluster, place, kind)
    until("it is in force", lambda: is_true(cluster, place, "Programmed"), harbour.status)
    assert harbour.signing() == []
    assert verdicts(harbour, "early") == {}, "nobody could verify it"

    (first, _), (second, _) = records = list(harbour.key_records().items())
    message = condition(cluster.get(*place), "DNSVerified")["message"]
    assert all(f"{name}. 3600 IN TXT " in message for name, _value in records)

    cluster.world.publish(first, "v=DKIM1; k=rsa; p=")
    let_pass(harbour, PATIENCE_S)
    waits_for(harbour, "RecordMismatch", f"TXT {first} is ")

    cluster.world.publish(*records[0])
    let_pass(harbour, PATIENCE_S)
    waits_for(harbour, "RecordMissing", "1 of 2 records missing; add:")
    assert f"{second}. 3600 IN TXT " in condition(cluster.get(*place), "Ready")["message"]

    words = ("maildomain/main", f"--namespace={harbour.name}", "--timeout=110s")
    with ThreadPoolExecutor(1) as aside:
        waiting = aside.submit(cluster.plane.kubectl, "wait", "--for=condition=Ready", *words)
        cluster.world.publish(*records[1])
        let_pass(harbour, PATIENCE_S)
        assert "condition met" in waiting.result()
    assert verdicts(harbour, "late") == {name.partition(".")[0]: True for name, _value in records}
