"""Pools that are gone from the manifests stay in the policy, marked, until somebody takes them out."""

from paquebot.policy.compile import compile_policy
from paquebot.policy.draining import with_draining, without
from paquebot.policy.encode import decode_object, encode_object

NOW, LATER = "2026-11-26T10:00:00Z", "2026-11-26T11:00:00Z"


def pool(name: str) -> dict:
    return {
        "apiVersion": "paquebot.dev/v1alpha1",
        "kind": "SendingPool",
        "metadata": {"name": name, "namespace": "mail-system"},
        "spec": {"heloHostname": "out.test"},
    }


def draining(objects: list) -> dict[str, bool]:
    return {each.name: each.draining for each in compile_policy(objects).pools.values()}


def test_a_pool_that_is_gone_stays_marked() -> None:
    assert draining(with_draining([pool("a")], [pool("a"), pool("b")], NOW)) == {"a": False, "b": True}


def test_only_pools_stay() -> None:
    domain = {"kind": "MailDomain", "metadata": {"name": "d", "namespace": "n"}}
    assert with_draining([], [domain], NOW) == []


def test_the_mark_is_kept_as_it_was_first_made_and_goes_over_the_wire() -> None:
    first = with_draining([], [pool("b")], NOW)
    published = [decode_object(encode_object(each)[1]) for each in first]
    assert draining(published) == {"b": True}
    assert with_draining([], published, LATER) == published


def test_a_pool_that_comes_back_is_a_pool_as_any_other() -> None:
    marked = with_draining([], [pool("b")], NOW)
    assert draining(with_draining([pool("b")], marked, LATER)) == {"b": False}


def test_an_empty_one_is_taken_out() -> None:
    assert without([pool("a"), pool("b")], "mail-system_b") == [pool("a")]
