"""Sites and workers: takes items from the queue, admits them by site, sees each through to its settlement.

A worker serves one site over one connection. What cannot be tried soon goes back to the queue as a schedule,
with its reason, so that memory stays bounded and every waiting message can say why.
"""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import structlog

from paquebot.deliverer import metrics
from paquebot.deliverer.bearings import Bearings
from paquebot.deliverer.connection import LeaseLostError
from paquebot.deliverer.courier import Attempted, Courier, World
from paquebot.deliverer.doubts import delivered_before, warrant_of
from paquebot.deliverer.heed import heed
from paquebot.deliverer.line import Line
from paquebot.deliverer.memory import Memory
from paquebot.deliverer.sessions import Sessions
from paquebot.deliverer.settler import Settler, expired, now_ms
from paquebot.deliverer.site import Site
from paquebot.deliverer.tally import Tally
from paquebot.deliverer.throttle import Throttle
from paquebot.deliverer.toil import Toil
from paquebot.deliverer.touch import Conclude, Hold, Obey, Park, Reroute, Sight, Step, Wait, touch
from paquebot.mail.delivery import Delivery
from paquebot.mail.doubt import doubted, is_undecided
from paquebot.mail.order import Order
from paquebot.mail.outcome import IN_DOUBT, Kind, Outcome
from paquebot.policy.values import Policy, SendingPool
from paquebot.queue.bodies import BodyLostError
from paquebot.queue.buckets import Bucket
from paquebot.queue.lesson import BUCKET
from paquebot.queue.subjects import slot_of
from paquebot.queue.taken import Taken
from paquebot.runtime.logs import bind

LOOK_S = 0.5
PATIENCE_S = 5.0  # a worker waits this long for its site's next turn; longer waits go back to the queue
IDLE_S = 2.0  # a worker keeps its connection this long without work
REST_MAX_S = 3600.0  # what waits longer for its turn looks again after it
CONTENT_AGAIN_S = 60.0
PASS_S = 0.5  # what the rules let pass is not looked at again this long, unless they change
UNSURE_S = 0.25  # between two looks whether our partitions are ours for sure
NOTED_S = 1.0  # for what was learned to be written, at the end
SITES_MAX = 2000  # in memory; beyond, those that rest are met again from what was written down
LOG = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Dispatcher:
    """Everything one deliverer has in hand."""

    world: World
    port: int
    settler: Settler
    pool_token: str
    policy: Policy = field(default_factory=Policy)
    sites: dict[str, Site] = field(default_factory=dict)  # by name and slot
    sessions: Sessions = field(init=False)
    tally: Tally = field(default_factory=Tally)
    toil: Toil = field(default_factory=Toil)
    memory: Memory = field(init=False)
    told_s: float = -math.inf  # loop time when policy or orders last came
    bearings: Bearings = field(init=False)  # where deliveries go by what is known now

    def __post_init__(self) -> None:
        self.sessions = Sessions(self._sessions_max)
        self.bearings = Bearings(self.policy, self.world.resolver, self.port)
        self.memory = Memory(Bucket(self.settler.queue.js, BUCKET), self.pool_token)
        self.settler.queue.on_item = self.on_item
        self.settler.queue.on_letting_go = self.on_letting_go
        self.settler.queue.on_cut = self.cut

    @property
    def pool(self) -> SendingPool:
        """The pool's policy."""
        return self.policy.pools[self.pool_token]

    def _sessions_max(self) -> int:
        """Return how many sessions the policy allows: none before there is one."""
        pool = self.policy.pools.get(self.pool_token)
        return pool.sessions_per_replica if pool else 0

    def follow(self, policy: Policy) -> None:
        """Take a new policy over."""
        self.policy = policy
        self.told_s = asyncio.get_running_loop().time()
        self.bearings = Bearings(policy, self.world.resolver, self.port)
        self.settler.retry, self.settler.in_doubt = self.pool.retry, self.pool.in_doubt
        if self.settler.suppression is not None:
            self.settler.suppression.follow(policy)
        for site in list(self.sites.values()):
            destination = self.bearings.destination(site.group)
            site.throttle.follow(destination.share(site.slot))
            site.line.weights = self.pool.tenant_weights
            if site.slot >= destination.slots:  # no such slot any more
                for taken in site.line.take_out(lambda _taken: True):
                    self.on_item(taken)

    def obey(self, orders: tuple[Order, ...]) -> None:
        """Take new orders over, also for what is in line already."""
        self.settler.orders = orders
        self.told_s = asyncio.get_running_loop().time()
        for site in list(self.sites.values()):
            for taken in site.line.take_out(lambda taken: self._look(taken) is not None):
                self.on_item(taken)  # what kept it may have ended while the others were looked at

    def on_item(self, taken: Taken) -> None:
        """Put an item into its site's line, unless it must wait elsewhere."""
        delivery = taken.delivery
        if delivery.attempts and delivery.next_ms:
            metrics.LAG.labels(self.pool_token).observe(max(0, now_ms() - delivery.next_ms) / 1000)
        if taken.past.delivered:
            self.settler.finish(taken, delivered_before(taken), self.pool.retry, b"")
            return
        if taken.past.doubt is not None:
            taken.delivery = doubted(delivery, taken.past.doubt)
        if self._turned_away(taken):
            return
        taken.passed_s = asyncio.get_running_loop().time()
        site = self._site(taken.delivery)
        if site.leaving.is_set():
            self.settler.give_back(taken)
            return
        if not site.line.has_room(taken, self.settler.queue.hand.free(taken.way)):
            wait_s = max(PATIENCE_S, len(site.line) / (site.throttle.pace.per_s or 20.0))
            self.settler.defer(taken, wait_s, f"{len(site.line)} others wait for the same site")
            return
        site.line.push(taken)
        site.news.ring()
        self._feed(site)

    def on_letting_go(self, partition: int) -> None:
        """Begin nothing more for a partition, and give back what waits in line for it.

        The number of slots may have changed: then a site's line can hold items of several partitions.
        """
        for site in self._sites_of(partition):
            site.leave()
            self.memory.note(site, asyncio.get_running_loop().time(), now_ms(), pause_s=0.0)
        for site in self.sites.values():
            leaving = site.leaving.is_set()
            for taken in site.line.take_out(lambda taken, all_=leaving: all_ or taken.fence.partition == partition):  # type: ignore[misc]
                self.settler.give_back(taken)

    async def cut(self, partition: int) -> None:
        """Break off what is still under way for a partition; return when none of its connections is open."""
        sites = self._sites_of(partition)
        await asyncio.gather(*(site.cut() for site in sites))
        self.sites = {key: site for key, site in self.sites.items() if site not in sites}

    def _sites_of(self, partition: int) -> list[Site]:
        return [site for site in self.sites.values() if site.partition == partition]

    async def run(self) -> None:
        """Look at all sites, for ever: throttles pass, connections become free."""
        while True:
            await asyncio.sleep(LOOK_S)
            now = asyncio.get_running_loop().time()
            for key, site in list(self.sites.items()):
                self._feed(site)
                self.memory.note(site, now, now_ms())
                too_many = len(self.sites) > SITES_MAX and site.is_quiet
                if site.is_forgettable(now) or (too_many and self.memory.is_kept(site, now, now_ms())):
                    del self.sites[key]
            metrics.CONNECTIONS.labels(self.pool_token).set(self.sessions.taken)

    async def stop(self) -> None:
        """End the workers that wait, then the settling of what is done."""
        tasks = [worker for site in self.sites.values() for worker in site.workers]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.settler.drain()
        await self.memory.drain(NOTED_S)

    def _turned_away(self, taken: Taken) -> bool:
        """Ask the rules whether an item may be tried; do what they want done instead."""
        step = self._look(taken)
        match step:
            case None:
                return False
            case Obey():
                self.settler.obey(taken, step.order)
            case Park():
                self.settler.park(taken, step.order)
            case Wait():
                self.settler.defer(taken, step.wait_s, step.reason)
            case Hold():
                self.settler.hold(taken, step.delivery)
            case Reroute():
                self._reroute(taken, step.route)
            case Conclude():
                attempted = Attempted(dict.fromkeys(taken.delivery.recipients, step.outcome))
                self.settler.finish(taken, attempted, self.pool.retry, b"")
        return True

    def _may_have_changed(self, taken: Taken, now: float) -> bool:
        """Say whether the rules might speak now about what they let pass; suppression is asked at each attempt."""
        return taken.passed_s <= self.told_s or now - taken.passed_s > PASS_S

    def _look(self, taken: Taken) -> Step | None:
        """Ask the rules about an item."""
        delivery = taken.delivery
        hosts = self.bearings.hosts(delivery) if self.policy.routes.ordered else None
        sender = self.policy.domain_of(delivery.reverse_path.rpartition("@")[2])
        sight = Sight(delivery, self.pool, now_ms(), self.policy.routes, hosts, self.settler.orders, sender)
        return touch(replace(sight, suppressed=kept) if (kept := self._suppressed(delivery)) else sight)

    def _suppressed(self, delivery: Delivery) -> dict[str, Outcome]:
        return self.settler.suppression.outcomes(delivery) if self.settler.suppression else {}

    def _reroute(self, taken: Taken, route: str) -> None:
        """Put an item under the site of its new way, here or in another partition."""
        moved = self.bearings.rerouted(taken.delivery, route)
        if moved.partition == taken.delivery.partition:
            taken.delivery = moved
            self.on_item(taken)
            return
        why = f"TransportRoute {route} takes it now" if route else "no TransportRoute takes it any more"
        reason = f"{moved.reason}; {why}" if moved.reason else why  # "in doubt" stays in front
        self.settler.put_back(taken, replace(moved, next_ms=now_ms(), reason=reason))

    def _feed(self, site: Site) -> None:
        """Start workers for a site's line, or send it back when its turn is far away."""
        if not site.line or not site.known:
            return
        wait_s = site.throttle.wait(asyncio.get_running_loop().time())
        if wait_s > PATIENCE_S:
            now = asyncio.get_running_loop().time()
            self._send_back(site, lambda: site.throttle.turn(now, REST_MAX_S), f"{site.name} is {site.throttle.why}")
        else:
            wanted = site.wants_workers()
            if wanted > self.sessions.free:
                self.sessions.ask(site)
            for _ in range(min(wanted, self.sessions.free)):
                task = asyncio.create_task(self._work(site))
                site.workers.add(task)
                self.sessions.begin()
                task.add_done_callback(lambda done, site=site: self._ended(site, done))  # type: ignore[misc]

    def _ended(self, site: Site, task: "asyncio.Task[None]") -> None:
        site.workers.discard(task)
        self.sessions.end()
        if not task.cancelled() and task.exception() is not None:
            LOG.error("a worker crashed", site=site.name, exc_info=task.exception())
        for each in self.sessions.turns():
            self._feed(each)

    async def _work(self, site: Site) -> None:
        """Serve a site's line until it is empty for a while, its turn is far away, or others need the session."""
        loop = asyncio.get_running_loop()
        served = 0
        courier = Courier(self.world, self.pool.messages_per_session)
        site.couriers.add(courier)
        try:
            while len(site.workers) <= site.throttle.allowed and not site.leaving.is_set():
                wait_s = site.throttle.wait(loop.time())
                if wait_s > PATIENCE_S or self.sessions.is_over(served):
                    return
                if wait_s or not self.settler.queue.is_sure:
                    await site.pause(wait_s or UNSURE_S)
                    continue
                taken = site.line.pop()
                if taken is None:
                    if not await self.sessions.rest(site, IDLE_S):
                        return
                    continue
                if self._may_have_changed(taken, loop.time()) and self._turned_away(taken):
                    continue
                served += 1
                site.throttle.begin(loop.time())
                site.trying[taken] = loop.time()
                try:
                    await self._attempt(site, taken, courier)
                except Exception:
                    LOG.exception("an attempt broke", delivery=taken.name)
                    await courier.leave()
                    await self.settler.give_up(taken)
                finally:
                    del site.trying[taken]
        finally:
            site.news.ring()  # whoever goes may have been called for an item that it does not take
            await courier.leave()  # the place in the site's limit is free when the host has seen the end
            site.couriers.discard(courier)

    async def _attempt(self, site: Site, taken: Taken, courier: Courier) -> None:
        """See to one delivery: try it, unless it is not ours, has moved, or is past its time."""
        queue = self.settler.queue
        if not queue.owns(taken):
            self.settler.give_back(taken)
            return
        delivery = taken.delivery
        bind(delivery.name, delivery.tenant)
        if await self.bearings.look_up(delivery) and self._turned_away(taken):
            return
        moved = self.bearings.moved(delivery, now_ms())
        if moved is not None:
            self.settler.put_back(taken, moved)
            return
        try:
            content = await queue.content(taken)
        except BodyLostError as lost:
            LOG.error("a content is not in the store", delivery=taken.name, error=str(lost))  # noqa: TRY400
            self.settler.defer(taken, CONTENT_AGAIN_S, f"its content cannot be read: {lost}")
            return
        if not delivery.recipients:  # all are done with, only a report is owed
            self._finish(site, taken, Attempted({}), content)
            return
        if delivery.expires_ms <= now_ms() and (delivery.attempts or is_undecided(delivery)):
            self._finish(site, taken, expired(delivery), content)
            return
        await self._try(site, taken, courier, content)

    async def _try(self, site: Site, taken: Taken, courier: Courier, content: bytes) -> None:
        """Make the attempt; a delivered message is recorded before its connection takes the next."""
        queue = self.settler.queue
        await queue.begin(taken)
        site.tally.begin(asyncio.get_running_loop().time())
        began = time.monotonic()
        limits = site.throttle.policy
        courier.messages_max = min(limits.messages_per_connection_max, self.pool.messages_per_session)
        way = await self.bearings.way(taken.delivery, self.pool.helo_hostname, self.world.logins)
        if isinstance(way, Outcome):
            self._finish(site, taken, Attempted(dict.fromkeys(taken.delivery.recipients, way)), content)
            return
        kept = self._suppressed(taken.delivery)
        wanted = taken.delivery.to(tuple(each for each in taken.delivery.recipients if each not in kept))
        if not wanted.recipients:
            self._finish(site, taken, Attempted(kept), content)
            return
        with metrics.in_flight(self.pool_token).track_inprogress():
            try:
                attempted = await courier.attempt(wanted, content, way, warrant_of(queue, taken))
            except LeaseLostError:
                LOG.warning("lease lost before the final dot")
                self.settler.give_back(taken)
                return
        settling = self._finish(
            site,
            taken,
            replace(attempted, outcomes=attempted.outcomes | kept, took_s=time.monotonic() - began),
            content,
        )
        if any(outcome.kind is Kind.DELIVERED for outcome in attempted.outcomes.values()):
            # A crash may repeat what is not recorded yet: at most one delivery a connection (promise 2).
            await asyncio.shield(settling)

    def _finish(self, site: Site, taken: Taken, attempted: Attempted, content: bytes) -> "asyncio.Task[None]":
        """Learn from an attempt and begin to settle it."""
        now = asyncio.get_running_loop().time()
        for outcome in attempted.outcomes.values():
            metrics.outcomes(self.pool_token, site.group, outcome.kind).inc()
            for tally in (site.tally, self.tally):
                tally.end(now, outcome, attempted.host)
            if attempted.host and outcome.reason.startswith(IN_DOUBT):
                metrics.IN_DOUBT.labels(self.pool_token, "reply").inc()
        if attempted.host:
            metrics.attempts_tls(self.pool_token, attempted.tls or "none").inc()
        if heed(site.throttle, attempted.outcomes.values(), now):
            metrics.THROTTLED.labels(self.pool_token, site.group).inc()
        metrics.seconds(self.pool_token).observe(attempted.took_s)
        if attempted.took_s:
            self.toil.add(site.group, attempted.took_s)
        return self.settler.finish(taken, attempted, self.pool.retry, content)

    def _send_back(self, site: Site, wait_s: Callable[[], float], reason: str) -> None:
        """Put a whole line back, each for its own time."""
        while (taken := site.line.pop()) is not None:
            self.settler.defer(taken, wait_s(), reason)

    def _site(self, delivery: Delivery) -> Site:
        destination = self.bearings.destination(delivery.group)
        slot = slot_of(delivery.name, destination.slots)
        key = f"{delivery.site}/{slot}" if slot else delivery.site
        site = self.sites.get(key)
        if site is None:
            throttle = Throttle(destination.share(slot))
            throttle.follows(self.settler.queue.since(delivery.partition))
            line = Line(self.pool.tenant_weights)
            site = Site(delivery.site, delivery.group, throttle, line, slot, delivery.partition, delivery.domain)
            site.known = False
            self.sites[key] = site
            self.memory.under_way.spawn(self._meet(site))
        return site

    async def _meet(self, site: Site) -> None:
        await self.memory.recall(site, now_ms())
        self._feed(site)
