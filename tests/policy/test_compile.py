"""Manifests compile to the policy they say, and every fault is told at once with its cure."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paquebot.mail.delivery import Lane
from paquebot.policy.compile import compile_policy
from paquebot.policy.faults import Fault, PolicyFaults
from paquebot.policy.manifests import parse
from paquebot.policy.values import EightBit, OnUnavailable, Policy, Retry, TLSMinimum

EXAMPLES = Path(__file__).parents[2] / "examples"
API = "paquebot.dev/v1alpha1"


def entry(kind: str, name: str, namespace: str = "", **spec: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {"apiVersion": API, "kind": kind, "metadata": metadata, "spec": spec}


def pool(name: str = "default", **spec: Any) -> dict[str, Any]:
    given_spec = {"heloHostname": "out.mail.example", "allowedNamespaces": {"names": ["*"]}} | spec
    return entry("SendingPool", name, "mail-system", **given_spec)


def domain(name: str = "main", namespace: str = "shop", **spec: Any) -> dict[str, Any]:
    return entry("MailDomain", name, namespace, **{"domain": "shop.example"} | spec)


def credential(name: str = "web", namespace: str = "shop", **spec: Any) -> dict[str, Any]:
    return entry("SMTPCredential", name, namespace, **spec)


def destination(name: str = "big", **spec: Any) -> dict[str, Any]:
    return entry("DestinationPolicy", name, **{"match": {"domains": [f"{name}.test"]}} | spec)


def faults_of(*objects: Any) -> list[str]:
    with pytest.raises(PolicyFaults) as refused:
        compile_policy(objects)
    return [str(fault) for fault in refused.value.faults]


def fault_of(*objects: Any) -> str:
    faults = faults_of(*objects)
    assert len(faults) == 1, faults
    return faults[0]


def examples() -> Policy:
    texts = [path.read_text() for path in sorted(EXAMPLES.glob("*.yaml"))]
    return compile_policy([found.object for text in texts for found in parse(text)], "r1")


def test_the_examples_compile_to_two_tenants_and_a_relay() -> None:
    policy = examples()
    assert policy.revision == "r1"
    assert sorted(policy.domains) == ["news.example", "shop.example"]
    assert sorted(policy.credentials) == ["mail-system.relay", "news.letters", "shop.web"]
    assert list(policy.pools) == ["mail-system_default"]
    assert policy.credentials["mail-system.relay"].pool == "mail-system_default"
    assert policy.credentials["shop.web"].senders == ("orders@shop.example", "*@mail.shop.example")
    assert policy.credentials["news.letters"].senders == ("*@news.example",)
    assert policy.pools["mail-system_default"].retry == Retry()
    assert policy.domains["news.example"].eight_bit is EightBit.ENCODE
    assert policy.domains["news.example"].content.on_unavailable is OnUnavailable.ACCEPT
    assert policy.domains["news.example"].content.reject > 1
    bigmail = policy.destinations["bigmail"]
    assert (bigmail.rate_per_s, bigmail.slots, bigmail.tls_minimum) == (50.0, 2, TLSMinimum.ENCRYPTED)


def test_a_credential_without_limits_takes_the_strictest_of_its_domains() -> None:
    policy = compile_policy(
        [
            pool(),
            domain("a", domain="a.example", limits={"maxMessageSize": "10Mi", "maxRecipients": 70}),
            domain("b", domain="b.example", limits={"maxMessageSize": "40Mi", "maxRecipients": 20}),
            credential(domainRefs=[{"name": "a"}, {"name": "b"}]),
        ]
    )
    limits = policy.credentials["shop.web"].limits
    assert (limits.message_size_max_bytes, limits.recipients_max) == (10 << 20, 20)


def test_all_faults_of_all_objects_are_told_at_once() -> None:
    faults = faults_of(
        pool(heloHostname="out"),
        domain(domain="Shop.example", content={"tag": 3}, limits={"maxRecipients": 0}),
        credential(domainRefs=[{"name": "absent"}]),
    )
    paths = [fault.split(": ")[1] for fault in faults]
    assert paths == [
        "spec.heloHostname",
        "spec.domain",
        "spec.limits.maxRecipients",
        "spec.content.tag",
        "spec.domainRefs[0].name",
    ]


def test_an_unknown_field_is_refused_with_the_nearest_known_one() -> None:
    fault = fault_of(pool(), domain(content={"rejct": "90%"}))
    assert fault == "MailDomain shop/main: spec.content.rejct: is not a known field; did you mean reject?"


def test_fields_not_served_yet_are_refused_plainly() -> None:
    assert "spec.egress: is not served yet; leave it out" in fault_of(pool(egress={"mode": "Proxy"}))
    assert "spec.returnPath: is not served yet" in fault_of(pool(), domain(returnPath="bounce.shop.example"))
    assert "spec.dkim.existingSecretRef: is not served yet" in fault_of(pool(), domain(dkim={"existingSecretRef": {}}))


def test_which_keys_may_sign_is_read_from_the_status() -> None:
    def signing(status: object) -> tuple[str, ...] | None:
        return compile_policy([pool(), domain() | {"status": status}]).domains["shop.example"].signing

    assert signing({"dkim": {"signing": ["pq2-rsa", "pq1-rsa"]}}) == ("pq2-rsa", "pq1-rsa")
    assert signing({"dkim": {"signing": []}}) == ()
    assert signing({"observedGeneration": -1, "dkim": {"selectors": []}}) is None
    fault = fault_of(pool(), domain() | {"status": {"dkim": {"signing": ["Pq 1"]}}})
    assert 'status.dkim.signing[0]: "Pq 1" is not a DKIM selector' in fault


def test_mail_of_a_domain_is_tried_no_longer_than_its_pool_tries() -> None:
    assert compile_policy([pool(), domain(expiry="4h")]).domains["shop.example"].expiry_s == 4 * 3600
    fault = fault_of(pool(retry={"expiry": "1d"}), domain(expiry="25h"))
    assert "spec.expiry: is longer than SendingPool mail-system/default tries; shorten it, or raise" in fault


def test_an_unknown_kind_is_refused_with_the_nearest_known_one() -> None:
    assert "did you mean MailDomain?" in fault_of(entry("MailDomian", "main", "shop"))


def test_an_object_of_another_api_is_refused() -> None:
    fault = fault_of({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}})
    assert 'apiVersion: is "v1"; write paquebot.dev/v1alpha1, or leave the object out' in fault


def test_an_object_declared_twice_is_refused() -> None:
    assert "metadata.name: is declared twice" in fault_of(pool(), pool())


def test_a_domain_claimed_twice_names_who_has_it() -> None:
    fault = fault_of(pool(), domain(), domain(namespace="news"))
    assert fault.startswith("MailDomain news/main: spec.domain: shop.example is claimed by shop/main already")


def test_a_pool_that_is_not_there_and_one_that_does_not_allow_the_namespace_are_told_apart() -> None:
    absent = fault_of(pool(), domain(poolRef={"name": "bulk"}))
    assert "spec.poolRef: there is no SendingPool mail-system/bulk" in absent
    assert "known: mail-system/default" in absent
    refused = fault_of(pool(allowedNamespaces={"names": ["news"]}), domain())
    assert "spec.poolRef: SendingPool mail-system/default does not allow namespace shop" in refused


def test_a_pool_serves_its_own_namespace_without_naming_it() -> None:
    policy = compile_policy([pool(allowedNamespaces={}), domain(namespace="mail-system")])
    assert policy.domains["shop.example"].pool == "mail-system_default"


def test_an_unfit_pool_is_not_told_again_as_absent() -> None:
    assert "heloHostname" in fault_of(pool(heloHostname=""), domain())


def test_a_domain_in_unicode_is_told_its_a_label() -> None:
    fault = fault_of(pool(), domain(domain="münchen.example"))
    assert fault.endswith('spec.domain: "münchen.example" is not in A-labels; write "xn--mnchen-3ya.example"')


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Shop.example", 'write "shop.example"'),
        ("shop.example.", "ends with a dot"),
        ("example", "has only one label"),
        ("-a.example", "is not a domain"),
        (f"{'a' * 64}.example", "is not a domain"),
        (".".join(["a" * 49] * 6), "is not a domain"),
        (7, "give a domain"),
    ],
)
def test_an_unfit_domain_is_told_what_is_wrong(name: object, told: str) -> None:
    assert told in fault_of(pool(), domain(domain=name))


def test_any_sender_is_for_the_platform_namespace_alone() -> None:
    assert "spec.anySender: is only for namespace mail-system" in fault_of(pool(), credential(anySender=True))
    relay = credential("relay", "mail-system", anySender=True)
    assert compile_policy([pool(), relay]).credentials["mail-system.relay"].any_sender
    moved = credential("relay", "platform", anySender=True, poolRef={"name": "default", "namespace": "mail-system"})
    policy = compile_policy([pool(), moved], platform_namespace="platform")
    assert policy.credentials["platform.relay"].pool == "mail-system_default"


def test_a_pool_of_a_credential_needs_any_sender() -> None:
    fault = fault_of(pool(), domain(), credential(domainRefs=[{"name": "main"}], poolRef={"name": "default"}))
    assert "spec.poolRef: is only for `anySender`" in fault


def test_a_credential_that_could_send_as_nobody_is_refused() -> None:
    assert "may send as nobody" in fault_of(credential())
    fault = fault_of(pool(), domain(), credential(domainRefs=[{"name": "main", "senders": []}]))
    assert "spec.domainRefs[0].senders: names nobody" in fault


@pytest.mark.parametrize("sender", ["a@news.example", "*@eshop.example", "a@example"])
def test_senders_stay_in_the_domain_they_stand_under(sender: str) -> None:
    senders = [{"name": "main", "senders": [sender]}]
    assert "spec.domainRefs[0].senders" in fault_of(pool(), domain(), credential(domainRefs=senders))


def test_a_sender_below_a_domain_of_another_tenant_is_refused() -> None:
    fault = fault_of(
        pool(),
        domain(),
        domain(namespace="news", domain="news.shop.example"),
        credential(domainRefs=[{"name": "main", "senders": ["*@daily.news.shop.example"]}]),
    )
    assert "*@daily.news.shop.example belongs to news/main" in fault


def test_senders_are_lowered() -> None:
    senders = [{"name": "main", "senders": ["Orders@Shop.example"]}]
    policy = compile_policy([pool(), domain(), credential(domainRefs=senders)])
    assert policy.credentials["shop.web"].senders == ("orders@shop.example",)


@pytest.mark.parametrize("sender", ["orders", "a b@shop.example", "a..b@shop.example", "@shop.example", 3])
def test_an_unfit_sender_is_refused(sender: object) -> None:
    faults = faults_of(pool(), domain(), credential(domainRefs=[{"name": "main", "senders": [sender]}]))
    assert any("spec.domainRefs[0].senders[0]" in fault for fault in faults)


def test_two_destination_policies_may_not_match_the_same() -> None:
    fault = fault_of(destination("a", match={"domains": ["x.test"]}), destination("b", match={"domains": ["x.test"]}))
    assert "DestinationPolicy b: spec.match.domains: x.test is matched by DestinationPolicy a already" in fault


def test_a_destination_policy_belongs_to_the_cluster_and_matches_something() -> None:
    assert "metadata.namespace: is not for DestinationPolicy" in fault_of(
        entry("DestinationPolicy", "big", "shop", match={"domains": ["x.test"]})
    )
    assert "spec.match: matches nothing" in fault_of(destination(match={}))
    assert "choose another name" in fault_of(destination("other"))


def test_names_that_become_tokens_have_no_dots() -> None:
    assert "metadata.name" in fault_of(pool("a.b"))
    compile_policy([pool(), domain("shop.example")])


def test_a_missing_namespace_name_and_spec_are_told() -> None:
    assert "metadata.namespace: is missing" in fault_of(pool(), entry("MailDomain", "m", domain="shop.example"))
    assert "metadata.name: is missing" in fault_of(
        {"apiVersion": API, "kind": "DestinationPolicy", "spec": {"match": {"domains": ["x.test"]}}}
    )
    assert "spec: is missing" in fault_of({"apiVersion": API, "kind": "MailDomain", "metadata": {}})


def test_holding_above_the_rejection_threshold_is_refused() -> None:
    assert "nothing would be held" in fault_of(pool(), domain(content={"hold": "97%", "reject": "95%"}))
    compile_policy([pool(), domain(content={"hold": "97%", "reject": "Never"})])


def test_more_pools_than_stream_sets_are_refused() -> None:
    compile_policy([pool(f"p{at}") for at in range(20)])
    assert "one pool more than 20" in fault_of(*[pool(f"p{at}") for at in range(21)])


def test_no_limit_is_said_by_leaving_it_out() -> None:
    fault = fault_of(pool(), domain(limits={"messagesPerHour": 0}))
    assert "leave it out for no limit" in fault


def test_a_back_off_longer_than_its_end_is_refused() -> None:
    assert "spec.backoff.initial: is longer than `max`" in fault_of(destination(backoff={"max": "1m"}))
    assert "spec.retry.initial: is longer than `max`" in fault_of(pool(retry={"initial": "5h"}))


def test_a_fault_is_one_line_whatever_people_write() -> None:
    fault = fault_of(pool(), domain(**{"a\n\x1b[31mb": 1}))
    assert fault.isprintable()


def test_null_counts_as_not_given() -> None:
    policy = compile_policy([pool(), domain(returnPath=None, dns=None, limits=None)])
    assert policy == compile_policy([pool(), domain()])


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.integers(400, 401).map(lambda digits: 10**digits),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
WORDS = (
    "domain",
    "poolRef",
    "name",
    "limits",
    "content",
    "match",
    "domains",
    "senders",
    "domainRefs",
    "retry",
)
WORDS += (
    "quick",
    "dkim",
    "algorithms",
    "maxMessageSize",
    "rate",
    "expiresAt",
    "tag",
    "heloHostname",
    "slots",
)
SPECS = st.recursive(
    JSON | st.sampled_from(["shop.example", "5m", "1/s", "25Mi", "2030-01-01T00:00:00Z", "0001-01-01T00:00:00Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5),
    max_leaves=20,
)
OBJECTS = st.fixed_dictionaries(
    {
        "apiVersion": st.just(API) | JSON,
        "kind": st.sampled_from(["SendingPool", "MailDomain", "SMTPCredential", "DestinationPolicy"]) | JSON,
        "metadata": st.fixed_dictionaries({"name": st.just("main") | JSON, "namespace": st.just("shop") | JSON}) | JSON,
        "spec": SPECS,
    }
)


@settings(max_examples=300, deadline=None)
@given(objects=st.lists(OBJECTS | JSON, max_size=4))
def test_arbitrary_json_gives_a_policy_or_its_faults(objects: list[Any]) -> None:
    faults: tuple[Fault, ...] = ()
    try:
        compile_policy(objects)
    except PolicyFaults as refused:
        faults = refused.faults
    assert all(str(fault).isprintable() for fault in faults)
    foreign = [each for each in objects if not isinstance(each, dict) or each.get("apiVersion") != API]
    assert len(faults) >= len(foreign)


def test_tenants_weights_are_read_and_told_when_unfit() -> None:
    policy = compile_policy([pool(fairness={"tenantWeights": {"shop": 5}})])
    assert policy.pools["mail-system_default"].tenant_weights == {"shop": 5}
    dotted, zero = faults_of(pool(fairness={"tenantWeights": {"a.b": 1, "shop": 0}}))
    assert 'spec.fairness.tenantWeights.a.b: "a.b" is not a name' in dotted
    assert "spec.fairness.tenantWeights.shop: 0 is out of range; give a number from 1 to 1000" in zero


def test_service_accounts_may_use_a_credential() -> None:
    accounts = [{"name": "web"}, {"name": "web.worker"}]
    objects = [pool(), domain(), credential(domainRefs=[{"name": "main"}], serviceAccounts=accounts)]
    assert compile_policy(objects).credentials["shop.web"].service_accounts == ("web", "web.worker")
    assert compile_policy(objects).cluster is None


@pytest.mark.parametrize(
    ("accounts", "told"),
    [
        ([{}], "spec.serviceAccounts[0].name: is missing"),
        ([{"name": "Web"}], 'spec.serviceAccounts[0].name: "Web" is not an object name'),
        ([{"name": "web", "namespace": "news"}], "spec.serviceAccounts[0].namespace: is not a known field"),
        ([{"name": "web"}, {"name": "web"}], "spec.serviceAccounts[1]: names web twice; name each once"),
        ([{"name": f"a{at}"} for at in range(51)], "spec.serviceAccounts: has 51 entries; give at most 50"),
    ],
)
def test_unfit_service_accounts_are_refused(accounts: list[dict[str, str]], told: str) -> None:
    unfit = credential(domainRefs=[{"name": "main"}], serviceAccounts=accounts)
    assert told in fault_of(pool(), domain(), unfit)


def test_fifty_service_accounts_may_use_one_credential() -> None:
    accounts = [{"name": f"a{at}"} for at in range(50)]
    policy = compile_policy([pool(), domain(), credential(domainRefs=[{"name": "main"}], serviceAccounts=accounts)])
    assert len(policy.credentials["shop.web"].service_accounts) == 50


def test_a_service_account_uses_one_credential_and_the_fault_names_both() -> None:
    refs: dict[str, Any] = {"domainRefs": [{"name": "main"}], "serviceAccounts": [{"name": "web"}]}
    fault = fault_of(pool(), domain(), credential("orders", **refs), credential("returns", **refs))
    assert fault == (
        "SMTPCredential shop/returns: spec.serviceAccounts[0].name: web may use SMTPCredential shop/orders already; "
        "name it in one of the two"
    )


def test_service_accounts_of_one_name_in_two_namespaces_are_two() -> None:
    refs: dict[str, Any] = {"domainRefs": [{"name": "main"}], "serviceAccounts": [{"name": "web"}]}
    news = domain("main", "news", domain="news.example")
    compile_policy([pool(), domain(), news, credential(**refs), credential("web", "news", **refs)])


def test_urgent_is_for_credentials_of_the_platform_alone() -> None:
    refs = {"domainRefs": [{"name": "main"}]}
    assert "spec.lane: Urgent is only for namespace mail-system" in fault_of(
        pool(), domain(), credential(lane="Urgent", **refs)
    )
    assert "write one of Urgent, Normal, Bulk" in fault_of(pool(), domain(), credential(lane="bulk", **refs))
    policy = compile_policy(
        [
            pool(),
            domain(),
            credential(lane="Bulk", **refs),
            credential("relay", "mail-system", anySender=True, lane="Urgent"),
        ]
    )
    assert [each.lane for each in policy.credentials.values()] == [Lane.BULK, Lane.URGENT]


def test_slots_without_a_connection_each_are_refused() -> None:
    told = fault_of(destination(slots=4, limits={"maxConnections": 3}))
    assert "spec.slots: are 4 for 3 connections" in told
    assert "raise limits.maxConnections to at least 4" in told
