"""Connection limits: at, below and above."""

from paquebot.mail.principal import Principal
from paquebot.submission.crowd import Crowd, CrowdLimits

_WEB = Principal("shop", "web")


def test_connections_of_an_address_are_limited_and_come_back() -> None:
    crowd = Crowd(CrowdLimits(100, 2, 100))
    assert crowd.enter("192.0.2.1") is None
    assert crowd.enter("192.0.2.1") is None
    assert str(crowd.enter("192.0.2.1")) == "421 4.7.0 Too many connections from 192.0.2.1: at most 2 at once"
    assert crowd.enter("192.0.2.2") is None
    crowd.leave("192.0.2.1")
    crowd.leave("192.0.2.1")
    assert crowd.enter("192.0.2.1") is None


def test_connections_are_limited_in_all() -> None:
    crowd = Crowd(CrowdLimits(2, 100, 100))
    assert crowd.enter("192.0.2.1") is None
    assert crowd.enter("192.0.2.2") is None
    refusal = crowd.enter("192.0.2.3")
    assert refusal is not None
    assert (refusal.code, refusal.enhanced) == (421, "4.3.2")
    assert crowd.fullness == 1.5


def test_an_ipv6_network_is_one_client() -> None:
    crowd = Crowd(CrowdLimits(100, 2, 100))
    assert crowd.enter("2001:db8::1") is None
    assert crowd.enter("2001:db8::2") is None
    assert str(crowd.enter("2001:db8::3")) == "421 4.7.0 Too many connections from 2001:db8::/64: at most 2 at once"
    assert crowd.enter("2001:db8:0:1::1") is None
    crowd.leave("2001:db8::2")
    crowd.leave("2001:db8::1")
    assert crowd.enter("2001:db8::4") is None


def test_nobody_is_served_while_memory_is_short() -> None:
    crowd = Crowd()
    crowd.short = True
    assert str(crowd.enter("192.0.2.1")) == "421 4.3.2 Memory is short: try again in a minute"
    crowd.short = False
    assert crowd.enter("192.0.2.1") is None


def test_a_flood_is_twice_the_limit() -> None:
    crowd = Crowd(CrowdLimits(100, 2, 100))
    for _ in range(4):
        crowd.enter("192.0.2.1")
    assert not crowd.floods("192.0.2.1")
    crowd.enter("192.0.2.1")
    assert crowd.floods("192.0.2.1")


def test_sessions_of_a_credential_are_limited_and_come_back() -> None:
    crowd = Crowd(CrowdLimits(100, 100, 1))
    assert crowd.seat(_WEB) is None
    assert str(crowd.seat(_WEB)) == "421 4.7.0 Too many connections of shop.web: at most 1 at once"
    assert crowd.seat(Principal("shop", "other")) is None
    crowd.unseat(_WEB)
    assert crowd.seat(_WEB) is None


def test_nothing_is_kept_of_who_has_gone() -> None:
    crowd = Crowd()
    crowd.enter("192.0.2.1")
    crowd.seat(_WEB)
    crowd.unseat(_WEB)
    crowd.leave("192.0.2.1")
    assert (crowd.total, dict(crowd.addresses), dict(crowd.principals)) == (0, {}, {})
