"""Where a delivery goes: by its route's smarthost when it has one, else by its domain's hosts."""

from dataclasses import replace
from pathlib import Path

import pytest

from paquebot.deliverer.bearings import Bearings
from paquebot.deliverer.logins import Logins
from paquebot.deliverer.opening import Way
from paquebot.dns.resolver import Resolver
from paquebot.mail.outcome import Kind, Outcome, Scope
from paquebot.policy.route import Match, Routes, Smarthost, SmarthostTLS, TransportRoute
from paquebot.policy.values import DestinationPolicy, Policy, TLSMinimum
from paquebot.queue.subjects import partition_of
from paquebot.smtp.client_auth import Login
from queue_making import delivery

PLACE = "mail-system/partner"
ITEM = delivery(domain="[192.0.2.9]", site="[192.0.2.9]", route=PLACE)


def bearings(smarthost: Smarthost, *, trusted: bool = True, **policy: object) -> Bearings:
    route = TransportRoute("mail-system", "partner", Match(), smarthost, trusted=trusted)
    return Bearings(Policy(routes=Routes.of([route]), **policy), Resolver(("127.0.0.1", 9)), 25)  # type: ignore[arg-type]


async def way(smarthost: Smarthost, logins: Logins | None = None, *, trusted: bool = True) -> Way | Outcome:
    return await bearings(smarthost, trusted=trusted).way(ITEM, "out.example", logins or Logins())


@pytest.mark.parametrize(
    ("tls", "minimum"),
    [
        (SmarthostTLS.OPPORTUNISTIC, TLSMinimum.OPPORTUNISTIC),
        (SmarthostTLS.REQUIRE_UNVERIFIED, TLSMinimum.ENCRYPTED),
        (SmarthostTLS.REQUIRE, TLSMinimum.VERIFIED),
    ],
)
async def test_a_smarthost_is_reached_as_its_route_says(tls: SmarthostTLS, minimum: TLSMinimum) -> None:
    found = await way(Smarthost("relay.example", 2525, tls))
    assert found == Way(2525, "out.example", minimum, allow_private=True, smarthost="relay.example")


@pytest.mark.parametrize(
    ("host", "smarthost"),
    [("10.0.0.5", "[10.0.0.5]"), ("2001:db8::1", "[IPv6:2001:db8::1]"), ("r1.example", "r1.example")],
)
async def test_an_address_is_reached_without_a_lookup(host: str, smarthost: str) -> None:
    found = await way(Smarthost(host))
    assert isinstance(found, Way)
    assert found.smarthost == smarthost


async def test_a_tenants_smarthost_lies_outside(tmp_path: Path) -> None:
    found = await way(Smarthost("10.0.0.5"), Logins(tmp_path), trusted=False)
    assert isinstance(found, Way)
    assert not found.allow_private


async def test_the_login_goes_along_and_never_shows_its_password(tmp_path: Path) -> None:
    wanted = Smarthost("relay.example", secret="mail-system.partner")
    missing = await way(wanted, Logins(tmp_path))
    assert isinstance(missing, Outcome)
    assert (missing.kind, missing.scope) == (Kind.DEFERRED, Scope.SITE)
    assert missing.reason.startswith("AUTH failed: relay.example: Secret mail-system/partner is not here")
    (tmp_path / "mail-system.partner").mkdir()
    for name in ("username", "password"):
        (tmp_path / "mail-system.partner" / name).write_text(f"the-{name}")
    found = await way(wanted, Logins(tmp_path))
    assert isinstance(found, Way)
    assert found.login == Login("the-username", "the-password")
    assert "the-password" not in repr(found)


async def test_without_its_route_mail_goes_to_its_domain_again() -> None:
    gone = Bearings(Policy(), Resolver(("127.0.0.1", 9)), 25)
    back = gone.rerouted(ITEM, "")
    assert (back.route, back.site, back.partition) == ("", "[192.0.2.9]", partition_of("[192.0.2.9]"))
    assert await gone.way(back, "out.example", Logins()) == Way(25, "out.example")


def test_a_smarthost_is_a_site_of_its_own_in_the_group_of_its_name() -> None:
    limits = DestinationPolicy("relays", domains=("relay.example",))
    found = bearings(Smarthost("relay.example"), destinations={"relays": limits})
    moved = found.rerouted(replace(ITEM, route=""), PLACE)
    assert (moved.route, moved.site, moved.group) == (PLACE, "relay.example:587", "relays")
    assert moved.partition == partition_of("relay.example:587")
    assert found.moved(moved, 1) is None
