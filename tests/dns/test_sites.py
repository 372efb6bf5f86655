"""Which site a domain belongs to, and which hosts may be tried."""

import random

import pytest

from paquebot.dns.resolver import MxAnswer, MxKind
from paquebot.dns.sites import in_order, literal, refusal_of, site_of
from paquebot.policy.values import DestinationPolicy, Policy

ANSWER = MxAnswer(MxKind.MX, ((10, "a.mx.example"), (10, "b.mx.example"), (20, "c.mx.example")))


def test_domains_of_one_provider_share_a_site() -> None:
    reordered = MxAnswer(MxKind.MX, tuple(reversed(ANSWER.hosts)))
    assert site_of("one.example", ANSWER, Policy()) == site_of("two.example", reordered, Policy())
    assert site_of("one.example", ANSWER, Policy())[0].startswith("mx-")


def test_a_destination_policy_names_the_site() -> None:
    policy = Policy(destinations={"big": DestinationPolicy("big", mx_suffixes=("mx.example",))})
    assert site_of("one.example", ANSWER, policy) == ("big", "big")


def test_without_an_answer_the_domain_is_the_site() -> None:
    assert site_of("one.example", None, Policy()) == ("one.example", "other")


def test_hosts_come_by_preference_and_at_random_within_one() -> None:
    orders = {in_order(ANSWER, "own.example", random.Random(seed)) for seed in range(20)}
    assert orders == {
        ("a.mx.example", "b.mx.example", "c.mx.example"),
        ("b.mx.example", "a.mx.example", "c.mx.example"),
    }


def test_our_own_host_and_all_worse_are_dropped() -> None:
    answer = MxAnswer(MxKind.MX, ((10, "a.example"), (20, "own.example"), (20, "b.example"), (30, "c.example")))
    assert in_order(answer, "own.example", random.Random(1)) == ("a.example",)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "0.0.0.0", "::", "::1", "fe80::1", "fd00::1",
     "::ffff:127.0.0.1", "::ffff:10.0.0.1", "224.0.0.1", "100.64.0.1", "nonsense"],
)  # fmt: skip
def test_mail_is_not_sent_inside(address: str) -> None:
    assert refusal_of(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8"])
def test_public_addresses_are_fine(address: str) -> None:
    assert refusal_of(address) == ""


@pytest.mark.parametrize(
    ("domain", "address"),
    [("[192.0.2.1]", "192.0.2.1"), ("[IPv6:2001:db8::1]", "2001:db8::1"), ("b.example", "")],
)
def test_a_domain_literal_is_its_address(domain: str, address: str) -> None:
    assert literal(domain) == address
