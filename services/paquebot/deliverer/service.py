"""A deliverer: one pool's queue, the world, and the way back for reports."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import structlog

from paquebot.deliverer import metrics
from paquebot.deliverer.courier import World
from paquebot.deliverer.dispatch import Dispatcher
from paquebot.deliverer.fullness import fullness
from paquebot.deliverer.live import live_state
from paquebot.deliverer.logins import Logins
from paquebot.deliverer.settler import Settler
from paquebot.deliverer.suppression import Suppression
from paquebot.deliverer.throttle import State
from paquebot.deliverer.wheel import DeadlineWheel
from paquebot.dns.resolver import Resolver
from paquebot.mail.delivery import Delivery
from paquebot.mail.envelope import Envelope, Wish
from paquebot.mail.order import Order
from paquebot.mail.report import Report
from paquebot.policy.values import Policy
from paquebot.queue.beginning import first_fit_connection
from paquebot.queue.events import EventWriter
from paquebot.queue.jetstream import JetStream
from paquebot.queue.meter import Meter
from paquebot.queue.orders import follow_orders
from paquebot.queue.policystore import follow_policy
from paquebot.queue.poolqueue import PoolQueue
from paquebot.queue.provision import drift
from paquebot.queue.suppression import Suppressions, read_secret
from paquebot.runtime.metrics import tell_limits
from paquebot.runtime.process import Process, ProcessSettings
from paquebot.runtime.rpc_client import Channel, RpcRefusedError, RpcUnavailableError
from paquebot.runtime.rpc_server import Caller, Server
from paquebot.runtime.settings import Address
from paquebot.wire.deliverer import STATE, DelivererState, StateRequest
from paquebot.wire.submission import SUBMIT, SubmitRequest

SUBMIT_S = 30.0
SUBMIT_AGAIN_S = 2.0
SUBMIT_TRIES = 5  # then the delivery waits in the queue, not in memory
SMTP_PORT = 25
LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ProcessSettings):
    """What a deliverer reads. `resolver`, `mx_port` and `patience` count only with `sandbox`."""

    nats_url: str
    grpc_listen: Address
    pool: str
    submission_target: str
    hostname: str = "localhost"
    sandbox: bool = False
    resolver: Address | None = None
    mx_port: int = 25
    suppression_key: Path | None = None
    smarthost_dir: Path | None = None  # logins, see `logins`
    drain_s: float = 10.0  # for what is under way when told to end; then it is left to another deliverer
    patience: float = 1.0  # of RFC 5321's timeouts, which are too long to rehearse with


async def serve(process: Process, settings: Settings) -> None:
    """Deliver until drained."""
    process.readiness.missing("queue", "not connected yet")
    process.readiness.missing("policy", "no revision was read yet")
    process.readiness.missing("orders", "they were not read yet")
    process.readiness.present("start")
    waits = process.waits_for("queue")
    js = await first_fit_connection(settings.nats_url, settings.identity_dir, settings.pod, waits)
    if js is None:
        return
    for fault in await drift(js, settings.pool):
        LOG.warning("the queue differs from what this release expects", fault=fault)
    process.readiness.present("queue")
    await _deliver(process, settings, js)
    await js.close()


async def _deliver(process: Process, settings: Settings, js: JetStream) -> None:
    wheel = DeadlineWheel(settings.patience if settings.sandbox else 1.0)
    reports = Reports(Channel(settings.submission_target, settings.identity_dir, "submission"))
    port = settings.mx_port if settings.sandbox else SMTP_PORT
    world = _world(settings, wheel)
    events = EventWriter(js)
    queue = PoolQueue(js, events, settings.pool, settings.pod)
    settler = Settler(queue, settings.hostname, reports.submit, world.chance)
    known = await _suppressions(js, settings.suppression_key)
    settler.suppression = Suppression(js, known)
    dispatcher = Dispatcher(world, port, settler, settings.pool)
    meter = Meter(js, settings.pool, lambda: queue.partitions, lambda: _groups(dispatcher.policy))
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(work) for work in (wheel.run(), _watch(js), *([known.follow(js)] if known else []))
        ]
        await _first_policy(tasks, running, process, queue, dispatcher)
        await _first_orders(tasks, running, process, queue, dispatcher)
        server = await _serve_state(process, settings, dispatcher)
        running += [
            tasks.create_task(work) for work in (dispatcher.run(), queue.run(), _measure(dispatcher), meter.run())
        ]
        await process.draining.wait()
        await queue.drain(settings.drain_s)
        await dispatcher.stop()
        await events.drain(2)
        await server.stop(1)
        for task in running:
            task.cancel()
    await reports.channel.close()


async def _suppressions(js: JetStream, key: Path | None) -> Suppressions | None:
    """Return all entries, read before anything is sent; None without a key. Raises ValueError for a bad one."""
    if key is None:
        return None
    known = Suppressions(read_secret(key))
    await known.catch_up(js)
    return known


async def _first_policy(
    tasks: asyncio.TaskGroup,
    running: "list[asyncio.Task[None]]",
    process: Process,
    queue: PoolQueue,
    dispatcher: Dispatcher,
) -> None:
    """Follow the policy; return once there is one that names our pool, or the process is told to end."""
    begun = asyncio.Event()

    def on_policy(policy: Policy) -> None:
        if queue.pool not in policy.pools:
            LOG.error("the policy does not name this pool; the last good one stays", pool=queue.pool)
            return
        dispatcher.follow(policy)
        queue.heartbeat.runs(policy.revision)
        process.readiness.present("policy")
        begun.set()

    running.append(tasks.create_task(follow_policy(queue.js, on_policy)))
    await _either(begun, process.draining)


async def _first_orders(
    tasks: asyncio.TaskGroup,
    running: "list[asyncio.Task[None]]",
    process: Process,
    queue: PoolQueue,
    dispatcher: Dispatcher,
) -> None:
    """Follow the orders; return once they are known: nothing that somebody stopped may be taken before."""
    known = asyncio.Event()

    def on_orders(orders: tuple[Order, ...]) -> None:
        dispatcher.obey(orders)
        process.readiness.present("orders")
        known.set()

    running.append(tasks.create_task(follow_orders(queue.js, queue.heartbeat, on_orders)))
    await _either(known, process.draining)


async def _either(*events: asyncio.Event) -> None:
    """Return when one of the events is set."""
    waits = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


@dataclass(frozen=True, slots=True)
class Reports:
    """DSNs go in where a client's message goes in (one path for all mail)."""

    channel: Channel

    async def submit(self, report: Report, about: Delivery) -> bool:
        """Submit a report under its fixed id; return True when it is kept, or refused for good.

        Nobody reports about a report, the next hop neither (RFC 3461 §6.1).
        """
        wishes = {report.recipient: Wish(("NEVER",))}
        envelope = Envelope("", (report.recipient,), utf8=report.utf8, wishes=wishes)
        request = SubmitRequest(envelope, report.content, report.id, about.name, about.tenant, about.pool)
        for _ in range(SUBMIT_TRIES):
            try:
                answer = await self.channel.unary(SUBMIT, request, SUBMIT_S)
            except RpcRefusedError as error:
                LOG.error("a report was refused", about=about.name, error=str(error))  # noqa: TRY400
                return True
            except RpcUnavailableError as error:
                LOG.warning("a report cannot be submitted yet", about=about.name, error=str(error))
            else:
                if answer.reply.is_positive:
                    return True
                if answer.reply.is_permanent:
                    LOG.error("a report was refused", about=about.name, reply=str(answer.reply))
                    return True
            await asyncio.sleep(SUBMIT_AGAIN_S)
        return False


def _world(settings: Settings, wheel: DeadlineWheel) -> World:
    nameserver = settings.resolver if settings.sandbox else None
    resolver = Resolver((nameserver.host, nameserver.port) if nameserver else None)
    chance = random.Random()  # noqa: S311  (spreads hosts and waits, keeps no secret)
    return World(wheel, resolver, chance, settings.sandbox, Logins(settings.smarthost_dir))


async def _serve_state(process: Process, settings: Settings, dispatcher: Dispatcher) -> Server:
    async def state(request: StateRequest, _caller: Caller) -> DelivererState:
        return live_state(dispatcher, request, asyncio.get_running_loop().time(), time.time_ns() // 1_000_000)

    server = Server(settings.grpc_listen, Path(settings.identity_dir), process.readiness)
    server.unary(STATE, state, frozenset({"admin", "client"}))
    await server.start()
    return server


def _groups(policy: Policy) -> dict[str, int]:
    """Return the destination groups and their slots."""
    return {name: destination.slots for name, destination in policy.destinations.items()}


async def _measure(dispatcher: Dispatcher) -> None:
    """Tell each second what only this process knows."""
    queue, pool = dispatcher.settler.queue, dispatcher.pool_token
    tell_limits(lambda: fullness(dispatcher))
    began = time.monotonic()
    while True:
        metrics.PARTITIONS.labels(pool).set(len(queue.partitions))
        metrics.IN_HAND.labels(pool).set(queue.in_hand)
        states = Counter(site.throttle.state for site in dispatcher.sites.values())
        for state in State:
            metrics.SITES.labels(pool, state.lower()).set(states[state])
        under_way = sum(site.busy for site in dispatcher.sites.values())
        queue.heartbeat.bears(dispatcher.toil.load(time.monotonic() - began, time.process_time(), under_way))
        await asyncio.sleep(1)


async def _watch(js: JetStream) -> None:
    await js.dead.wait()
    raise ConnectionError("the queue's connection is silent: ending, so that another process takes over")
