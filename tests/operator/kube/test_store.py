"""Objects are kept without what nobody reads."""

from paquebot_operator.kube.store import Store, key_of, trimmed

ENTRY = {
    "apiVersion": "v1",
    "kind": "MailDomain",
    "metadata": {"name": "a", "namespace": "shop", "managedFields": [{"manager": "x"}], "annotations": {"long": "x"}},
    "spec": {"domain": "a.example"},
}


def test_what_nobody_reads_is_not_kept() -> None:
    assert trimmed(ENTRY)["metadata"] == {"name": "a", "namespace": "shop"}
    assert trimmed(ENTRY)["spec"] == {"domain": "a.example"}


def test_objects_come_and_go() -> None:
    store = Store()
    key = store.put(ENTRY)
    assert key == key_of(ENTRY)
    assert store.get(key) == trimmed(ENTRY)
    assert store.keys("MailDomain") == {key}
    store.drop(key)
    assert store.get(key) is None
    assert list(store) == []
