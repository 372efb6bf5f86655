"""Looking things up in a policy."""

from hypothesis import given
from hypothesis import strategies as st

from paquebot.policy.values import DEFAULT_DESTINATION, DestinationPolicy, MailDomain, Policy

SHOP = MailDomain("shop", "main", "shop.example", "mail-system_default")
NEWS = MailDomain("news", "main", "news.shop.example", "mail-system_default")
POLICY = Policy(
    domains={each.domain: each for each in (SHOP, NEWS)},
    destinations={
        "big": DestinationPolicy("big", mx_suffixes=("big.test",), domains=("small.test",)),
        "mid": DestinationPolicy("mid", domains=("mid.test",)),
    },
)


def test_the_nearest_declared_parent_owns_a_sender_domain() -> None:
    assert POLICY.domain_of("shop.example") is SHOP
    assert POLICY.domain_of("mail.shop.example") is SHOP
    assert POLICY.domain_of("daily.news.shop.example") is NEWS


def test_a_domain_that_only_ends_alike_belongs_to_nobody() -> None:
    assert POLICY.domain_of("eshop.example") is None
    assert POLICY.domain_of("example") is None
    assert POLICY.domain_of("") is None


def test_a_domain_wins_over_an_mx_suffix_and_suffixes_match_whole_labels() -> None:
    assert POLICY.destination("mid.test", ("mx.big.test",)).name == "mid"
    assert POLICY.destination("x.test", ("mx.big.test",)).name == "big"
    assert POLICY.destination("x.test", ("mx.notbig.test",)) is DEFAULT_DESTINATION


@given(slots=st.integers(1, 16), more=st.integers(0, 100), rate=st.floats(0, 1000))
def test_slots_together_have_the_policys_limits_and_each_has_some(slots: int, more: int, rate: float) -> None:
    policy = DestinationPolicy("big", connections_max=slots + more, rate_per_s=rate, slots=slots)
    shares = [policy.share(slot) for slot in range(slots)]
    assert sum(each.connections_max for each in shares) == policy.connections_max
    assert all(each.connections_max >= 1 for each in shares)
    assert sum(each.rate_per_s for each in shares) <= rate * (1 + 1e-9)


def test_ten_connections_over_four_slots_are_three_three_two_two() -> None:
    policy = DestinationPolicy("big", connections_max=10, slots=4)
    assert [policy.share(slot).connections_max for slot in range(5)] == [3, 3, 2, 2, 0]
