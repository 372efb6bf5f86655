"""What people are told about a tenant."""

from dataclasses import replace

import pytest

from cli.explain.golden import assert_golden
from cli.explain.situations import (
    DAY,
    HOUR,
    NOW,
    PAUSED,
    POLICY,
    POOL,
    QUIET,
    around,
    deferred,
    deliverer,
    held,
    site,
    suspension,
)
from paquebot.cli.explain.facts import Around, Backlog, TenantFacts
from paquebot.cli.explain.tenant import tenant
from paquebot.mail.record import Kind
from paquebot.policy.values import Limits
from paquebot.queue.depth import Depth

WEB, SHOP = POLICY.credentials["shop.web"], POLICY.domains["shop.example"]
HAPPENED = {
    ("web", Kind.ACCEPTED): 1200,
    ("web", Kind.DELIVERED): 1190,
    ("web", Kind.DEFERRED): 17,
    ("", Kind.FAILED): 3,
}
SAMPLE = (
    deferred("RCPT was answered with 452 4.2.2 Mailbox full").delivery,
    deferred("RCPT was answered with 452 4.2.2 Mailbox full", next_ms=NOW + 90_000).delivery,
    held("held by the spam filter: link-mismatch").delivery,
    deferred("another tenant's", tenant="news").delivery,
)
FACTS = TenantFacts("shop", NOW - HOUR, (Backlog(POOL, Depth(4, 4), SAMPLE),), HAPPENED)
LIMITED = replace(
    POLICY,
    credentials={"shop.web": replace(WEB, limits=Limits(messages_per_hour=10_000))},
)
SUSPENDED = replace(
    POLICY,
    domains={"shop.example": replace(SHOP, suspend=True)},
    credentials={"shop.web": replace(WEB, suspend=True, expires_at_ms=NOW - DAY)},
)

SITUATIONS: dict[str, tuple[TenantFacts, Around]] = {
    "tenant_sending": (FACTS, around(deliverer(sites=(site(),)), policy=LIMITED)),
    "tenant_suspended": (FACTS, around(deliverer(), policy=SUSPENDED)),
    "tenant_suspended_by_a_person": (FACTS, replace(QUIET, orders=(suspension("tenant", "shop"),))),
    "tenant_in_a_paused_pool": (FACTS, PAUSED),
    "tenant_without_credential": (TenantFacts("empty", NOW - HOUR), QUIET),
    "tenant_with_more_waiting_than_was_read": (
        replace(FACTS, backlogs=(Backlog(POOL, Depth(4, 90_000), SAMPLE),)),
        QUIET,
    ),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_tenant_is_told_as_it_was_agreed(name: str) -> None:
    assert_golden(name, [tenant(*SITUATIONS[name])])
