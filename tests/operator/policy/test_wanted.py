"""What should make the policy: pools drain, others end at once; a selector becomes names."""

from typing import Any

import pytest

from paquebot_operator.kube.store import Store
from paquebot_operator.names import Key
from paquebot_operator.policy.wanted import matches, wanted

LABELS = {"mail": "allowed", "team": "shop"}


def put(store: Store, kind: str, name: str, **more: Any) -> None:
    metadata = {"name": name, "namespace": "mail-system"} | more.pop("metadata", {})
    store.put({"apiVersion": "v", "kind": kind, "metadata": metadata, **more})


def test_the_oldest_stands_first() -> None:
    store = Store()
    put(store, "MailDomain", "b", metadata={"creationTimestamp": "2026-01-02T00:00:00Z"})
    put(store, "MailDomain", "c", metadata={"creationTimestamp": "2026-01-01T00:00:00Z"})
    put(store, "MailDomain", "a", metadata={"creationTimestamp": "2026-01-02T00:00:00Z"})
    assert [entry["metadata"]["name"] for entry in wanted(store, ())] == ["c", "a", "b"]


def test_who_holds_a_domain_keeps_it_before_the_older_until_another_proves_it() -> None:
    store = Store()
    put(store, "MailDomain", "old", metadata={"creationTimestamp": "2026-01-01T00:00:00Z"})
    put(store, "MailDomain", "new", metadata={"creationTimestamp": "2026-01-02T00:00:00Z"})
    seen = {"dns": {"records": [{"purpose": "Ownership", "state": "Verified"}]}}
    put(store, "MailDomain", "proven", metadata={"creationTimestamp": "2026-01-03T00:00:00Z"}, status=seen)
    found = wanted(store, {Key("MailDomain", "mail-system", "new")})
    assert [entry["metadata"]["name"] for entry in found] == ["proven", "new", "old"]


def test_a_domain_whose_status_names_no_key_is_published_without_any() -> None:
    store = Store()
    put(store, "MailDomain", "a")
    assert wanted(store, ())[0]["status"] == {"dkim": {"signing": []}}


def test_a_pool_that_is_deleted_stays_and_a_domain_goes() -> None:
    store = Store()
    gone = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    put(store, "MailDomain", "a", metadata=gone)
    put(store, "SendingPool", "default", metadata=gone)
    assert [entry["kind"] for entry in wanted(store, ())] == ["SendingPool"]


def test_what_is_in_a_namespace_that_is_deleted_goes_with_it_but_pools_drain() -> None:
    store = Store()
    put(store, "Namespace", "shop", metadata={"namespace": "", "deletionTimestamp": "2026-01-01T00:00:00Z"})
    put(store, "SMTPCredential", "web", metadata={"namespace": "shop"})
    put(store, "SMTPCredential", "relay")
    put(store, "SendingPool", "own", metadata={"namespace": "shop"})
    store.put({"apiVersion": "v", "kind": "DestinationPolicy", "metadata": {"name": "everywhere"}})
    assert {entry["metadata"]["name"] for entry in wanted(store, ())} == {"own", "relay", "everywhere"}


def test_a_selector_becomes_the_names_it_finds() -> None:
    store = Store()
    put(store, "Namespace", "shop", metadata={"labels": LABELS, "namespace": ""})
    put(store, "Namespace", "other", metadata={"namespace": ""})
    allowed = {"names": ["news"], "selector": {"matchLabels": {"mail": "allowed"}}}
    put(store, "SendingPool", "default", spec={"heloHostname": "x", "allowedNamespaces": allowed})
    (pool,) = wanted(store, ())
    assert pool["spec"] == {"heloHostname": "x", "allowedNamespaces": {"names": ["news", "shop"]}}


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ({}, True),
        ({"matchLabels": {"mail": "allowed", "team": "shop"}}, True),
        ({"matchLabels": {"mail": "denied"}}, False),
        ({"matchExpressions": [{"key": "team", "operator": "In", "values": ["shop", "news"]}]}, True),
        ({"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["shop"]}]}, False),
        ({"matchExpressions": [{"key": "team", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}, False),
        ({"matchExpressions": [{"key": "team", "operator": "Like"}]}, False),
    ],
)
def test_selectors_match_as_in_kubernetes(selector: dict[str, Any], found: bool) -> None:
    assert matches(selector, LABELS) is found
