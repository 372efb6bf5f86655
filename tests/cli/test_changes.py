"""What changed is one line for each object, with its fields."""

from paquebot.cli.changes import changes


def made(kind: str, name: str, namespace: str = "shop", **spec: object) -> dict:
    return {"kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def test_each_object_has_one_line() -> None:
    before = [made("MailDomain", "gone"), made("MailDomain", "same", domain="a.test"), made("SendingPool", "p", x=1)]
    after = [made("MailDomain", "same", domain="a.test"), made("SendingPool", "p", x=2), made("MailDomain", "new")]
    assert changes(before, after) == [
        "removed MailDomain shop/gone",
        "added MailDomain shop/new",
        "changed SendingPool shop/p: spec.x",
    ]


def test_changed_fields_are_named_a_list_as_one() -> None:
    before = [made("SendingPool", "p", retry={"max": "1h", "initial": "1s"}, names=["a"], paused=True)]
    after = [made("SendingPool", "p", retry={"max": "2h", "initial": "1s"}, names=["a", "b"], replicas=2)]
    assert changes(before, after) == [
        "changed SendingPool shop/p: spec.retry.max, spec.names, spec.paused, spec.replicas"
    ]


def test_of_many_fields_some_are_named() -> None:
    after = [made("SendingPool", "p", **{f"f{number}": 1 for number in range(7)})]
    assert changes([made("SendingPool", "p")], after) == [
        "changed SendingPool shop/p: spec.f0, spec.f1, spec.f2, spec.f3, spec.f4 and 2 more"
    ]


def test_an_object_of_the_cluster_has_no_namespace() -> None:
    destination = {"kind": "DestinationPolicy", "metadata": {"name": "big"}, "spec": {}}
    assert changes([], [destination]) == ["added DestinationPolicy big"]
