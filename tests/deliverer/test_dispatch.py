"""From the queue to a host and back: every item is seen through to its settlement."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from paquebot.deliverer import dispatch, memory, settler, touch
from paquebot.deliverer.courier import World
from paquebot.deliverer.dispatch import Dispatcher
from paquebot.deliverer.settler import Settler
from paquebot.deliverer.throttle import State
from paquebot.deliverer.wheel import DeadlineWheel
from paquebot.dns.resolver import MxAnswer, Resolver
from paquebot.mail import settle as settling
from paquebot.mail.delivery import Delivery, Plan
from paquebot.mail.envelope import Wish
from paquebot.mail.order import Action, Order, only
from paquebot.mail.record import Kind
from paquebot.mail.reply import Reply
from paquebot.mail.report import Report
from paquebot.mail.retry import Retry
from paquebot.mail.selector import Selector
from paquebot.policy.pace import Adaptive
from paquebot.policy.route import Hold, Match, Reject, Routes, Smarthost, SmarthostTLS, TransportRoute
from paquebot.policy.values import Backoff, DestinationPolicy, Policy, SendingPool
from paquebot.queue.acceptance import Acceptance
from paquebot.queue.buckets import Bucket
from paquebot.queue.events import EventWriter, read_records
from paquebot.queue.inspection import list_waiting
from paquebot.queue.jetstream import JetStream
from paquebot.queue.lesson import BUCKET, Lesson, decode, encode, key_of
from paquebot.queue.poolqueue import PoolQueue
from paquebot.queue.subjects import partition_of, slot_of
from paquebot.queue.taken import Taken
from paquebot.sandbox.certificate import self_signed_context
from paquebot.sandbox.internet import Internet, Manners
from queue_making import POOL, delivery, now_ms
from relay import Relay
from relay import listening as relay_listening
from tests_support import wait_for

POOL_POLICY = SendingPool("mail", "main", "out.example", retry=Retry(quick_s=(1, 1, 1), initial_s=5, max_s=5))
THROTTLED = DestinationPolicy(
    "slow", domains=("throttle.test",), connections_max=2, backoff=Backoff(30, 60, 2), adaptive=Adaptive(enabled=False)
)
POLICY = Policy("r1", pools={POOL: POOL_POLICY}, destinations={"slow": THROTTLED})


@dataclass(eq=False)
class Deliverer:
    """A dispatcher on a real queue, with the sandbox as its world."""

    js: JetStream
    internet: Internet
    reports: list[Report] = field(default_factory=list)
    submission_is_down: bool = False

    async def start(self, policy: Policy = POLICY) -> None:
        wheel = DeadlineWheel()
        nameserver = self.internet.resolver_address
        world = World(wheel, Resolver((nameserver.host, nameserver.port)), random.Random(1), allow_private=True)
        self.queue = PoolQueue(self.js, EventWriter(self.js), POOL, "pod-1")
        seeing_to = Settler(self.queue, "mail.example", self.submit, world.chance)
        self.dispatcher = Dispatcher(world, self.internet.mx_port, seeing_to, POOL, policy)
        work = (wheel.run(), self.dispatcher.run(), self.queue.run())
        self.tasks = [asyncio.create_task(each) for each in work]

    async def submit(self, report: Report, about: Delivery) -> bool:
        del about
        if self.submission_is_down:
            return False
        self.reports.append(report)
        return True

    async def stop(self) -> None:
        await self.queue.drain(4)
        await self.dispatcher.stop()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@pytest.fixture
async def deliverer(js: JetStream, connect) -> AsyncIterator[Deliverer]:
    del js  # it has provisioned the server
    internet = Internet(manners=Manners(greylist_s=0.5, messages_per_connection_max=1))
    await internet.start()
    one = Deliverer(await connect("deliverer"), internet)
    await one.start()
    yield one
    await one.stop()
    await internet.stop()


async def accept(js: JetStream, *items: Delivery) -> None:
    for item in items:
        await Acceptance(js).accept(Plan((item,)), b"Subject: x\r\n\r\nHello\r\n")


async def kinds(js: JetStream) -> list[Kind]:
    return [record.kind async for record in read_records(js, 0)]


async def settled(js: JetStream) -> None:
    for _ in range(200):
        if not await list_waiting(js, POOL):
            return
        await asyncio.sleep(0.1)
    pytest.fail("something still waits")


async def test_everything_arrives_once_over_few_connections(js, deliverer) -> None:
    await accept(js, *(delivery(f"m{number}", site="plain.test") for number in range(60)))
    await deliverer.internet.wait_for(60, 30)
    await settled(js)
    assert len(deliverer.internet.received) == 60
    assert await kinds(js) == [Kind.DELIVERED] * 60
    await wait_for(lambda: deliverer.queue.in_hand == 0)


async def test_a_greylisted_delivery_is_tried_again_and_arrives(js, deliverer) -> None:
    await accept(js, delivery(site="greylist.test"))
    await deliverer.internet.wait_for(1, 30)
    await settled(js)
    assert await kinds(js) == [Kind.DEFERRED, Kind.DELIVERED]


async def test_sites_that_rest_are_not_remembered_without_end_and_rest_on(deliverer, monkeypatch) -> None:
    monkeypatch.setattr(dispatch, "SITES_MAX", 4)
    monkeypatch.setattr(memory, "NOTE_S", 0.1)
    dispatcher = deliverer.dispatcher
    for number in range(40):
        site = dispatcher._site(delivery(site=f"d{number}.test"))
        await wait_for(lambda site=site: site.known)
        site.throttle.slow_down(asyncio.get_running_loop().time(), "421 come back later")
    await wait_for(lambda: len(dispatcher.sites) <= 4)
    again = dispatcher._site(delivery(site="d0.test"))
    await wait_for(lambda: again.known)
    assert (again.throttle.state, again.throttle.reason) == (State.THROTTLED, "421 come back later")


async def test_a_failure_is_reported_before_it_is_settled(js, deliverer) -> None:
    await accept(js, delivery(site="refuse.test", recipients=("unknown@refuse.test",)))
    await settled(js)
    assert [report.recipient for report in deliverer.reports] == ["a@shop.example"]
    assert b"unknown@refuse.test" in deliverer.reports[0].content
    assert await kinds(js) == [Kind.FAILED]


async def test_while_no_report_can_be_submitted_the_failed_wait_and_nobody_gets_mail_twice(
    js, deliverer, monkeypatch
) -> None:
    monkeypatch.setattr(settling, "REPORT_AGAIN_MS", 500)
    deliverer.submission_is_down = True
    await accept(js, delivery(site="refuse.test", recipients=("known@refuse.test", "unknown@refuse.test")))
    reason = ""
    for _ in range(100):
        waiting = [each.delivery for each in await list_waiting(js, POOL) if each.delivery.reason]
        if waiting:
            reason = waiting[0].reason
            break
        await asyncio.sleep(0.05)
    assert reason.startswith("the report about it cannot be submitted yet; RCPT was answered with 550 5.1.1")
    deliverer.submission_is_down = False
    await wait_for(lambda: deliverer.reports)  # a look at what waits may miss what is being put back
    await settled(js)
    assert len(deliverer.reports) == 1
    assert [received.envelope.recipients for received in deliverer.internet.received] == [("known@refuse.test",)]
    assert [kind for kind in await kinds(js) if kind is not Kind.DEFERRED] == [Kind.DELIVERED, Kind.FAILED]


async def test_a_report_of_success_that_cannot_be_submitted_is_owed_and_nobody_gets_mail_twice(
    js, deliverer, monkeypatch
) -> None:
    monkeypatch.setattr(settling, "REPORT_AGAIN_MS", 500)
    deliverer.submission_is_down = True
    await accept(js, delivery(site="helo.test", wishes={"r1@helo.test": Wish(("SUCCESS",))}, ret="FULL"))
    owed: list[Delivery] = []
    for _ in range(100):
        owed = [each.delivery for each in await list_waiting(js, POOL) if each.delivery.relayed]
        if owed:
            break
        await asyncio.sleep(0.05)
    assert (owed[0].recipients, owed[0].relayed) == ((), ("r1@helo.test",))
    deliverer.submission_is_down = False
    await settled(js)
    (report,) = deliverer.reports
    assert b"\r\nAction: relayed\r\n" in report.content
    assert b"\r\nSubject: x\r\n" in report.content
    assert len(deliverer.internet.received) == 1
    assert await kinds(js) == [Kind.DELIVERED]


async def test_a_failure_that_was_wished_for_gives_the_whole_message_back(js, deliverer) -> None:
    await accept(js, delivery(site="spam.test", ret="FULL", envelope_id="order-7"))
    await settled(js)
    (report,) = deliverer.reports
    assert b"\r\n\r\nReceived: here\r\nSubject: x\r\n\r\nHello\r\n" in report.content
    assert b"\r\nOriginal-Envelope-Id: order-7\r\n" in report.content


async def test_a_slow_pace_is_a_reason_to_wait_in_the_queue_one_behind_the_other(js, deliverer) -> None:
    slow = DestinationPolicy("slow", rate_per_s=0.05)
    deliverer.dispatcher.follow(replace(POLICY, destinations={"slow": slow}))
    await accept(js, *(delivery(f"m{n}", site="slow", group="slow", domain="plain.test") for n in range(4)))
    waiting: list[Delivery] = []
    for _ in range(100):
        waiting = [each.delivery for each in await list_waiting(js, POOL) if each.state == "deferred"]
        if len(waiting) == 3:
            break
        await asyncio.sleep(0.1)
    assert {each.reason for each in waiting} == {"slow is kept to its pace of 0.05 messages a second"}
    times = sorted(each.next_ms for each in waiting)
    assert all(later - earlier > 10_000 for earlier, later in pairwise(times))


async def test_an_item_on_which_attempts_break_is_held_after_three(js, deliverer) -> None:
    class Broken(Resolver):
        async def mx(self, domain: str) -> MxAnswer:
            raise RuntimeError(f"a fault of ours, met with {domain}")

    world = deliverer.dispatcher.world
    deliverer.dispatcher.world = replace(world, resolver=Broken(("127.0.0.1", 1)))
    held = []
    with capture_logs() as logs:
        await accept(js, delivery(site="plain.test"))
        for _ in range(200):
            held = [each.delivery for each in await list_waiting(js, POOL) if each.delivery.held]
            if held:
                break
            await asyncio.sleep(0.1)
    assert [log["event"] for log in logs].count("an attempt broke") == 3
    assert held[0].reason.startswith("poison: 3 attempts ended in a crash")
    assert deliverer.queue.in_hand == 0


async def test_what_a_throttled_site_cannot_take_waits_in_the_queue_with_the_reason(js, deliverer) -> None:
    assert deliverer.dispatcher.pool is POOL_POLICY
    items = [delivery(f"m{n}", site="slow", group="slow", domain="throttle.test") for n in range(10)]
    await accept(js, *(replace(item, recipients=(f"{item.id}@throttle.test",)) for item in items))
    reasons: set[str] = set()
    for _ in range(100):
        reasons = {each.delivery.reason for each in await list_waiting(js, POOL) if each.state == "deferred"}
        if any("slow is THROTTLED" in reason for reason in reasons):
            break
        await asyncio.sleep(0.1)
    assert any("slow is THROTTLED: MAIL was answered with 421 4.7.0" in reason for reason in reasons)


async def test_a_paused_pool_keeps_its_mail_and_says_so(js, deliverer) -> None:
    deliverer.dispatcher.follow(replace(POLICY, pools={POOL: replace(POOL_POLICY, paused=True)}))
    await accept(js, delivery(site="plain.test"))
    waiting = []
    for _ in range(100):
        waiting = [each for each in await list_waiting(js, POOL) if each.state == "deferred"]
        if waiting:
            break
        await asyncio.sleep(0.1)
    assert waiting[0].delivery.reason == "the pool mail_main is paused"
    assert waiting[0].delivery.attempts == 0
    assert deliverer.internet.received == []


async def test_the_sender_of_what_waits_too_long_untried_is_told_once(js, deliverer) -> None:
    hasty = replace(POOL_POLICY, paused=True, retry=replace(POOL_POLICY.retry, delay_notice_s=1))
    deliverer.dispatcher.follow(replace(POLICY, pools={POOL: hasty}))
    item = delivery(site="plain.test")
    await accept(js, replace(item, accepted_ms=item.accepted_ms - 2000))
    waiting: list[Delivery] = []
    for _ in range(100):
        waiting = [each.delivery for each in await list_waiting(js, POOL) if each.state == "deferred"]
        if waiting:
            break
        await asyncio.sleep(0.1)
    assert waiting[0].delay_told
    (report,) = deliverer.reports
    assert b"\r\nAction: delayed\r\n" in report.content
    assert b"the pool mail_main is paused" in report.content
    assert b"\r\nSubject: x\r\n" in report.content


async def test_what_is_late_waits_on_though_the_report_about_it_breaks(js, deliverer, monkeypatch) -> None:
    def broken(*_arguments: object) -> Report:
        raise ValueError("an untold fault")

    monkeypatch.setattr(settler, "report", broken)
    hasty = replace(POOL_POLICY, paused=True, retry=replace(POOL_POLICY.retry, delay_notice_s=1))
    deliverer.dispatcher.follow(replace(POLICY, pools={POOL: hasty}))
    item = delivery(site="plain.test")
    with capture_logs() as logs:
        await accept(js, replace(item, accepted_ms=item.accepted_ms - 2000))
        (waiting,) = await deferred(js)
    assert "a report cannot be made" in [entry["event"] for entry in logs]
    assert (waiting.reason, waiting.delay_told) == ("the pool mail_main is paused", False)


async def test_what_is_moved_while_it_is_held_stays_held_and_its_reason_does_not_grow(js, deliverer) -> None:
    del deliverer  # it runs
    reason = "in doubt; being moved to pool mail_other by ann"
    await accept(js, delivery(site="plain.test", held=True, moving_to="mail_other", reason=reason))
    (waiting,) = await deferred(js)
    assert (waiting.held, waiting.reason) == (True, reason)


async def test_what_is_in_doubt_stays_so_while_it_waits_for_its_turn(js, deliverer) -> None:
    deliverer.dispatcher.follow(replace(POLICY, pools={POOL: replace(POOL_POLICY, paused=True)}))
    await accept(js, delivery(site="plain.test", reason="in doubt: mx.plain.test [127.0.0.11] did not answer"))
    waiting: list[Delivery] = []
    for _ in range(100):
        waiting = [each.delivery for each in await list_waiting(js, POOL) if each.state == "deferred"]
        if waiting:
            break
        await asyncio.sleep(0.1)
    assert waiting[0].reason == "in doubt; the pool mail_main is paused"


async def test_what_expired_is_told_with_its_last_reason(js, deliverer) -> None:
    item = delivery(site="plain.test")
    await accept(js, replace(item, attempts=9, expires_ms=item.accepted_ms - 1, reason="mailbox full"))
    await settled(js)
    assert await kinds(js) == [Kind.FAILED]
    assert b"mailbox full" in deliverer.reports[0].content


INCIDENT = TransportRoute("mail-system", "incident", Match(), Hold("incident 42", 3600))


async def test_a_hold_of_a_route_is_recorded_once_and_ends_with_the_route(js, deliverer, monkeypatch) -> None:
    monkeypatch.setattr(touch, "HOLD_LOOK_MS", 200)
    looks: list[int] = []
    deliverer.queue.on_item = lambda taken: (looks.append(1), deliverer.dispatcher.on_item(taken))
    deliverer.dispatcher.follow(replace(POLICY, routes=Routes.of([INCIDENT])))
    await accept(js, delivery(site="plain.test"))
    await wait_for(lambda: len(looks) > 2, 20)
    held = [each.delivery for each in await list_waiting(js, POOL) if each.delivery.held]
    assert held[0].reason == "held by TransportRoute mail-system/incident: incident 42"
    deliverer.dispatcher.follow(POLICY)
    await deliverer.internet.wait_for(1, 30)
    await settled(js)
    assert await kinds(js) == [Kind.HELD, Kind.DELIVERED]


async def test_what_a_route_refuses_by_its_hosts_is_looked_up_and_never_tried(js, deliverer) -> None:
    no = TransportRoute(
        "mail-system", "no", Match(mx_suffixes=("plain.test",)), Reject(Reply(550, "5.7.1", "not here"))
    )
    deliverer.dispatcher.follow(replace(POLICY, routes=Routes.of([no])))
    await accept(js, delivery(site="plain.test"), delivery("m2", site="accept.test"))
    await settled(js)
    assert [received.envelope.recipients for received in deliverer.internet.received] == [("r1@accept.test",)]
    assert b"refused by TransportRoute mail-system/no" in deliverer.reports[0].content


async def test_what_waits_goes_by_a_smarthost_as_soon_as_a_route_says_so_and_back_again(js, deliverer) -> None:
    async with relay_listening(Relay(self_signed_context(("relay.test",)))) as relay:
        smarthost = Smarthost("127.0.0.1", relay.port, SmarthostTLS.REQUIRE_UNVERIFIED)
        relay.known = True
        route = TransportRoute("mail", "partner", Match(recipient_domains=("plain.test",)), smarthost)
        deliverer.dispatcher.follow(replace(POLICY, routes=Routes.of([route])))
        await accept(js, *(delivery(f"m{n}", site=f"old{n}", domain="plain.test") for n in range(6)))
        await wait_for(lambda: len(relay.taken) == 6, 30)
        deliverer.dispatcher.follow(POLICY)
        await accept(js, delivery("m9", site="plain.test", route="mail/partner"))
        await deliverer.internet.wait_for(1, 30)
        await settled(js)
        assert len(relay.taken) == 6


async def test_a_smarthost_that_wants_a_login_makes_mail_wait(js, deliverer) -> None:
    async with relay_listening(Relay(self_signed_context(("relay.test",)))) as relay:
        smarthost = Smarthost("127.0.0.1", relay.port, SmarthostTLS.REQUIRE_UNVERIFIED)
        route = TransportRoute("mail", "partner", Match(), smarthost)
        deliverer.dispatcher.follow(replace(POLICY, routes=Routes.of([route])))
        await accept(js, delivery(site="plain.test"))
        reasons: list[str] = []
        for _ in range(100):
            reasons = [each.delivery.reason for each in await list_waiting(js, POOL) if each.delivery.attempts]
            if reasons:
                break
            await asyncio.sleep(0.05)
        assert reasons == ["MAIL was answered with 530 5.7.0 log in first"]


async def test_a_domain_that_moved_to_another_site_is_delivered_there(js, deliverer) -> None:
    await deliverer.dispatcher.world.resolver.mx("plain.test")
    old = [delivery(f"m{n}", site=f"old{n}", domain="plain.test", recipients=(f"r{n}@plain.test",)) for n in range(8)]
    await accept(js, *old)
    await deliverer.internet.wait_for(8, 30)
    await settled(js)
    assert len(deliverer.internet.received) == 8


def slotted(slots: int) -> Policy:
    big = DestinationPolicy("big", domains=("plain.test",), connections_max=10, rate_per_s=200.0, slots=slots)
    return replace(POLICY, destinations={"big": big})


def to_big(ident: str, slots: int) -> Delivery:
    partition = partition_of("big", slot_of(f"{ident}.1", slots))
    to = {"domain": "plain.test", "recipients": (f"{ident}@plain.test",)}
    return delivery(ident, site="big", group="big", partition=partition, **to)


@pytest.mark.parametrize("busy", [1, 200], ids=["one that rests", "one with a long line"])
async def test_a_site_without_a_session_does_not_wait_for(js, deliverer, monkeypatch, busy: int) -> None:
    monkeypatch.setattr(dispatch, "IDLE_S", 3600.0)
    deliverer.dispatcher.follow(replace(POLICY, pools={POOL: replace(POOL_POLICY, sessions_per_replica=1)}))
    await accept(js, *(delivery(f"m{number}", site="plain.test") for number in range(busy)))
    await deliverer.internet.wait_for(1, 30)
    await accept(js, delivery("other", site="greylist.test"))
    await deliverer.internet.wait_for(busy + 1, 30)
    await settled(js)
    found = await kinds(js)
    assert found.index(Kind.DEFERRED) < max(2, busy)


async def test_each_slot_of_a_site_has_its_share_of_the_limits(js, deliverer) -> None:
    deliverer.dispatcher.follow(slotted(4))
    await accept(js, *(to_big(f"m{number}", 4) for number in range(40)))
    await deliverer.internet.wait_for(40, 30)
    sites = deliverer.dispatcher.sites
    limits = {name: (site.slot, site.throttle.policy.connections_max) for name, site in sites.items()}
    assert limits == {"big": (0, 3), "big/1": (1, 3), "big/2": (2, 2), "big/3": (3, 2)}
    assert {site.throttle.policy.rate_per_s for site in sites.values()} == {50.0}
    await settled(js)


@pytest.mark.parametrize(("before", "after"), [(1, 4), (4, 1)])
async def test_when_slots_change_what_waits_goes_to_its_owner_and_arrives_once(
    js, deliverer, before: int, after: int
) -> None:
    deliverer.dispatcher.follow(replace(slotted(before), pools={POOL: replace(POOL_POLICY, sessions_per_replica=0)}))
    await accept(js, *(to_big(f"m{number}", before) for number in range(20)))
    await wait_for(lambda: deliverer.queue.in_hand == 20)
    deliverer.dispatcher.follow(slotted(after))
    sites = deliverer.dispatcher.sites
    used: set[int] = set()
    while len(deliverer.internet.received) < 20:
        used |= {site.slot for site in sites.values() if site.busy}
        await asyncio.sleep(0.005)
    await settled(js)
    assert used == set(range(after))
    assert len(deliverer.internet.received) == 20
    moved = [record async for record in read_records(js, 0) if record.kind is not Kind.DELIVERED]
    assert moved == []
    await wait_for(lambda: [site.slot for site in sites.values() if site.slot >= after] == [])


def given(action: Action, selector: Selector, lasts_ms: int = 60_000) -> Order:
    now, hold_ms = now_ms(), now_ms() + 3_600_000
    words = {"author": "ann", "reason": "incident 42", "given_ms": now, "ends_ms": now + lasts_ms, "hold_ms": hold_ms}
    return Order(id="o1", action=action, selector=selector, **words)


async def deferred(js: JetStream, count: int = 1) -> list[Delivery]:
    for _ in range(200):
        found = [each.delivery for each in await list_waiting(js, POOL) if each.state != "ready"]
        if len(found) >= count:
            return found
        await asyncio.sleep(0.05)
    pytest.fail("it does not wait")


async def test_what_is_suspended_waits_for_the_end_and_says_who_stopped_it(js, deliverer) -> None:
    order = given(Action.SUSPEND, only("tenant", "shop"))
    deliverer.dispatcher.obey((order,))
    await accept(js, delivery(site="plain.test"), delivery("m2", site="plain.test", tenant="news"))
    (waiting,) = await deferred(js)
    assert waiting.reason == order.why
    assert (waiting.order, waiting.attempts) == ("o1", 0)
    assert waiting.next_ms >= order.ends_ms
    await deliverer.internet.wait_for(1, 30)  # the other tenant's


async def test_what_is_suspended_until_it_expires_has_failed_with_the_reason(js, deliverer) -> None:
    deliverer.dispatcher.obey((given(Action.SUSPEND, only("site", "plain.test")),))
    item = delivery(site="plain.test")
    await accept(js, replace(item, expires_ms=item.accepted_ms))
    await settled(js)
    assert await kinds(js) == [Kind.FAILED]
    told = " ".join(deliverer.reports[0].content.decode().split())
    assert "at last site plain.test is suspended by ann: incident 42" in told


async def test_an_order_is_carried_out_for_what_stands_in_line(js, deliverer) -> None:
    slow = DestinationPolicy("slow", connections_max=1, rate_per_s=0.3)
    deliverer.dispatcher.follow(replace(POLICY, destinations={"slow": slow}))
    await accept(js, *(delivery(f"m{n}", site="slow", group="slow", domain="plain.test") for n in range(3)))
    await wait_for(lambda: "slow" in deliverer.dispatcher.sites and len(deliverer.dispatcher.sites["slow"].line) >= 1)
    deliverer.dispatcher.obey((given(Action.HOLD, only("domain", "plain.test")),))
    assert len(deliverer.dispatcher.sites["slow"].line) == 0
    held = [each for each in await deferred(js) if each.held]
    assert {each.reason for each in held} == {"held by ann: incident 42"}


async def test_a_hold_that_comes_while_an_attempt_is_under_way_holds_what_the_attempt_leaves(
    js, deliverer, monkeypatch
) -> None:
    begin = PoolQueue.begin

    async def order_comes(queue: PoolQueue, taken: Taken) -> None:
        await begin(queue, taken)
        deliverer.dispatcher.obey((given(Action.HOLD, only("domain", "greylist.test")),))

    monkeypatch.setattr(PoolQueue, "begin", order_comes)
    await accept(js, delivery(site="greylist.test"))
    (held,) = await deferred(js)
    assert (held.held, held.attempts, held.reason) == (True, 1, "held by ann: incident 42")
    await wait_for(lambda: deliverer.queue.in_hand == 0)
    assert await kinds(js) == [Kind.DEFERRED, Kind.HELD]


async def test_what_is_rerouted_while_it_is_ready_is_set_aside_untried(js, deliverer) -> None:
    item = delivery(site="plain.test")  # accepted before the order is given: else it is not about it
    order = replace(given(Action.REROUTE, only("domain", "plain.test")), pool="mail_other")
    deliverer.dispatcher.obey((order,))
    await accept(js, item)
    (aside,) = await deferred(js)
    assert (aside.moving_to, aside.attempts) == ("mail_other", 0)
    assert aside.reason.startswith("being moved to pool mail_other by ann: incident 42; ")
    assert deliverer.internet.received == []


async def test_what_is_cancelled_while_it_is_ready_is_not_sent(js, deliverer) -> None:
    item = delivery(site="plain.test")
    deliverer.dispatcher.obey((given(Action.CANCEL, Selector(names=(item.id,))),))
    await accept(js, item)
    await settled(js)
    assert await kinds(js) == [Kind.CANCELLED]
    assert deliverer.internet.received == []


async def test_a_site_goes_on_as_its_last_owner_left_it_and_is_left_so(js, deliverer) -> None:
    bucket = Bucket(js, BUCKET)
    deliverer.dispatcher.follow(slotted(1))
    await bucket.put(key_of(POOL, "big", 0), encode(Lesson("READY", level=1, connections=3, pace=20.0, too_much=40.0)))
    await accept(js, to_big("m1", 1))
    await deliverer.internet.wait_for(1, 30)
    throttle = deliverer.dispatcher.sites["big"].throttle
    assert (throttle.pace.per_s, throttle.allowed, throttle.level) == (20.0, 3, 1)
    throttle.rest(asyncio.get_running_loop().time(), 600, "421 4.7.28")
    await deliverer.stop()
    lesson = decode(await bucket.get(key_of(POOL, "big", 0)) or b"")
    assert lesson is not None
    assert (lesson.state, lesson.reason) == ("THROTTLED", "421 4.7.28")
    await deliverer.start(slotted(1))
