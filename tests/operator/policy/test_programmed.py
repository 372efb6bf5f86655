"""An object is programmed once every live pod runs the revision in which it became what it is."""

from typing import Any

from paquebot_operator.conditions import FALSE, TRUE, UNKNOWN
from paquebot_operator.names import Key
from paquebot_operator.policy.programmed import Progress

A, B = Key("MailDomain", "shop", "a"), Key("MailDomain", "shop", "b")


def entry(name: str, **spec: Any) -> dict[str, Any]:
    return {"kind": "MailDomain", "metadata": {"name": name, "namespace": "shop"}, "spec": spec}


def test_it_waits_for_every_pod_and_names_the_late_ones() -> None:
    progress = Progress()
    progress.published("r1", [entry("a")])
    assert progress.condition(A).message == "no pod of the platform runs yet"
    progress.pods = {"router-1": "r1", "auth-1": ""}
    assert progress.condition(A).status == FALSE
    assert progress.condition(A).message == "on 1 of 2 pods; not yet on auth-1"
    progress.pods = {"router-1": "r1", "auth-1": "r1"}
    assert progress.condition(A).status == TRUE


def test_anothers_change_takes_nothing_from_it() -> None:
    progress = Progress(pods={"router-1": "r1"})
    progress.published("r1", [entry("a"), entry("b")])
    progress.published("r2", [entry("a"), entry("b", domain="b.example")])
    assert progress.condition(A).status == TRUE
    assert progress.condition(B).status == FALSE
    progress.pods = {"router-1": "r2"}
    assert progress.condition(B).status == TRUE


def test_a_revision_that_comes_back_counts_as_the_latest() -> None:
    progress = Progress(pods={"router-1": "r2"})
    progress.published("r1", [entry("a", suspend=False)])
    progress.published("r2", [entry("a", suspend=True)])
    progress.published("r1", [entry("a", suspend=False)])
    assert progress.condition(A).status == FALSE
    progress.pods = {"router-1": "r1"}
    assert progress.condition(A).status == TRUE


def test_what_is_not_published_is_not_programmed() -> None:
    progress = Progress(pods={"router-1": "r1"})
    progress.published("r1", [entry("a")])
    assert progress.condition(B).reason == "NotPublished"


def test_without_a_queue_nobody_knows() -> None:
    progress = Progress(pods={"router-1": "r1"}, trouble="the queue cannot be reached: timeout")
    assert progress.condition(A).status == UNKNOWN
    assert progress.condition(A).reason == "ConfigStoreUnavailable"


def test_a_pod_of_an_unknown_revision_runs_none() -> None:
    progress = Progress(pods={"router-1": "from before"})
    progress.published("r1", [entry("a")])
    assert progress.condition(A).status == FALSE
    assert not progress.settled
