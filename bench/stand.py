"""The platform as the benchmark runs it: one pool, sixteen destinations behind one receiving host, a relay's login.

CPU time and memory are read from /proc, by process, so that they stay true on a busy machine.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from usage import cpu_s, rss_mib

from paquebot.auth.password import hash_password
from paquebot.cli.place import Place
from paquebot.cli.platform import Platform, Wanted, World
from paquebot.cli.processes import Service, free_port
from paquebot.policy.manifests import parse
from paquebot.sandbox.internet import Internet

USERNAME = "mail-system.relay"
PASSWORD = "benchmark"  # noqa: S105  (of this run alone)
PEERS = str(Path(__file__).with_name("peers.py"))
DOMAINS = [f"d{number}.bench.test" for number in range(16)]  # each a site of its own, as the world has many
TWICE = ("auth", "spamfilter", "router", "submission")
MANIFESTS = """
{apiVersion: paquebot.dev/v1alpha1, kind: SendingPool, metadata: {name: default, namespace: mail-system},
 spec: {heloHostname: out.bench.test, allowedNamespaces: {names: ["*"]}}}
---
{apiVersion: paquebot.dev/v1alpha1, kind: MailDomain,
 metadata: {name: shop, namespace: shop}, spec: {domain: shop.test}}
---
{apiVersion: paquebot.dev/v1alpha1, kind: SMTPCredential, metadata: {name: relay, namespace: mail-system},
 spec: {anySender: true, poolRef: {name: default}}}
"""
DESTINATION = """---
{{apiVersion: paquebot.dev/v1alpha1, kind: DestinationPolicy, metadata: {{name: {name}}},
 spec: {{match: {{domains: [{domain}]}}, limits: {{maxConnections: 4, messagesPerConnection: 10000}}}}}}
"""


@dataclass(frozen=True, slots=True)
class Stand:
    """A platform that runs, the ports of submission, and where the receiving host listens or shall listen."""

    platform: Platform
    ports: tuple[int, ...]
    sink_port: int

    def pids(self) -> dict[str, int]:
        """Return process ids by name."""
        found = {name: service.process.pid for name, service in self.platform.services.items() if service.process}
        assert self.platform.nats is not None  # noqa: S101  (started)
        assert self.platform.nats.process is not None  # noqa: S101  (started)
        return {_kind(name): pid for name, pid in found.items()} | {"nats-server": self.platform.nats.process.pid}

    def cpu_s(self) -> dict[str, float]:
        """Return user and system seconds by process, all its threads'."""
        return {name: cpu_s(pid) for name, pid in self.pids().items()}

    def rss_mib(self) -> dict[str, int]:
        """Return resident memory by process."""
        return {name: int(rss_mib(pid)) for name, pid in self.pids().items()}


@asynccontextmanager
async def standing(processes: int) -> AsyncIterator[Stand]:
    """Run a platform with so many processes of each service: the second submission asks a second of all others."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        destinations = [DESTINATION.format(name=domain.partition(".")[0], domain=domain) for domain in DOMAINS]
        objects = [located.object for located in parse(MANIFESTS + "".join(destinations), "bench.yaml")]
        place.write_hash(USERNAME, hash_password(PASSWORD.encode()))
        internet = Internet(own_domains=tuple(DOMAINS))
        await internet.start()
        sink_port = free_port()
        world = World(str(internet.resolver_address), sink_port)
        platform = Platform(place, Wanted(objects, "mail.bench.test", world, replicas=processes))
        try:
            await platform.start()
            more = [await _second_front(platform)] if processes > 1 else []
            yield Stand(platform, (platform.ports["smtps"], *more), sink_port)
        finally:
            await platform.stop()
            await internet.stop()


async def _second_front(platform: Platform) -> int:
    """Start a second submission with a second of everything that it asks; return its port."""
    ports = {name: free_port() for name in TWICE}
    smtps = free_port()
    targets = {f"PAQUEBOT_{name.upper()}_TARGET": f"127.0.0.1:{port}" for name, port in ports.items()}
    started = []
    for name in TWICE:
        first = platform.services[name]
        admin = free_port()
        own = {
            "PAQUEBOT_POD": f"{name}-2",
            "PAQUEBOT_ADMIN_LISTEN": f"127.0.0.1:{admin}",
            "PAQUEBOT_GRPC_LISTEN": f"127.0.0.1:{ports[name]}",
        }
        if name == "submission":
            listen = {"PAQUEBOT_SMTP_LISTEN": "127.0.0.1:0", "PAQUEBOT_SMTPS_LISTEN": f"127.0.0.1:{smtps}"}
            own |= listen | targets
        second = Service(f"{name}-2", first.module, first.environment | own, admin, first.log, first.say)
        platform.services[second.name] = second
        await second.launch()
        started.append(second)
    await asyncio.gather(*(second.wait_ready() for second in started))
    return smtps


class Host:
    """The receiving host as a process."""

    def __init__(self, stand: Stand, *, with_tls: bool) -> None:
        certificate = str(stand.platform.place.identity("smtp")) if with_tls else ""
        arguments = [sys.executable, PEERS, "sink", str(stand.sink_port), certificate]
        self._process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._read()

    def ask(self, what: str = "") -> dict:
        """Return what has come, after `reset` from the start."""
        assert self._process.stdin is not None  # noqa: S101  (piped)
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        return dict(json.loads(self._read()))

    def end(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()

    def _read(self) -> str:
        assert self._process.stdout is not None  # noqa: S101  (piped)
        return self._process.stdout.readline()


def _kind(name: str) -> str:
    """Return a process's name without its pool: deliverer, deliverer-2."""
    if not name.startswith("deliverer"):
        return name
    number = int(name.rpartition("-")[2]) + 1
    return "deliverer" if number == 1 else f"deliverer-{number}"
