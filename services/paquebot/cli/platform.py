"""The platform on one machine: nats-server and the five services as processes, kept alive.

What a cluster's controllers do is done here in small: identities, policy, keys, start order, restart after a crash.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import urllib.error
import urllib.request
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from paquebot.cli.place import Place, Running
from paquebot.dkim.keys import generate
from paquebot.policy.compile import compile_policy
from paquebot.policy.values import Policy
from paquebot.queue.credentials import put_hash
from paquebot.queue.fitness import inspect, record
from paquebot.queue.jetstream import JetStream
from paquebot.queue.policystore import publish_policy
from paquebot.queue.provision import provision
from paquebot.queue.server import NatsServer, find_nats_server
from paquebot.queue.users import ServerPlace

READY_MAX_S = 30.0
DRAIN_MAX_S = 15.0
RESTART_S = 0.5
LOG = structlog.get_logger("up")


@dataclass(frozen=True, slots=True)
class World:
    """Where mail goes when a sandbox stands in for the world."""

    resolver: str
    mx_port: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to run: manifests, the name we greet with, and how to reach the world."""

    objects: Sequence[Mapping[str, Any]]
    hostname: str = "localhost"
    world: World | None = None
    replicas: int = 1  # deliverers of each pool
    smtp_port: int = 0  # 0: any free one
    smtps_port: int = 0


@dataclass(slots=True)
class Service:
    """One process: how it is started, and what runs now."""

    name: str
    module: str
    environment: dict[str, str]
    admin_port: int
    process: Process | None = None
    keeper: asyncio.Task[None] | None = None
    restarts: int = 0


@dataclass(slots=True)
class Platform:
    """Runs everything of one Place. Use `start`, then `stop`."""

    place: Place
    wanted: Wanted
    say: Callable[[str], None] = field(default=lambda _line: None)
    services: dict[str, Service] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    nats: NatsServer | None = None
    ports: dict[str, int] = field(default_factory=dict)
    stopping: bool = False

    async def start(self) -> None:
        """Bring everything up; returns when every service says it is ready."""
        self.policy = compile_policy(self.wanted.objects)
        self.place.prepare(self.wanted.hostname)
        self.make_keys()
        place = ServerPlace(self.place.store, self.place.identity("nats"), free_port())
        self.nats = NatsServer(find_nats_server(), place, self.place.logs)
        await asyncio.to_thread(self.nats.start)
        self.say(f"nats-server on {self.nats.url}")
        await self.publish()
        self.plan_services()
        for service in self.services.values():
            await self.launch(service)
        await asyncio.gather(*(self.wait_ready(service) for service in self.services.values()))
        self.place.announce(self.running())

    async def stop(self) -> None:
        """Drain the services, deliverers first, and stop the queue last."""
        self.stopping = True
        self.place.withdraw()
        running = [service for service in self.services.values() if service.process is not None]
        for service in running:
            assert service.process is not None  # noqa: S101  (filtered above)
            with contextlib.suppress(ProcessLookupError):
                service.process.send_signal(signal.SIGTERM)
        await asyncio.gather(*(self._wait_end(service) for service in running))
        if self.nats is not None:
            await asyncio.to_thread(self.nats.stop)

    def make_keys(self) -> None:
        """Make DKIM keys for domains that have none."""
        for domain in self.policy.domains.values():
            folder = self.place.dkim / domain.domain
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for algorithm in domain.dkim_algorithms:
                if not any(folder.glob(f"*.{algorithm}.pem")):
                    path = folder / f"pq-{algorithm.lower()}.{algorithm}.pem"
                    path.touch(mode=0o600)
                    path.write_bytes(generate(algorithm))

    async def publish(self) -> None:
        """Create the streams, then publish the policy and the password hashes: in this order."""
        assert self.nats is not None  # noqa: S101  (start made it)
        js = await JetStream.connect(self.nats.url, self.place.identity("publisher"), "publisher")
        try:
            await provision(js, self.policy)
            await record(js, await self.examine())
            for username, password_hash in self.place.read_hashes().items():
                await put_hash(js, username, password_hash)
            await publish_policy(js, self.wanted.objects)
        finally:
            await js.close()

    async def examine(self) -> Mapping[str, Any]:
        """Ask the server, as the system user, whether it is fit to keep mail."""
        assert self.nats is not None  # noqa: S101  (start made it)
        system = await JetStream.connect(self.nats.url, self.place.identity("system"), "examiner")
        try:
            return await inspect(system)
        finally:
            await system.close()

    def plan_services(self) -> None:
        """Decide ports and environments."""
        for name in ("auth", "spamfilter", "router", "submission"):
            self.ports[name] = free_port()
        self.ports["smtps"] = self.wanted.smtps_port or free_port()
        self.ports["smtp"] = self.wanted.smtp_port or free_port()
        for name in ("auth", "spamfilter", "router"):
            self.add(name, name, {"GRPC_LISTEN": self.at(name), **self.outward()})
        self.add("submission", "submission", self.submission_environment())
        for pool in self.policy.pools:
            for replica in range(self.wanted.replicas):
                name = f"deliverer-{pool}-{replica}"
                self.ports[name] = free_port()
                target = {"SUBMISSION_TARGET": self.at("submission"), "POOL": pool}
                self.add(name, "deliverer", {"GRPC_LISTEN": self.at(name), **target, **self.outward()})

    def submission_environment(self) -> dict[str, str]:
        """Return what submission needs to know."""
        return {
            "GRPC_LISTEN": self.at("submission"),
            "SMTP_LISTEN": self.at("smtp"),
            "SMTPS_LISTEN": self.at("smtps"),
            "SMTP_CERT_DIR": str(self.place.identity("smtp")),
            "AUTH_TARGET": self.at("auth"),
            "SPAMFILTER_TARGET": self.at("spamfilter"),
            "ROUTER_TARGET": self.at("router"),
        }

    def outward(self) -> dict[str, str]:
        """Return how the services reach the world."""
        world = self.wanted.world
        if world is None:
            return {"DKIM_DIR": str(self.place.dkim)}
        reach = {"SANDBOX": "1", "RESOLVER": world.resolver, "MX_PORT": str(world.mx_port)}
        return {"DKIM_DIR": str(self.place.dkim), **reach}

    def at(self, name: str) -> str:
        """Return the loopback address of a service."""
        return f"127.0.0.1:{self.ports[name]}"

    def add(self, name: str, service: str, environment: dict[str, str]) -> None:
        """Note a process to run."""
        assert self.nats is not None  # noqa: S101  (start made it)
        admin = free_port()
        everywhere = {
            "NATS_URL": self.nats.url,
            "IDENTITY_DIR": str(self.place.identity(service)),
            "POD": name,
            "ADMIN_LISTEN": f"127.0.0.1:{admin}",
            "HOSTNAME": self.wanted.hostname,
        }
        own = {f"PAQUEBOT_{key}": value for key, value in (everywhere | environment).items()}
        self.services[name] = Service(name, f"paquebot.{service}", own, admin)

    async def launch(self, service: Service) -> None:
        """Start a process and keep it alive."""
        with (self.place.logs / f"{service.name}.log").open("ab") as log:
            service.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                service.module,
                env=os.environ | service.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches `up`, which drains in order
            )
        service.keeper = asyncio.create_task(self._keep(service, service.process))

    async def _keep(self, service: Service, process: Process) -> None:
        code = await process.wait()
        if self.stopping or service.process is not process:
            return
        self.say(f"{service.name} ended with {code}; starting it again")
        service.restarts += 1
        await asyncio.sleep(RESTART_S)
        if not self.stopping:
            await self.launch(service)

    async def _wait_end(self, service: Service) -> None:
        assert service.process is not None  # noqa: S101  (only called for started ones)
        try:
            async with asyncio.timeout(DRAIN_MAX_S):
                await service.process.wait()
        except TimeoutError:
            LOG.warning("a service did not drain in time", service=service.name)
            service.process.kill()
            await service.process.wait()
        if service.keeper is not None:
            await service.keeper

    async def wait_ready(self, service: Service) -> None:
        """Wait until a service says it is ready; raise with what it lacks when it does not."""
        deadline = asyncio.get_running_loop().time() + READY_MAX_S
        answer = "it does not listen yet"
        while asyncio.get_running_loop().time() < deadline:
            ready, answer = await asyncio.to_thread(probe, service.admin_port)
            if ready:
                self.say(f"{service.name} is ready")
                return
            if service.restarts > 2:  # noqa: PLR2004  (a third crash at the start is no accident)
                answer = "it crashes at start"
                break
            await asyncio.sleep(0.1)
        log = self.place.logs / f"{service.name}.log"
        raise RuntimeError(f"{service.name} is not ready: {answer.strip()}{last_words(log)} (its log: {log})")

    def running(self) -> Running:
        """Return what the other commands need to know."""
        assert self.nats is not None  # noqa: S101  (start made it)
        deliverers = [name for name, service in self.services.items() if service.module == "paquebot.deliverer"]
        return Running(
            pid=os.getpid(),
            nats_url=self.nats.url,
            smtps_port=self.ports["smtps"],
            smtp_port=self.ports["smtp"],
            hostname=self.wanted.hostname,
            metrics={name: service.admin_port for name, service in self.services.items()},
            deliverers={name: self.ports[name] for name in deliverers},
            resolver=self.wanted.world.resolver if self.wanted.world else "",
        )


def probe(admin_port: int) -> tuple[bool, str]:
    """Ask /readyz; return whether it is ready and what it says."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{admin_port}/readyz", timeout=2) as answer:
            return True, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return False, refusal.read().decode()
    except OSError as failure:
        return False, str(failure)


def last_words(log: Path) -> str:
    """Return how the exception that ended a process read, from its log."""
    for line in reversed(log.read_text(errors="replace").splitlines()):
        with contextlib.suppress(ValueError):
            exception = str(json.loads(line).get("exception", ""))
            if exception:
                told = [line.strip(" |+-") for line in exception.splitlines()]
                return f": {[line for line in told if line][-1]}"
    return ""


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
