"""Looking things up in a policy."""

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
