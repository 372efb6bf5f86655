"""The platform on one machine: nats-server and the five services as processes, made to follow the manifests.

What a cluster's controllers do is done here in small: start order, as many deliverers as a pool wants, and
pools that leave: they keep their deliverers until their mail has gone.
"""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import structlog

from paquebot.cli.changes import changes
from paquebot.cli.place import Place, Running
from paquebot.cli.processes import Service, free_port
from paquebot.cli.publisher import Publisher
from paquebot.policy.compile import compile_policy
from paquebot.policy.draining import with_draining, without
from paquebot.policy.values import Policy, SendingPool
from paquebot.queue.jetstream import ApiError, QueueFullError, QueueUnavailableError
from paquebot.queue.server import NatsServer, find_nats_server
from paquebot.queue.users import STORAGE_MAX_BYTES, ServerPlace

DRAINED_LOOK_S = 1.0
DRAINED_TELL_S = 60.0
LOG = structlog.get_logger("up")


@dataclass(frozen=True, slots=True)
class World:
    """Where mail goes when a sandbox stands in for the world."""

    resolver: str
    mx_port: int
    patience: float = 1.0  # of the deliverers' timeouts


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to run: manifests, the name we greet with, and how to reach the world."""

    objects: Sequence[Mapping[str, Any]]
    hostname: str = "localhost"
    world: World | None = None
    replicas: int = 1  # deliverers of a pool that does not say how many
    smtp_port: int = 0  # 0: any free one
    smtps_port: int = 0
    storage_max_bytes: int = STORAGE_MAX_BYTES  # of the queue


@dataclass(slots=True)
class Platform:
    """Runs everything of one Place. Use `start`, `apply` as often as manifests change, then `stop`."""

    place: Place
    wanted: Wanted
    say: Callable[[str], None] = field(default=lambda _line: None)
    services: dict[str, Service] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    published: list[Mapping[str, Any]] = field(default_factory=list)
    nats: NatsServer | None = None
    publisher: Publisher | None = None
    ports: dict[str, int] = field(default_factory=dict)
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)
    drains: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Bring everything up; returns when every service says it is ready."""
        compile_policy(self.wanted.objects)
        self.place.prepare(self.wanted.hostname)
        await self._start_queue()
        assert self.publisher is not None  # noqa: S101  (made with the queue)
        await self.publisher.prepare()
        self.published = [*await self.publisher.published()]
        await self._publish(with_draining(self.wanted.objects, self.published, _now()))
        self._plan_services()
        await self._start(list(self.services.values()))
        await self._scale()
        self.drains = asyncio.create_task(self._see_drains())

    async def apply(self, objects: Sequence[Mapping[str, Any]]) -> None:
        """Follow changed manifests: streams, then the revision, then processes.

        Raises PolicyFaults, and changes nothing, when they do not go together with a pool that still drains; or
        what the queue raises, or RuntimeError for a process that does not come up: then try again.
        """
        async with self.changing:
            before = self.wanted.objects
            await self._publish(with_draining(objects, self.published, _now()))
            self.wanted = replace(self.wanted, objects=objects)
            for line in changes(before, objects) or ("the manifests say nothing new",):
                self.say(line)
            await self._scale()

    async def stop(self) -> None:
        """Drain the services, and stop the queue last."""
        self.place.withdraw()
        if self.drains is not None:
            self.drains.cancel()
            await asyncio.gather(self.drains, return_exceptions=True)
        await asyncio.gather(*(service.end() for service in self.services.values()))
        if self.nats is not None:
            await asyncio.to_thread(self.nats.stop)

    def running(self) -> Running:
        """Return what the other commands need to know."""
        assert self.nats is not None  # noqa: S101  (start made it)
        return Running(
            pid=os.getpid(),
            nats_url=self.nats.url,
            smtps_port=self.ports["smtps"],
            smtp_port=self.ports["smtp"],
            hostname=self.wanted.hostname,
            metrics={name: service.admin_port for name, service in self.services.items()},
            deliverers={service.name: self._at(service.name) for service in self._deliverers()},
            resolver=self.wanted.world.resolver if self.wanted.world else "",
        )

    async def _start_queue(self) -> None:
        identity = self.place.identity("nats")
        place = ServerPlace(self.place.store, identity, free_port(), self.wanted.storage_max_bytes)
        self.nats = NatsServer(find_nats_server(), place, self.place.logs)
        await asyncio.to_thread(self.nats.start)
        self.say(f"nats-server on {self.nats.url}")
        self.publisher = Publisher(self.place, self.nats.url)

    async def _publish(self, objects: list[Mapping[str, Any]]) -> None:
        assert self.publisher is not None  # noqa: S101  (start made it)
        policy = compile_policy(objects)
        await self.publisher.publish(objects, policy)
        self.published, self.policy = objects, policy

    async def _scale(self) -> None:
        """Run as many deliverers as the pools want: the new ones first, then let the others go."""
        await self._start(self._more_deliverers())
        wanted = self._wanted_deliverers()
        await self._end([service for service in self._deliverers() if service.name not in wanted])
        for pool in self.policy.pools.values():
            if pool.token not in wanted.values():
                self.say(f"pool {pool.place} has no deliverers: its mail waits until `replicas` is raised")

    async def _end(self, deliverers: Sequence[Service]) -> None:
        await asyncio.gather(*(service.end() for service in deliverers))
        for service in deliverers:
            del self.services[service.name]
            self.say(f"{service.name} has drained and ended")
        self.place.announce(self.running())

    async def _start(self, services: Sequence[Service]) -> None:
        for service in services:
            self.services[service.name] = service
            await service.launch()
        await asyncio.gather(*(service.wait_ready() for service in services))

    async def _see_drains(self) -> None:
        """Tell what keeps pools that are gone from the manifests, and take them away once they are empty."""
        told: dict[str, float] = {}
        while True:
            draining = [pool for pool in self.policy.pools.values() if pool.draining]
            told = {token: at for token, at in told.items() if token in {pool.token for pool in draining}}
            for pool in draining:
                try:
                    await self._see_drain(pool, told)
                except (QueueUnavailableError, QueueFullError, ApiError, RuntimeError) as error:
                    LOG.warning("a pool's drain cannot be looked at", pool=pool.place, error=str(error))
            await asyncio.sleep(DRAINED_LOOK_S)

    async def _see_drain(self, pool: SendingPool, told: dict[str, float]) -> None:
        assert self.publisher is not None  # noqa: S101  (start made it)
        waiting = await self.publisher.count_waiting(pool.token)
        now = asyncio.get_running_loop().time()
        if waiting == 0:
            await self._remove(pool)
        elif now - told.get(pool.token, -DRAINED_TELL_S) >= DRAINED_TELL_S:
            told[pool.token] = now
            still = "1 delivery still waits" if waiting == 1 else f"{waiting} deliveries still wait"
            self.say(f"pool {pool.place} is gone from the manifests: {still}; it drains")

    async def _remove(self, pool: SendingPool) -> None:
        """Take an empty pool out of the policy, its streams away, and end its deliverers."""
        assert self.publisher is not None  # noqa: S101  (start made it)
        async with self.changing:
            current = self.policy.pools.get(pool.token)
            if current is None or not current.draining:
                return  # it came back meanwhile
            await self._end([each for each in self._deliverers() if each.environment["PAQUEBOT_POOL"] == pool.token])
            try:
                if await self.publisher.remove_streams(pool.token) == 0:
                    await self._publish(without(self.published, pool.token))
                    self.say(f"pool {pool.place} is empty and removed")
            finally:
                await self._scale()  # its deliverers again, should something have come at the last moment

    def _deliverers(self) -> list[Service]:
        return [service for service in self.services.values() if service.module == "paquebot.deliverer"]

    def _wanted_deliverers(self) -> dict[str, str]:
        """Return pools' tokens by the names of the deliverers that should run."""
        wanted = {}
        for pool in self.policy.pools.values():
            least = max(self.wanted.replicas, pool.scaling.replicas_min)
            count = least if pool.replicas is None else pool.replicas
            for number in range(max(count, 1) if pool.draining else count):
                wanted[f"deliverer-{pool.token}-{number}"] = pool.token
        return wanted

    def _more_deliverers(self) -> list[Service]:
        more = []
        for name, pool in self._wanted_deliverers().items():
            if name not in self.services:
                self.ports[name] = free_port()
                target = {"SUBMISSION_TARGET": self._at("submission"), "POOL": pool}
                more.append(self._service(name, "deliverer", {"GRPC_LISTEN": self._at(name), **target}))
        return more

    def _plan_services(self) -> None:
        """Decide ports and environments of what runs once."""
        for name in ("auth", "spamfilter", "router", "submission"):
            self.ports[name] = free_port()
        self.ports["smtps"] = self.wanted.smtps_port or free_port()
        self.ports["smtp"] = self.wanted.smtp_port or free_port()
        for name in ("auth", "spamfilter", "router"):
            more = self._spamfilter_environment() if name == "spamfilter" else {}
            self.services[name] = self._service(name, name, {"GRPC_LISTEN": self._at(name)} | more)
        self.services["submission"] = self._service("submission", "submission", self._submission_environment())

    def _spamfilter_environment(self) -> dict[str, str]:
        """Return what the spam filter needs to know. The sandbox's mail is words at random: a model would hold some."""
        own = {"SUPPRESSION_KEY": str(self.place.suppression_key)}
        if self.wanted.world is None or "PAQUEBOT_MODEL" in os.environ:
            return own
        return own | {"MODEL": "none"}

    def _submission_environment(self) -> dict[str, str]:
        """Return what submission needs to know."""
        return {
            "GRPC_LISTEN": self._at("submission"),
            "SMTP_LISTEN": self._at("smtp"),
            "SMTPS_LISTEN": self._at("smtps"),
            "SUPPRESSION_KEY": str(self.place.suppression_key),
            "SMTP_CERT_DIR": str(self.place.identity("smtp")),
            "AUTH_TARGET": self._at("auth"),
            "SPAMFILTER_TARGET": self._at("spamfilter"),
            "ROUTER_TARGET": self._at("router"),
        }

    def _outward(self) -> dict[str, str]:
        """Return how the services reach the world."""
        folders = {"DKIM_DIR": str(self.place.dkim), "SMARTHOST_DIR": str(self.place.smarthosts)}
        folders["SUPPRESSION_KEY"] = str(self.place.suppression_key)
        world = self.wanted.world
        if world is None:
            return folders
        reach = {"SANDBOX": "1", "RESOLVER": world.resolver, "MX_PORT": str(world.mx_port)}
        return {**folders, "PATIENCE": str(world.patience), **reach}

    def _at(self, name: str) -> str:
        """Return the loopback address of a service."""
        return f"127.0.0.1:{self.ports[name]}"

    def _service(self, name: str, module: str, environment: dict[str, str]) -> Service:
        assert self.nats is not None  # noqa: S101  (start made it)
        admin = free_port()
        everywhere = {
            "NATS_URL": self.nats.url,
            "IDENTITY_DIR": str(self.place.identity(module)),
            "POD": name,
            "ADMIN_LISTEN": f"127.0.0.1:{admin}",
            "HOSTNAME": self.wanted.hostname,
            **({} if module == "submission" else self._outward()),
        }
        own = {f"PAQUEBOT_{key}": value for key, value in (everywhere | environment).items()}
        log = self.place.logs / f"{name}.log"
        return Service(name, f"paquebot.{module}", own, admin, log, self.say)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
