"""What the operator says of objects while it cannot reach the queue."""

from pathlib import Path
from typing import Any

import pytest

from paquebot_operator.conditions import Condition
from paquebot_operator.kube.store import Store, key_of
from paquebot_operator.names import Key
from paquebot_operator.policy.publish import POLICY, UNREACHABLE_S, Publishing
from paquebot_operator.queue_link import QueueLink

TROUBLE = "the queue cannot be reached: there is no certificate for publisher yet"


def pool(generation: int, status: dict[str, Any]) -> dict[str, Any]:
    metadata = {"namespace": "mail-system", "name": "default", "uid": "1", "generation": generation}
    spec = {"heloHostname": "out.mail.example"}
    head = {"apiVersion": "paquebot.dev/v1alpha1", "kind": "SendingPool"}
    return head | {"metadata": metadata, "spec": spec, "status": status}


@pytest.mark.parametrize("generation", [1, 2], ids=["judged before", "changed meanwhile"])
async def test_every_object_says_that_it_waits_for_the_queue(tmp_path: Path, generation: int) -> None:
    told = list[Key]()
    store = Store()
    entry = pool(generation, {"observedGeneration": 1, "conditions": [], "replicas": 3})
    store.put(entry)
    publishing = Publishing(store, QueueLink("nats://127.0.0.1:1", tmp_path), "mail-system", told.append, list)
    publishing.generations[key_of(entry)] = 1

    assert await publishing.reconcile(POLICY) == UNREACHABLE_S
    assert told == [key_of(entry)]
    report = publishing.report(entry)
    assert report is not None
    assert report.conditions[-1] == Condition("Programmed", "Unknown", "ConfigStoreUnavailable", TROUBLE)
    judged = {each.type: each.status for each in report.conditions[:-1]}
    assert judged == dict.fromkeys(("Accepted", "ResolvedRefs"), "True" if generation == 1 else "Unknown")
    assert report.fields == ({} if generation == 1 else {"replicas": 3}), "what others know of it stays"


def test_an_object_that_will_be_judged_soon_says_nothing(tmp_path: Path) -> None:
    publishing = Publishing(Store(), QueueLink("nats://127.0.0.1:1", tmp_path), "mail-system", lambda _key: None, list)
    assert publishing.report(pool(1, {})) is None
