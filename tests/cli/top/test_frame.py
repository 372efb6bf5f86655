"""Two looks make a frame: rates, states, and sites in the order that is asked for."""

from dataclasses import replace

import pytest

from cli.explain.situations import MX, NOW, POLICY, POOL, deferred, deliverer, delivery, held, site
from paquebot.cli.live import Live
from paquebot.cli.top.frame import SITES_MAX, Look, Sort, frame
from paquebot.queue.depth import Depth
from paquebot.wire.deliverer import Counts, Said

BEFORE = Look(NOW - 2000, POLICY.pools, Live((deliverer(sites=(site(),)),)), accepted={POOL: 10})
DEPTHS = {POOL: Depth(12, 3, NOW - 5000)}


def later(*sites: site, counts: Counts | None = None, **changes: object) -> Look:
    state = deliverer(sites=sites, counts=counts or Counts(1220, 14, 3))
    values: dict = {"live": Live((state,)), "depths": DEPTHS, "accepted": {POOL: 30}}
    return replace(BEFORE, at_ms=NOW, **(values | changes))


def test_a_pool_has_rates_of_what_was_counted_between_two_looks() -> None:
    (row,) = frame(BEFORE, later(site())).pools
    rates = (row.accepted_per_s, row.delivered_per_s, row.deferred_per_s, row.failed_per_s)
    assert rates == (10.0, 10.0, 5.0, 1.0)
    assert (row.pool, row.state) == ("mail-system/default", "sending")
    assert (row.ready, row.later, row.oldest_ready_s) == (12, 3, 5.0)
    assert (row.in_hand, row.in_flight, row.connections, row.partitions, row.deliverers) == (412, 3, 30, 16, 1)


def test_several_deliverers_of_a_pool_are_added_up() -> None:
    half = replace(deliverer(sites=(site(),), counts=Counts(5)), partitions=tuple(range(8)))
    other = replace(half, pod="other", partitions=tuple(range(8, 16)))
    (row,) = frame(BEFORE, later(live=Live((half, other), ("third",)))).pools
    assert (row.deliverers, row.partitions, row.in_flight, row.in_hand) == (2, 16, 6, 824)
    assert frame(BEFORE, later(live=Live((), ("third",)))).silent == ("third",)


def test_a_deliverer_that_began_anew_counts_from_nothing() -> None:
    (row,) = frame(BEFORE, later(counts=Counts(6, 0, 0))).pools
    assert row.delivered_per_s == 3.0


@pytest.mark.parametrize(
    ("changes", "state"),
    [({"paused": True}, "paused"), ({"draining": True}, "draining"), ({"replicas": 0}, "asleep"), ({}, "dead")],
)
def test_a_pool_says_what_keeps_it(changes, state: str) -> None:
    pools = {POOL: replace(POLICY.pools[POOL], **changes)}
    assert frame(BEFORE, later(pools=pools, live=Live())).pools[0].state == state


def test_a_site_tells_its_pace_its_line_and_what_waits_for_later() -> None:
    waiting = (deferred("full").delivery, deferred("full", next_ms=NOW + 9000).delivery, held("a person").delivery)
    now = later(site(counts=Counts(1210, 4, 1), domain="bigmail.example"), samples={POOL: waiting})
    (row,) = frame(BEFORE, now).sites
    assert (row.site, row.domain, row.state, row.delivered_per_s) == ("bigmail", "bigmail.example", "READY", 5.0)
    assert (row.pace_per_s, row.allowed_per_s, row.in_flight, row.connections_allowed) == (12.5, 50.0, 3, 20)
    assert (row.line, row.later, row.waiting, row.next_ms) == (341, 3, 344, 0)
    idle = frame(BEFORE, later(site(waiting=0), samples={POOL: waiting})).sites[0]
    assert idle.next_ms == NOW + 9000
    assert frame(BEFORE, now).pools[0].held == 1


def test_a_site_that_rests_is_next_when_its_rest_is_over() -> None:
    resting = site(state="THROTTLED", reason="421 4.7.0 Slow down", until_ms=NOW + 60_000)
    (row,) = frame(BEFORE, later(resting)).sites
    assert (row.state, row.why, row.next_ms) == ("THROTTLED", "421 4.7.0 Slow down", NOW + 60_000)


def test_a_site_that_nobody_has_in_memory_is_quiet_and_slots_are_kept_apart() -> None:
    slots = [site(slot=slot, counts=Counts(1200 + slot * 2, 4, 1)) for slot in (0, 1)]
    before = replace(BEFORE, live=Live((deliverer(sites=(site(), site(slot=1))),)))
    quiet = delivery(site="mx-1", domain="b.example", next_ms=NOW + 1)
    rows = frame(before, later(*slots, samples={POOL: (quiet,)})).sites
    told = [(row.site, row.slot, row.state, row.delivered_per_s) for row in rows]
    assert told == [("bigmail", 0, "READY", 0.0), ("bigmail", 1, "READY", 1.0), ("mx-1", 0, "quiet", 0.0)]


def test_sites_come_in_the_order_that_is_asked_for_and_not_all_of_them() -> None:
    many = [
        site(site=f"s{number:03}", waiting=number, in_flight=999 - number, counts=Counts(2 * (number % 7)))
        for number in range(SITES_MAX + 50)
    ]
    said = [Said("delivered", NOW, MX, "250")]
    now = later(*many, replace(site(site="a"), said=tuple(said)))
    assert frame(BEFORE, now, Sort.WAITING).sites[0].site == "a"
    assert frame(BEFORE, now, Sort.FLIGHT).sites[0].site == "s000"
    assert frame(BEFORE, now, Sort.NAME).sites[0].site == "a"
    assert frame(BEFORE, now, Sort.DELIVERED).sites[0].delivered_per_s == 600.0  # it came in between
    assert len(frame(BEFORE, now).sites) == SITES_MAX
