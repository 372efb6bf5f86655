"""What people are told about a message, in each situation it can be in: committed texts."""

from dataclasses import replace

import pytest

from cli.explain.golden import assert_golden
from cli.explain.situations import (
    ACCEPTED,
    DAY,
    HOUR,
    ID,
    MINUTE,
    MX,
    NOW,
    PAUSED,
    POD,
    POLICY,
    POOL,
    QUIET,
    REPORT,
    around,
    deferred,
    deliverer,
    delivery,
    facts,
    held,
    record,
    site,
    suspension,
)
from paquebot.cli.explain.facts import Around, Kept, MessageFacts, Part
from paquebot.cli.explain.message import DELIVERIES_MAX, message
from paquebot.cli.live import Live
from paquebot.dns.resolver import MxAnswer, MxKind
from paquebot.mail.envelope import Wish
from paquebot.mail.ident import message_id
from paquebot.mail.order import Action, only
from paquebot.mail.outcome import IN_DOUBT
from paquebot.mail.record import Kind
from paquebot.mail.reference import unwanted
from paquebot.mail.reply import Reply
from paquebot.mail.settle import EXPIRED, UNREPORTED
from paquebot.mail.verdict import Action as Done
from paquebot.mail.verdict import Verdict
from paquebot.wire.deliverer import InHand, Load, Pace

READY = Kept(delivery(), "ready")
IN_LINE = InHand(f"{ID}.1", "bigmail", "line", ahead=12)
NEXT = InHand(f"{ID}.1", "bigmail", "line")
GREYLISTED = Reply(451, "4.7.1", "Greylisted: try again later")
SLOW_DOWN = Reply(421, "4.7.0", "Too many messages, slow down")
FULL = Reply(452, "4.2.2", "Mailbox full")
OK = Reply(250, "2.0.0", "Ok: taken")
UNKNOWN_USER = Reply(550, "5.1.1", "No such user")
HOSTS = MxAnswer(MxKind.MX, ((10, "mx1.bigmail.example"), (20, "mx2.bigmail.example")))
NO_DNS = MxAnswer(MxKind.UNKNOWN, reason="looking up bigmail.example failed: All nameservers failed to answer")
CROWDED = site(in_flight=20, connections=20)
NARROWED = site(in_flight=5, connections=5, pace=Pace(50.0, 12.5, 5, 2))
SLOWED = site(pace=Pace(5.0, 4.5, 20, 0, str(SLOW_DOWN)))
RESTING = site(state="THROTTLED", reason=f"MAIL was answered with {SLOW_DOWN}", until_ms=NOW + 4 * MINUTE)

LISTED = "The recipient is on SuppressionList shop/bounces since 2026-11-20"
SHOP_STOPPED = suspension("tenant", "shop")
CANCELLED = replace(SHOP_STOPPED, action=Action.CANCEL, selector=only("domain", "bigmail.example"))
NO_LOGIN = Reply(535, "5.7.8", "Authentication failed")
BY_RELAY: dict = {"route": "mail-system/relay", "site": "relay.example:587", "last_host": "relay.example [192.0.2.77]"}

SITUATIONS: dict[str, tuple[MessageFacts, Around]] = {
    # Ready: it may be tried now.
    "next_in_line": (facts(READY), around(deliverer(NEXT, sites=(site(waiting=1),)))),
    "in_line_behind_others_at_a_pace": (facts(READY), around(deliverer(IN_LINE, sites=(site(),)))),
    "in_line_at_a_pace_that_was_found_out": (facts(READY), around(deliverer(IN_LINE, sites=(SLOWED,)))),
    "kept_to_a_pace_that_was_found_out": (
        facts(
            deferred(
                f"bigmail is kept to its pace of 5 messages a second, slower than it may be after: {SLOW_DOWN}",
                attempts=0,
            )
        ),
        QUIET,
    ),
    "waiting_for_a_connection": (facts(READY), around(deliverer(IN_LINE, sites=(CROWDED,)))),
    "waiting_for_one_of_fewer_connections": (facts(READY), around(deliverer(IN_LINE, sites=(NARROWED,)))),
    "waiting_for_the_deliverer_s_connections": (
        facts(READY),
        around(deliverer(IN_LINE, sites=(site(),), load=Load(4000, 1, 90, 200))),
    ),
    "in_line_for_a_site_that_rests": (facts(READY), around(deliverer(IN_LINE, sites=(RESTING,)))),
    "in_line_for_a_suspended_site": (
        facts(READY),
        around(deliverer(IN_LINE, sites=(replace(RESTING, state="SUSPENDED"),))),
    ),
    "being_tried": (
        facts(READY),
        around(deliverer(InHand(f"{ID}.1", "bigmail", "attempt", since_ms=NOW - 3000), sites=(site(),))),
    ),
    "being_settled": (facts(READY), around(deliverer(InHand(f"{ID}.1", "bigmail", "settling")))),
    "ready_in_the_queue": (facts(READY), QUIET),
    "ready_in_a_paused_pool": (facts(READY), PAUSED),
    "no_deliverer_alive": (facts(READY), around()),
    "ready_in_a_pool_that_is_asleep": (
        facts(READY),
        around(policy=replace(POLICY, pools={POOL: replace(POLICY.pools[POOL], replicas=0)})),
    ),
    "no_owner": (facts(READY), replace(around(deliverer()), live=Live((), (POD,)))),
    "not_expanded_yet": (
        facts(*(Kept(delivery(n=n, accepted_ms=NOW - 2000), "ready", split=True) for n in (1, 2))),
        QUIET,
    ),
    "ready_and_suspended": (facts(READY), replace(QUIET, orders=(SHOP_STOPPED,))),
    "ready_and_ordered_away": (facts(READY), replace(QUIET, orders=(CANCELLED,))),
    # Deferred: it waits for its time.
    "suspended": (
        facts(deferred(SHOP_STOPPED.why, order=SHOP_STOPPED.id, attempts=0, next_ms=SHOP_STOPPED.ends_ms)),
        replace(QUIET, orders=(SHOP_STOPPED,)),
    ),
    "suspended_before": (
        facts(deferred(SHOP_STOPPED.why, order=SHOP_STOPPED.id, attempts=0, next_ms=SHOP_STOPPED.ends_ms)),
        QUIET,
    ),
    "throttled_by_421": (
        facts(deferred(f"bigmail is THROTTLED: MAIL was answered with {SLOW_DOWN}", attempts=0)),
        around(deliverer(sites=(RESTING,))),
    ),
    "kept_to_its_pace": (facts(deferred("bigmail is kept to its pace of 50 messages a second", attempts=0)), QUIET),
    "others_wait_for_the_same_site": (facts(deferred("1000 others wait for the same site", attempts=0)), QUIET),
    "deferred_after_a_reply": (facts(deferred(f"RCPT was answered with {FULL}", FULL)), QUIET),
    "outside_its_window": (
        facts(
            deferred(
                "outside the delivery windows of MailDomain shop/main: next is Mon 08:00 Europe/Berlin",
                attempts=0,
                next_ms=NOW + 2 * DAY,
            )
        ),
        QUIET,
    ),
    "held_by_a_person": (facts(held("held by ann: wait for the lawyers")), QUIET),
    "greylisted": (
        facts(deferred(f"RCPT was answered with {GREYLISTED}", GREYLISTED, attempts=1)),
        QUIET,
    ),
    "last_try_before_it_expires": (
        facts(deferred(f"RCPT was answered with {FULL}", FULL, attempts=9, expires_ms=NOW + HOUR)),
        QUIET,
    ),
    "nobody_wants_a_report": (
        facts(
            deferred(f"RCPT was answered with {FULL}", FULL, wishes={"ann@bigmail.example": Wish(("NEVER",))}),
        ),
        QUIET,
    ),
    "smarthost_unreachable": (
        facts(deferred("connecting failed: relay.example [192.0.2.77]: Connection refused", **BY_RELAY)),
        QUIET,
    ),
    "smarthost_refuses_the_login": (
        facts(deferred(f"AUTH was answered with {NO_LOGIN}", NO_LOGIN, **BY_RELAY)),
        QUIET,
    ),
    "smarthost_without_a_login": (
        facts(
            deferred(
                "AUTH failed: relay.example: Secret mail-system/relay is not here with a username and a password",
                **(BY_RELAY | {"route": "mail-system/gone", "last_host": ""}),
            )
        ),
        QUIET,
    ),
    "host_unreachable": (
        facts(deferred(f"connecting failed: {MX}: Connection refused"), answers={"bigmail.example": HOSTS}),
        QUIET,
    ),
    "dns_failing": (
        facts(deferred(f"looking up failed: {NO_DNS.reason}"), answers={"bigmail.example": NO_DNS}),
        QUIET,
    ),
    "in_doubt": (
        facts(deferred(f"{IN_DOUBT}: {MX} did not answer the final dot; it may have the message already")),
        QUIET,
    ),
    "in_doubt_behind_a_crash": (
        facts(deferred(f"{IN_DOUBT}: the deliverer died before {MX} answered the final dot; it may have the message")),
        QUIET,
    ),
    "report_cannot_be_submitted": (
        facts(deferred(f"{UNREPORTED}RCPT was answered with {UNKNOWN_USER}", UNKNOWN_USER)),
        QUIET,
    ),
    "deferred_in_a_paused_pool": (facts(deferred(f"the pool {POOL} is paused", attempts=0)), PAUSED),
    "paused_before": (facts(deferred(f"the pool {POOL} is paused", attempts=0)), QUIET),
    "overdue_in_a_full_store": (
        facts(deferred(f"RCPT was answered with {FULL}", FULL, next_ms=NOW - HOUR)),
        replace(QUIET, full="The queue is 97% full, nothing new is taken: try again later"),
    ),
    # Held: it waits for a person.
    "held_by_the_filter": (
        facts(held("held by the spam filter: link-mismatch: shows one address and leads to another")),
        QUIET,
    ),
    "held_by_the_filter_to_be_refused": (
        facts(held("held by the spam filter: A link deceives.", next_ms=NOW + HOUR, refuse_ms=NOW + HOUR)),
        QUIET,
    ),
    "held_by_a_route": (
        facts(
            held(
                "held by TransportRoute mail-system/migration: bigmail moves its servers",
                hold_until_ms=NOW + DAY,
                next_ms=NOW + 10 * MINUTE,
            )
        ),
        QUIET,
    ),
    "held_as_poison": (
        facts(held("poison: 3 attempts ended in a crash; look at it, then release or cancel it")),
        QUIET,
    ),
    "held_in_doubt": (
        facts(held(f"{IN_DOUBT}: {MX} did not answer the final dot; it may have the message already")),
        QUIET,
    ),
    "held_by_a_fault": (
        facts(held("the deliverer could not settle its last attempt: look at its log, then release or cancel it")),
        QUIET,
    ),
    # Gone.
    "delivered": (
        facts(records=(ACCEPTED, record(Kind.DELIVERED, attempt=1, host=MX, tls="TLSv1.3", reply=OK))),
        QUIET,
    ),
    "failed": (
        facts(
            records=(
                ACCEPTED,
                record(Kind.ACCEPTED, NOW - 9 * MINUTE, id=REPORT, report_of=f"{ID}.1", reverse_path=""),
                record(
                    Kind.FAILED, attempt=1, host=MX, reply=UNKNOWN_USER, reason=f"RCPT was answered with {UNKNOWN_USER}"
                ),
                record(Kind.DELIVERED, NOW - 8 * MINUTE, id=REPORT, reverse_path="", host="mx.shop.example", reply=OK),
            )
        ),
        QUIET,
    ),
    "failed_by_dns": (
        facts(
            records=(
                ACCEPTED,
                record(
                    Kind.FAILED,
                    reply=Reply(550, "5.1.2", "the domain bigmail.example does not exist"),
                    reason="the domain bigmail.example does not exist",
                    reverse_path="",
                ),
            )
        ),
        QUIET,
    ),
    "refused_at_submission": (
        facts(
            records=(record(Kind.REFUSED, n=0, reply=Reply(550, "5.7.1", unwanted(ID)), verdict=Verdict(Done.REJECT)),)
        ),
        QUIET,
    ),
    "held_while_its_account_was_under_alarm": (
        facts(held("held by the spam filter: The account does not act like itself.", alarmed=True)),
        QUIET,
    ),
    "refused_as_unwanted": (
        facts(
            records=(
                ACCEPTED,
                record(Kind.FAILED, reply=Reply(550, "5.7.1", unwanted(ID)), reason=unwanted(ID), report=REPORT),
            )
        ),
        QUIET,
    ),
    "suppressed": (
        facts(
            records=(
                ACCEPTED,
                record(Kind.FAILED, reply=Reply(550, "5.7.1", LISTED), reason=LISTED, report=REPORT),
            )
        ),
        QUIET,
    ),
    "refused_by_a_route": (
        facts(
            records=(
                ACCEPTED,
                record(
                    Kind.FAILED,
                    reply=Reply(550, "5.7.1", "No mail to bigmail"),
                    reason="refused by TransportRoute mail-system/stop: 550 5.7.1 No mail to bigmail",
                    report=REPORT,
                ),
            )
        ),
        QUIET,
    ),
    "expired": (
        facts(
            records=(
                replace(ACCEPTED, at_ms=NOW - 5 * DAY),
                record(
                    Kind.FAILED,
                    NOW - MINUTE,
                    attempt=33,
                    reply=EXPIRED,
                    reason=f"not delivered within 5.0 days; at last RCPT was answered with {FULL}",
                ),
            ),
            accepted_ms=NOW - 5 * DAY,
        ),
        QUIET,
    ),
    "cancelled": (
        facts(records=(ACCEPTED, record(Kind.CANCELLED, author="ann", reason="sent by mistake"))),
        QUIET,
    ),
    "between_two_places": (facts(records=(ACCEPTED,)), QUIET),
    "some_delivered_some_failed": (
        facts(
            records=(
                replace(ACCEPTED, recipients=("ann@bigmail.example", "nobody@bigmail.example")),
                record(Kind.DELIVERED, attempt=1, host=MX, tls="TLSv1.3", reply=OK),
                record(Kind.FAILED, recipients=("nobody@bigmail.example",), attempt=1, host=MX, reply=UNKNOWN_USER),
            )
        ),
        QUIET,
    ),
    "several_deliveries": (
        facts(
            deferred(f"RCPT was answered with {FULL}", FULL, n=2),
            records=(
                ACCEPTED,
                replace(ACCEPTED, n=2),
                record(Kind.DELIVERED, attempt=1, host=MX, reply=OK),
                record(Kind.DEFERRED, n=2),
            ),
        ),
        QUIET,
    ),
    # Never seen, or forgotten.
    "unknown_id": (facts(), QUIET),
    "older_than_the_events": (
        facts(id=message_id(NOW - 9 * DAY, b"0123456789"), accepted_ms=NOW - 9 * DAY),
        QUIET,
    ),
    "from_the_future": (facts(id=message_id(NOW + DAY, b"0123456789"), accepted_ms=NOW + DAY), QUIET),
    "unknown_report": (facts(id=REPORT, accepted_ms=0), QUIET),
    "events_not_read_to_the_end": (facts(read_until_ms=NOW - 5 * MINUTE), QUIET),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_situation_is_told_as_it_was_agreed(name: str) -> None:
    assert_golden(name, message(*SITUATIONS[name]))


@pytest.mark.parametrize("name", SITUATIONS)
def test_every_explanation_ends_in_what_to_do(name: str) -> None:
    told = message(*SITUATIONS[name])
    assert all(each.sentences[-1].part is Part.DO for each in told if "deliveries" not in each.sentences[0].text)


def test_only_the_delivery_that_was_asked_for_is_told() -> None:
    asked, quiet = SITUATIONS["several_deliveries"]
    assert [each.name for each in message(replace(asked, n=2), quiet)] == [f"{ID}.2"]


def test_of_very_many_deliveries_the_first_are_told_and_all_are_counted() -> None:
    many = facts(*(deferred(f"RCPT was answered with {FULL}", FULL, n=n) for n in range(1, 51)))
    told = message(many, QUIET)
    assert len(told) == 1 + DELIVERIES_MAX
    assert told[0].state == "50 deferred"


def test_a_pool_that_no_manifest_declares_any_more_breaks_nothing() -> None:
    gone = replace(QUIET, policy=replace(POLICY, pools={}))
    for asked, _around in SITUATIONS.values():
        assert message(asked, gone)
