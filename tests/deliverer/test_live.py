"""What a deliverer says about itself when people ask."""

import random
from collections.abc import Callable

import pytest

from paquebot.deliverer.courier import World
from paquebot.deliverer.dispatch import Dispatcher
from paquebot.deliverer.fullness import fullness
from paquebot.deliverer.live import live_state
from paquebot.deliverer.settler import Settler
from paquebot.deliverer.site import Site
from paquebot.deliverer.wheel import DeadlineWheel
from paquebot.dns.resolver import Resolver
from paquebot.mail.delivery import Lane
from paquebot.mail.outcome import DELIVERED
from paquebot.policy.values import DestinationPolicy, Policy, SendingPool
from paquebot.queue.events import EventWriter
from paquebot.queue.jetstream import JetStream
from paquebot.queue.ownership import Fence
from paquebot.queue.partition import Partition
from paquebot.queue.poolqueue import PoolQueue
from paquebot.queue.taken import Taken
from paquebot.wire.deliverer import Counts, InHand, Load, Pace, Share, StateRequest

POOL = "mail_main"
LIMITS = DestinationPolicy("b.example", connections_max=4, rate_per_s=2.0)
POLICY = Policy("r7", pools={POOL: SendingPool("mail", "main", "out.example")}, destinations={"b": LIMITS})


async def never(*_: object) -> bool:
    raise AssertionError("no report here")


@pytest.fixture
def dispatcher(js: JetStream) -> Dispatcher:
    queue = PoolQueue(js, EventWriter(js), POOL, "pod-1")
    world = World(DeadlineWheel(), Resolver(("127.0.0.1", 1)), random.Random(1))
    return Dispatcher(world, 25, Settler(queue, "mail.example", never, world.chance), POOL, POLICY)


@pytest.fixture
def wait(dispatcher: Dispatcher, js: JetStream, taken: Callable[..., Taken]) -> Callable[..., Taken]:
    """Return what puts an item into the hand, and into its site's line."""
    queue = dispatcher.settler.queue
    hand = queue.owned[3] = Partition(js, Fence(POOL, 3, 1), 0, lambda _partition, _message: None, lambda _lane: True)

    def put(number: int, tenant: str = "shop", lane: Lane = Lane.NORMAL, domain: str = "b.example") -> Taken:
        item = taken(number, tenant, lane, domain)
        hand.in_hand[item.name] = item
        queue.hand.take(lane, 0)
        dispatcher._site(item.delivery).line.push(item)
        return item

    return put


def begin(site: Site, now: float) -> Taken:
    item = site.line.pop()
    assert item is not None
    site.trying[item] = now
    site.tally.begin(now)
    return item


async def test_a_site_tells_its_pace_its_line_by_lane_and_tenant_and_what_came_of_it(dispatcher, wait) -> None:
    for number in range(3):
        wait(number)
    wait(3, tenant="news", lane=Lane.BULK)
    site = dispatcher.sites["b.example"]
    site.throttle.follow(LIMITS)
    begin(site, 94.0)
    site.tally.end(95.0, DELIVERED, "mx [192.0.2.1]")
    state = live_state(dispatcher, StateRequest(), 100.0, 1_000_000)
    assert (state.pod, state.pool, state.partitions, state.revision, state.at_ms) == (
        "pod-1",
        POOL,
        (3,),
        "r7",
        1_000_000,
    )
    assert state.load == Load(4, 0, 1, 0)
    (told,) = state.sites
    assert (told.in_flight, told.waiting) == (1, 3)
    assert told.pace == Pace(2.0, 0.1, 4, 0)
    assert told.shares == (Share(Lane.NORMAL, "shop", 2), Share(Lane.BULK, "news", 1))
    assert told.counts == Counts(1, 0, 0)
    assert told.said[0].at_ms == 995_000


async def test_only_what_is_asked_for_is_told(dispatcher, wait) -> None:
    wait(1, tenant="shop", domain="b.example")
    wait(2, tenant="news", domain="c.example")
    begin(dispatcher.sites["c.example"], 1.0)

    def told(request: StateRequest) -> list[str]:
        return [site.site for site in live_state(dispatcher, request, 2.0, 2000).sites]

    assert told(StateRequest(site="b.example")) == ["b.example"]
    assert told(StateRequest(site="other")) == ["b.example", "c.example"]  # their group
    assert told(StateRequest(tenant="news")) == ["c.example"]  # also what is being tried
    assert told(StateRequest(tenant="nobody")) == []
    assert len(told(StateRequest(sites_max=1))) == 1


async def test_a_delivery_is_found_in_line_in_an_attempt_and_while_it_is_settled(dispatcher, wait) -> None:
    first, _other, second = wait(1), wait(9, tenant="news"), wait(2)
    site = dispatcher.sites["b.example"]

    def found(item: Taken) -> tuple[InHand, ...]:
        return live_state(dispatcher, StateRequest(message=item.delivery.id), 100.0, 1_000_000).found

    assert found(second) == (InHand("id2.1", "b.example", "line", ahead=1),)  # the other tenant's is not before it
    assert begin(site, 98.0) is first
    assert found(first) == (InHand("id1.1", "b.example", "attempt", since_ms=998_000),)
    assert found(second) == (InHand("id2.1", "b.example", "line", ahead=0),)
    del site.trying[first]
    assert found(first) == (InHand("id1.1", "b.example", "settling"),)


async def test_asked_for_a_message_only_the_sites_of_its_deliveries_are_told(dispatcher, wait) -> None:
    wait(1, domain="b.example")
    wait(2, domain="c.example")
    state = live_state(dispatcher, StateRequest(message="id2"), 1.0, 1000)
    assert [site.site for site in state.sites] == ["c.example"]
    assert live_state(dispatcher, StateRequest(message="none"), 1.0, 1000).sites == ()


async def test_each_limit_is_told_beside_what_is_used_of_it(dispatcher: Dispatcher, wait) -> None:
    for number in range(3):
        wait(number)
    wait(4, domain="c.example")
    dispatcher.sessions.begin()
    used = fullness(dispatcher)
    assert used["deliveries in line for a site"] == (3, 1000)
    assert used["sites in memory"] == (2, 2000)
    assert used["sessions"] == (1, 200)
    assert used["deliveries in hand"] == (4, 5600)
    assert {"records not stored yet", "questions to the resolver", "answers of the resolver"} <= used.keys()
