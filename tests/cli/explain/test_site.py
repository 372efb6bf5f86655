"""What people are told about a site, and about the site of a domain."""

from dataclasses import replace

import pytest

from cli.explain.golden import assert_golden
from cli.explain.situations import (
    HOUR,
    MINUTE,
    MX,
    NOW,
    POOL,
    QUIET,
    around,
    deferred,
    deliverer,
    delivery,
    site,
    suspension,
)
from paquebot.cli.explain.facts import Around, Backlog, SiteFacts
from paquebot.cli.explain.site import site as told_of
from paquebot.dns.resolver import MxAnswer, MxKind
from paquebot.queue.depth import Depth
from paquebot.wire.deliverer import Pace, Said

SAID = (
    Said("deferred", NOW - MINUTE, MX, "421 4.7.0 Slow down"),
    Said("delivered", NOW - 2 * MINUTE, MX, "250 2.0.0 Ok"),
)
RESTING = site(
    state="THROTTLED",
    reason="MAIL was answered with 421 4.7.0 Slow down",
    until_ms=NOW + 4 * MINUTE,
    pace=Pace(50.0, 0.0, 10, 1),
    in_flight=0,
    said=SAID,
)
BLOCKED = site(
    state="SUSPENDED",
    reason="MAIL was answered with 421 4.7.0 Blocked",
    until_ms=NOW + HOUR,
    waiting=0,
    in_flight=0,
)
REASONS = ["bigmail is THROTTLED: MAIL was answered with 421 4.7.0 Slow down"] * 3 + ["its content cannot be read"]
BACKLOG = Backlog(POOL, Depth(12, 4, NOW - 5000), tuple(deferred(reason).delivery for reason in REASONS))
BIGMAIL = SiteFacts("bigmail", "bigmail", backlogs=(BACKLOG,))
HOSTS = MxAnswer(MxKind.MX, ((10, "mx.b.example"),))

SITUATIONS: dict[str, tuple[SiteFacts, Around]] = {
    "site_ready": (BIGMAIL, around(deliverer(sites=(site(),)))),
    "site_throttled": (BIGMAIL, around(deliverer(sites=(RESTING,)))),
    "site_suspended": (
        replace(BIGMAIL, backlogs=()),
        around(deliverer(sites=(BLOCKED,))),
    ),
    "site_suspended_by_a_person": (
        replace(BIGMAIL, backlogs=()),
        around(deliverer(sites=(site(waiting=0),)), orders=(suspension("site", "bigmail"),)),
    ),
    "site_of_a_domain": (SiteFacts("mx-0123456789abcdef", "other", "b.example", HOSTS), QUIET),
    "site_of_a_domain_without_dns": (
        SiteFacts("b.example", "other", "b.example", MxAnswer(MxKind.UNKNOWN, reason="it is broken")),
        QUIET,
    ),
    "site_of_a_domain_that_takes_no_mail": (
        SiteFacts("b.example", "other", "b.example", MxAnswer(MxKind.NULL, reason="b.example does not accept mail")),
        QUIET,
    ),
    "site_with_more_waiting_than_was_read": (
        replace(BIGMAIL, backlogs=(Backlog(POOL, Depth(0, 90_000), (delivery(reason="", next_ms=NOW - 1),)),)),
        QUIET,
    ),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_site_is_told_as_it_was_agreed(name: str) -> None:
    assert_golden(name, [told_of(*SITUATIONS[name])])
