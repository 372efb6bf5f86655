"""Sites and workers: takes items from the queue, admits them by site, sees each through to its settlement.

A worker serves one site over one connection. What cannot be tried soon goes back to the queue as a schedule,
with its reason, so that memory stays bounded and every waiting message can say why.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace

import structlog

from paquebot.deliverer import metrics
from paquebot.deliverer.connection import LeaseLostError
from paquebot.deliverer.courier import Attempted, Courier, World
from paquebot.deliverer.opening import Way
from paquebot.deliverer.site import Site
from paquebot.deliverer.throttle import Throttle
from paquebot.deliverer.verdicts import IN_DOUBT
from paquebot.dns.resolver import MxAnswer
from paquebot.dns.sites import site_of
from paquebot.mail.delivery import Delivery
from paquebot.mail.header import split
from paquebot.mail.outcome import Kind, Outcome, Scope, of_conclusion
from paquebot.mail.record import Kind as RecordKind
from paquebot.mail.record import Record
from paquebot.mail.settle import Attempt, put_off, settle
from paquebot.mail.settlement import Report, Settlement
from paquebot.policy.values import DEFAULT_DESTINATION, DestinationPolicy, Policy, SendingPool
from paquebot.queue.bodies import BodyLostError
from paquebot.queue.poolqueue import HELD_FOR_MS, PoolQueue
from paquebot.queue.subjects import partition_of
from paquebot.queue.taken import Taken
from paquebot.runtime.logs import bind

LOOK_S = 0.5
PATIENCE_S = 5.0  # a worker waits this long for its site's next turn; longer waits go back to the queue
IDLE_S = 2.0  # a worker keeps its connection this long without work
LINE_MAX = 1000  # items of one site in memory
PAUSE_S = 60.0  # between two looks at whether a pool is still paused
REST_MAX_S = 3600.0  # what waits longer for its turn looks again after it
CONTENT_AGAIN_MS = 60_000
LOG = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Dispatcher:
    """Everything one deliverer has in hand."""

    world: World
    port: int
    hostname: str
    submit: Callable[[Report, Delivery], Awaitable[bool]]  # False: it cannot be submitted now
    pool_token: str
    policy: Policy = field(default_factory=Policy)
    sites: dict[str, Site] = field(default_factory=dict)
    settling: "set[asyncio.Task[None]]" = field(default_factory=set)
    workers: int = 0
    queue: PoolQueue | None = None

    @property
    def pool(self) -> SendingPool:
        """The pool's policy."""
        return self.policy.pools[self.pool_token]

    def follow(self, policy: Policy) -> None:
        """Take a new policy over."""
        self.policy = policy
        for site in self.sites.values():
            site.throttle.follow(self._destination(site.group))

    def on_item(self, taken: Taken) -> None:
        """Put an item into its site's line."""
        site = self._site(taken.delivery)
        if len(site.line) >= LINE_MAX:
            wait_s = max(PATIENCE_S, len(site.line) / (site.throttle.policy.rate_per_s or 20.0))
            self._defer(taken, wait_s, f"{len(site.line)} others wait for the same site")
            return
        site.line.push(taken)
        site.news.set()
        self._feed(site)

    def on_letting_go(self, partition: int) -> None:
        """Give back what waits in line for a partition that is no longer ours."""
        assert self.queue is not None  # noqa: S101  (its caller)
        for site in self.sites.values():
            for taken in site.line.take_out(lambda taken: taken.fence.partition == partition):
                self._spawn(self.queue.give_back(taken))

    async def run(self) -> None:
        """Look at all sites, for ever: throttles pass, connections become free."""
        while True:
            await asyncio.sleep(LOOK_S)
            for name, site in list(self.sites.items()):
                self._feed(site)
                if site.is_forgettable(asyncio.get_running_loop().time()):
                    del self.sites[name]
            metrics.CONNECTIONS.labels(self.pool_token).set(self.workers)

    async def stop(self) -> None:
        """End the workers that wait, then the settling of what is done."""
        tasks = [worker for site in self.sites.values() for worker in site.workers]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.settling:
            await asyncio.wait(self.settling, timeout=2)

    def _feed(self, site: Site) -> None:
        """Start workers for a site's line, or send it back when its turn is far away."""
        if not site.line:
            return
        wait_s = site.throttle.wait(asyncio.get_running_loop().time())
        if self.pool.paused:
            self._send_back(site, lambda: PAUSE_S, f"the pool {self.pool_token} is paused")
        elif wait_s > PATIENCE_S:
            now = asyncio.get_running_loop().time()
            self._send_back(site, lambda: site.throttle.turn(now, REST_MAX_S), f"{site.name} is {site.throttle.why}")
        else:
            room = self.pool.sessions_per_replica - self.workers
            for _ in range(min(site.wants_workers(), room)):
                task = asyncio.create_task(self._work(site))
                site.workers.add(task)
                self.workers += 1
                task.add_done_callback(lambda done, site=site: self._ended(site, done))  # type: ignore[misc]

    def _ended(self, site: Site, task: "asyncio.Task[None]") -> None:
        site.workers.discard(task)
        self.workers -= 1
        if not task.cancelled() and task.exception() is not None:
            LOG.error("a worker crashed", site=site.name, exc_info=task.exception())

    async def _work(self, site: Site) -> None:
        """Serve a site's line until it is empty for a while, or its turn is far away."""
        loop = asyncio.get_running_loop()
        messages_max = min(site.throttle.policy.messages_per_connection_max, self.pool.messages_per_session)
        courier = Courier(self.world, messages_max)
        try:
            while len(site.workers) <= site.throttle.allowed:
                wait_s = site.throttle.wait(loop.time())
                if wait_s > PATIENCE_S:
                    return
                if wait_s:
                    await asyncio.sleep(wait_s)
                    continue
                taken = site.line.pop()
                if taken is None:
                    if not await self._news(site):
                        return
                    continue
                site.throttle.begin(loop.time())
                site.busy += 1
                try:
                    await self._attempt(site, taken, courier)
                except Exception:
                    LOG.exception("an attempt broke", delivery=taken.name)
                    courier.close()
                    await self._give_up(taken)
                finally:
                    site.busy -= 1
        finally:
            courier.close()

    async def _news(self, site: Site) -> bool:
        """Wait a moment for the site's next item."""
        site.news.clear()
        try:
            async with asyncio.timeout(IDLE_S):
                await site.news.wait()
        except TimeoutError:
            return False
        return True

    async def _attempt(self, site: Site, taken: Taken, courier: Courier) -> None:
        """See to one delivery: try it, unless it is not ours, has moved, or is past its time."""
        queue = self.queue
        assert queue is not None  # noqa: S101  (started)
        if not queue.owns(taken):
            self._spawn(queue.give_back(taken))
            return
        delivery = taken.delivery
        bind(delivery.name, delivery.tenant)
        moved = self._moved(delivery)
        if moved is not None:
            self._spawn(queue.settle(taken, Settlement((), again=moved)))
            return
        try:
            content = await queue.content(taken)
        except BodyLostError as lost:
            LOG.error("a content is not in the store", delivery=taken.name, error=str(lost))  # noqa: TRY400
            self._defer(taken, CONTENT_AGAIN_MS / 1000, f"its content cannot be read: {lost}")
            return
        if delivery.expires_ms <= _now_ms() and delivery.attempts:
            self._finish(site, taken, Attempted(_expired(delivery)), 0.0, content)
            return
        await self._try(site, taken, courier, content)

    async def _try(self, site: Site, taken: Taken, courier: Courier, content: bytes) -> None:
        """Make the attempt; a delivered message is recorded before its connection takes the next."""
        queue = self.queue
        assert queue is not None  # noqa: S101  (started)
        await queue.begin(taken)
        began = time.monotonic()
        destination = site.throttle.policy
        way = Way(self.port, self.pool.helo_hostname, destination.tls_minimum)
        with metrics.IN_FLIGHT.labels(self.pool_token).track_inprogress():
            try:
                attempted = await courier.attempt(
                    taken.delivery,
                    content,
                    way,
                    allow_private=destination.allow_private,
                    may_go_on=lambda: queue.owns(taken),
                )
            except LeaseLostError:
                LOG.warning("lease lost before the final dot")
                self._spawn(queue.give_back(taken))
                return
        settling = self._finish(site, taken, attempted, time.monotonic() - began, content)
        if any(outcome.kind is Kind.DELIVERED for outcome in attempted.outcomes.values()):
            # A crash may repeat what is not recorded yet: at most one delivery a connection (promise 2).
            await asyncio.shield(settling)

    def _finish(
        self, site: Site, taken: Taken, attempted: Attempted, took_s: float, content: bytes
    ) -> "asyncio.Task[None]":
        """Learn from an attempt and begin to settle it."""
        now = asyncio.get_running_loop().time()
        for outcome in attempted.outcomes.values():
            metrics.OUTCOMES.labels(self.pool_token, site.group, outcome.kind).inc()
            if outcome.scope is Scope.SITE:
                metrics.THROTTLED.labels(self.pool_token, site.group).inc()
                site.throttle.slow_down(now, outcome.reason)
            elif outcome.kind is Kind.DELIVERED:
                site.throttle.went_well()
        metrics.SECONDS.labels(self.pool_token).observe(took_s)
        attempt = Attempt(
            taken.delivery,
            attempted.outcomes,
            _now_ms(),
            self.pool.retry,
            self.world.chance.random(),
            self.hostname,
            split(content)[0] if content else b"",
            attempted.host,
            attempted.tls,
            int(took_s * 1000),
        )
        return self._spawn(self._settle(taken, attempt))

    async def _settle(self, taken: Taken, attempt: Attempt) -> None:
        """Submit the report if there is one, then let the queue make the outcome lasting."""
        assert self.queue is not None  # noqa: S101  (started)
        try:
            settlement = settle(attempt)
        except Exception:
            LOG.exception("an outcome cannot be settled", delivery=taken.name)
            reason = "the deliverer could not settle its last attempt: look at its log, then release or cancel it"
            held = replace(taken.delivery, held=True, next_ms=attempt.now_ms + HELD_FOR_MS, reason=reason)
            settlement = Settlement((), again=held)
        if settlement.report is not None and not await self.submit(settlement.report, taken.delivery):
            settlement = put_off(attempt)
        doubts = _doubts(taken, attempt)
        await self.queue.settle(taken, replace(settlement, records=(*settlement.records, *doubts)))

    async def _give_up(self, taken: Taken) -> None:
        """Hand back what broke us, as a crash: the journal's note stays, and the third one holds it (DESIGN §7)."""
        assert self.queue is not None  # noqa: S101  (started)
        taken.begun = False
        await asyncio.sleep(LOOK_S)
        await self.queue.give_back(taken)

    def _send_back(self, site: Site, wait_s: Callable[[], float], reason: str) -> None:
        """Put a whole line back, each for its own time."""
        while (taken := site.line.pop()) is not None:
            self._defer(taken, wait_s(), reason)

    def _defer(self, taken: Taken, wait_s: float, reason: str) -> None:
        """Put an item back untried: its attempts stay, its reason and time are new."""
        assert self.queue is not None  # noqa: S101  (started)
        spread = wait_s * (1 + 0.2 * self.world.chance.random())
        if taken.delivery.reason.startswith(IN_DOUBT):
            reason = f"{IN_DOUBT}; {reason}"  # the same host comes first all the same
        again = replace(taken.delivery, next_ms=_now_ms() + int(spread * 1000), reason=reason)
        self._spawn(self.queue.settle(taken, Settlement((), again=again)))

    def _moved(self, delivery: Delivery) -> Delivery | None:
        """Return the delivery under its site of today, when that lies in another partition."""
        answer: MxAnswer | None = self.world.resolver.cached_mx(delivery.domain)
        if answer is None:
            return None
        name, group = site_of(delivery.domain, answer, self.policy)
        if name == delivery.site or self._destination(group).slots > 1:
            return None
        partition = partition_of(name)
        if partition == delivery.partition:
            return None
        return replace(delivery, site=name, group=group, partition=partition, next_ms=_now_ms())

    def _site(self, delivery: Delivery) -> Site:
        site = self.sites.get(delivery.site)
        if site is None:
            throttle = Throttle(self._destination(delivery.group))
            site = self.sites[delivery.site] = Site(delivery.site, delivery.group, throttle)
        return site

    def _destination(self, group: str) -> DestinationPolicy:
        return self.policy.destinations.get(group, DEFAULT_DESTINATION)

    def _spawn(self, work: Coroutine[None, None, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self.settling.add(task)
        task.add_done_callback(self.settling.discard)
        return task


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _expired(delivery: Delivery) -> dict[str, Outcome]:
    """Return outcomes that settling turns into failures: the time is over."""
    reason = delivery.reason or "it was never tried"
    last = delivery.last_reply
    outcome = of_conclusion(Kind.DEFERRED, 451, "4.4.7", reason) if last is None else None
    return {
        recipient: outcome or Outcome(Kind.DEFERRED, Scope.MESSAGE, reason, last) for recipient in delivery.recipients
    }


def _doubts(taken: Taken, attempt: Attempt) -> tuple[Record, ...]:
    """Return a record for what is, or was, in doubt: a reply that was lost, or a crash before it was recorded."""
    delivery = taken.delivery
    unsure = tuple(each for each, outcome in attempt.outcomes.items() if outcome.reason.startswith(IN_DOUBT))
    if not unsure and not taken.doubtful:
        return ()
    reason = "the reply to the final dot was lost" if unsure else "an earlier attempt ended in a crash"
    return (
        Record(
            kind=RecordKind.IN_DOUBT,
            at_ms=attempt.now_ms,
            id=delivery.id,
            n=delivery.n,
            tenant=delivery.tenant,
            recipients=unsure or delivery.recipients,
            reverse_path=delivery.reverse_path,
            pool=delivery.pool,
            site=delivery.site,
            domain=delivery.domain,
            lane=delivery.lane,
            attempt=delivery.attempts + 1,
            host=attempt.host,
            reason=reason,
        ),
    )
