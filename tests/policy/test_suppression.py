"""Lists apply to whom they say, and a mailbox stands on one under one key however it is written."""

from typing import Any

import pytest

from paquebot.policy.compile import compile_policy
from paquebot.policy.faults import PolicyFaults
from paquebot.policy.suppression import SuppressionList, SuppressionLists, canonical, hash_of

API = "paquebot.dev/v1alpha1"
KEY = b"k" * 32
GLOBAL = SuppressionList("mail-system", "law", everybody=True)
SHOP = SuppressionList("shop", "bounces")
NEWS = SuppressionList("shop", "news", domains=("news.shop.example",))


def entry(kind: str, name: str, namespace: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}


POOL = entry("SendingPool", "default", "mail-system", heloHostname="o.example", allowedNamespaces={"names": ["*"]})
DOMAIN = entry("MailDomain", "main", "shop", domain="shop.example")


def compiled(namespace: str = "shop", **spec: Any) -> SuppressionList:
    (found,) = compile_policy(
        [POOL, DOMAIN, entry("SuppressionList", "one", namespace, **spec)]
    ).suppression.by_place.values()
    return found


def fault_of(**spec: Any) -> str:
    with pytest.raises(PolicyFaults) as refused:
        compiled(**spec)
    return str(refused.value.faults[0]).partition(": ")[2]


@pytest.mark.parametrize(
    ("tenant", "domain", "names"),
    [
        ("shop", "shop.example", ["law", "bounces"]),
        ("shop", "news.shop.example", ["law", "bounces", "news"]),
        ("shop", "", ["law", "bounces"]),
        ("other", "news.shop.example", ["law"]),
    ],
)
def test_a_list_applies_to_the_mail_that_it_is_for(tenant: str, domain: str, names: list[str]) -> None:
    assert [each.name for each in SuppressionLists.of([SHOP, NEWS, GLOBAL]).applying(tenant, domain)] == names


def test_a_mailbox_has_one_key_however_it_is_written() -> None:
    assert canonical("Ann.B@BÜCHER.Example.") == "ann.b@xn--bcher-kva.example"
    assert hash_of(KEY, "shop/a", "Ann@b.example") == hash_of(KEY, "shop/a", "ann@B.EXAMPLE")


def test_a_key_tells_nothing_without_the_secret_and_is_of_its_list_alone() -> None:
    keys = {hash_of(KEY, "shop/a", "a@b.example"), hash_of(KEY, "shop/b", "a@b.example")}
    assert len(keys | {hash_of(b"x" * 32, "shop/a", "a@b.example")}) == 3


def test_a_list_says_for_whom_what_feeds_it_and_how_long() -> None:
    read = compiled(appliesTo={"domainRefs": [{"name": "main"}]}, sources={"hardBounces": True}, ttl="90d")
    assert read == SuppressionList("shop", "one", ("shop.example",), hard_bounces=True, ttl_s=90 * 86_400)
    assert compiled("mail-system").everybody
    assert not compiled().everybody


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        (
            {"appliesTo": {"domainRefs": [{"name": "x"}]}},
            "spec.appliesTo.domainRefs[0].name: there is no MailDomain shop/x",
        ),
        ({"appliesTo": {"domainRefs": []}}, "spec.appliesTo.domainRefs: is empty"),
        ({"sources": {"complaints": True}}, "spec.sources.complaints: is not served yet; leave it out"),
        ({"import": {"configMapRef": {"name": "x"}}}, "spec.import: is not served yet; leave it out"),
        ({"ttl": "9y"}, 'spec.ttl: "9y" is not a duration'),
    ],
)
def test_faults_name_the_field_and_the_cure(spec: dict[str, Any], fault: str) -> None:
    assert fault_of(**spec).startswith(fault)
