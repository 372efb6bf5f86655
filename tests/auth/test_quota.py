"""Leases never exceed an hour's messages, whoever asks."""

from hypothesis import given
from hypothesis import strategies as st

from paquebot.auth.quota import Quotas, tenant_per_hour
from paquebot.policy.values import Limits, MailDomain, Policy, SMTPCredential

NOW = 1_790_000_000_000
HOUR_MS = 3_600_000


def credential(per_hour: int, name: str = "web") -> SMTPCredential:
    return SMTPCredential("shop", name, limits=Limits(messages_per_hour=per_hour))


def policy(*per_hour: int, credentials: tuple[SMTPCredential, ...] = ()) -> Policy:
    domains = [
        MailDomain("shop", f"d{at}", f"d{at}.example", "p", limits=Limits(messages_per_hour=limit))
        for at, limit in enumerate(per_hour)
    ]
    return Policy(
        domains={each.domain: each for each in domains},
        credentials={each.username: each for each in credentials},
    )


def test_without_limits_all_is_granted() -> None:
    assert Quotas().lease(credential(0), policy(0), 5000, NOW).granted == 5000


def test_a_lease_is_no_more_than_the_share_of_ten_seconds() -> None:
    assert Quotas().lease(credential(3600), policy(), 5000, NOW).granted == 10
    assert Quotas().lease(credential(5), policy(), 5000, NOW).granted == 1


def test_an_exhausted_credential_says_why_and_when() -> None:
    quotas = Quotas()
    assert [quotas.lease(credential(60), policy(), 1, NOW).granted for _ in range(60)] == [1] * 60
    refused = quotas.lease(credential(60), policy(), 1, NOW)
    assert refused.granted == 0
    assert refused.reason == "credential shop.web has used its 60 messages an hour"
    assert refused.retry_ms == 60_000
    assert quotas.lease(credential(60), policy(), 1, NOW + refused.retry_ms).granted == 1


def test_credentials_of_a_tenant_share_what_its_domains_may_send() -> None:
    quotas, both = Quotas(), policy(3, 2)
    granted = [quotas.lease(credential(0, name), both, 1, NOW).granted for name in "abcdef"]
    assert granted == [1, 1, 1, 1, 1, 0]
    assert quotas.lease(credential(0), both, 1, NOW).reason == "tenant shop has used its 5 messages an hour"


def test_a_refusal_takes_nothing_from_the_other_bucket() -> None:
    quotas, one = Quotas(), policy(1)
    quotas.lease(credential(2, "a"), one, 1, NOW)
    assert quotas.lease(credential(2, "b"), one, 1, NOW).granted == 0
    assert [quotas.lease(credential(2, "b"), policy(), 1, NOW).granted for _ in range(3)] == [1, 1, 0]


def test_a_tenant_with_an_unlimited_domain_has_no_limit() -> None:
    assert tenant_per_hour(policy(3, 0), "shop") == 0
    assert tenant_per_hour(policy(3, 4), "shop") == 7
    assert tenant_per_hour(policy(3), "news") == 0


def test_a_lowered_limit_holds_at_once() -> None:
    quotas = Quotas()
    quotas.lease(credential(1000), policy(), 1, NOW)
    assert [quotas.lease(credential(2), policy(), 1, NOW).granted for _ in range(3)] == [1, 1, 0]


def test_buckets_of_who_is_gone_are_forgotten() -> None:
    quotas = Quotas()
    kept, gone = credential(10, "kept"), credential(10, "gone")
    for each in (kept, gone):
        quotas.lease(each, policy(9), 1, NOW)
    quotas.keep(policy(9, credentials=(kept,)))
    assert repr(quotas) == "<Quotas 2 buckets>"


def test_a_clock_that_steps_back_fills_nothing() -> None:
    quotas = Quotas()
    quotas.lease(credential(1), policy(), 1, NOW)
    assert quotas.lease(credential(1), policy(), 1, NOW - HOUR_MS).granted == 0


@given(
    per_hour=st.integers(1, 5000),
    asked=st.lists(st.tuples(st.integers(1, 500), st.integers(0, 60_000)), max_size=80),
)
def test_no_hour_sees_more_than_a_full_bucket_and_its_refill(per_hour: int, asked: list[tuple[int, int]]) -> None:
    quotas, now, granted = Quotas(), NOW, 0
    for messages, step in asked:
        now += step
        granted += quotas.lease(credential(per_hour), policy(), messages, now).granted
    assert granted <= per_hour + (now - NOW) * per_hour / HOUR_MS + 1e-6
