"""Which addresses are one client."""

import pytest

from paquebot.mail.network import neighbourhood, network


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("grpc:client", "grpc:client"),
    ],
)
def test_an_ipv6_address_stands_for_its_network(address: str, expected: str) -> None:
    assert network(address) == expected


@pytest.mark.parametrize(
    ("address", "around"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("", ""),
        ("unix", ""),
    ],
)
def test_a_neighbourhood_is_where_a_client_stays(address: str, around: str) -> None:
    assert neighbourhood(address) == around
