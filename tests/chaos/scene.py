"""A platform whose parts reach each other over links that can be hurt, and a queue of one server or three."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chaos.host import Hosts, addresses, records
from chaos.link import Link, Target
from paquebot.auth.password import hash_password
from paquebot.cli.dkim import dkim_records
from paquebot.cli.place import Place
from paquebot.cli.platform import Platform, Wanted, World
from paquebot.cli.processes import Service, free_port
from paquebot.cli.publisher import Publisher
from paquebot.policy.compile import compile_policy
from paquebot.policy.manifests import parse
from paquebot.queue import provision
from paquebot.queue.jetstream import JetStream
from paquebot.queue.server import NatsServer, find_nats_server
from paquebot.queue.users import ServerPlace, server_config
from paquebot.sandbox.dnsserver import DnsServer
from paquebot.sandbox.zone import Zone
from platform_support import PASSWORD, SHOP

POOL = "mail-system_default"
DELIVERERS = tuple(f"deliverer-{POOL}-{number}" for number in range(2))
ONCE = ("submission", "auth", "spamfilter", "router")
STORE_BYTES = 256 << 20
EVENTS_BYTES = 48 << 20  # reserved in the store
PATIENCE = 0.02  # a final dot is waited for 12 s
MANIFESTS = """
{apiVersion: paquebot.dev/v1alpha1, kind: SendingPool, metadata: {name: default, namespace: mail-system},
 spec: {heloHostname: out.paquebot.test, scaling: {mode: Manual}, allowedNamespaces: {names: ["*"]},
        retry: {quick: [1s, 2s, 2s, 3s], initial: 3s, max: 5s, multiplier: 1.5, expiry: 1h}}}
---
{apiVersion: paquebot.dev/v1alpha1, kind: MailDomain,
 metadata: {name: shop, namespace: shop}, spec: {domain: shop.test}}
---
{apiVersion: paquebot.dev/v1alpha1, kind: SMTPCredential, metadata: {name: orders, namespace: shop},
 spec: {domainRefs: [{name: shop, senders: [orders@shop.test]}], takeover: {action: Observe}}}
"""
DESTINATION = (
    "---\n{{apiVersion: paquebot.dev/v1alpha1, kind: DestinationPolicy, metadata: {{name: {name}}},\n"
    " spec: {{match: {{domains: [{domain}]}}, backoff: {{initial: 1s, max: 4s, multiplier: 2}}}}}}\n"
)


def objects() -> list[dict]:
    """Return the manifests: hosts that were away are tried again soon."""
    policies = [DESTINATION.format(name=domain.replace(".", "-"), domain=domain) for domain in addresses()]
    return [located.object for located in parse(MANIFESTS + "".join(policies), "chaos.yaml")]


@dataclass
class Node(NatsServer):
    """One of three servers, as the chart configures them."""

    name: str = ""
    cluster_port: int = 0
    others: tuple[int, ...] = ()

    @property
    def config(self) -> str:
        """Its configuration file's text: a replica counts as much as what it repeats."""
        alone = server_config(self.place).replace("server_name: paquebot", f"server_name: {self.name}")
        limit = f"max_file: {self.place.storage_max_bytes},"
        alone = alone.replace(limit, f"max_file: {self.place.storage_max_bytes * 3},")
        alone = alone.replace("max_memory: 128MB", "max_memory: 384MB")
        routes = ", ".join(f'"tls://127.0.0.1:{port}"' for port in self.others)
        identity = self.place.identity
        return f"""{alone}
cluster {{
  name: paquebot
  listen: "127.0.0.1:{self.cluster_port}"
  no_advertise: true
  routes: [ {routes} ]
  tls {{
    cert_file: "{identity}/tls.crt"
    key_file: "{identity}/tls.key"
    ca_file: "{identity}/ca.crt"
    verify: true
    timeout: 5
  }}
}}
"""


@dataclass
class Servers:
    """The queue's servers, as a platform starts and stops them."""

    nodes: list[NatsServer]

    @property
    def url(self) -> str:
        """Where one listens that runs."""
        alive = [node for node in self.nodes if node.process is not None and node.process.poll() is None]
        return (alive or self.nodes)[0].url

    def targets(self, _address: str) -> Sequence[Target]:
        """Return where they listen, in any order: what a Service does."""
        ports = [node.place.port for node in self.nodes]
        return [("127.0.0.1", port) for port in random.sample(ports, len(ports))]

    def stop(self) -> None:
        """Stop all in order."""
        for node in self.nodes:
            node.stop()


def nodes(store: Path, identity: Path, logs: Path, storage_max_bytes: int) -> list[NatsServer]:
    """Return three servers that know each other."""
    ports = [free_port() for _ in range(3)]
    return [
        Node(
            find_nats_server(),
            ServerPlace(store / str(number), identity, free_port(), storage_max_bytes),
            logs / f"nats-{number}",
            name=f"nats-{number}",
            cluster_port=port,
            others=tuple(ports),
        )
        for number, port in enumerate(ports)
    ]


async def until_led(url: str, identity: Path) -> None:
    """Wait until JetStream answers: three servers must find each other and choose."""
    js = await JetStream.connect(url, identity, "chaos")
    try:
        end = time.monotonic() + 30
        while True:
            try:
                await js.request("INFO", timeout_s=2)
            except Exception:
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(0.2)
            else:
                return
    finally:
        await js.close()


@dataclass
class LinkedPlatform(Platform):
    """A platform whose services reach each other, the queue and the world over links."""

    links: dict[str, Link] = field(default_factory=dict)
    servers_count: int = 1

    async def _start_queue(self) -> None:
        self.nats = Servers(self._nodes())  # type: ignore[assignment]
        await asyncio.gather(*(asyncio.to_thread(node.start) for node in self.nats.nodes))
        self.publisher = Publisher(self.place, self.nats.url, self.servers_count)
        await until_led(self.nats.url, self.place.identity("publisher"))

    def _nodes(self) -> list[NatsServer]:
        identity = self.place.identity("nats")
        if self.servers_count == 1:
            place = ServerPlace(self.place.store, identity, free_port(), STORE_BYTES)
            return [NatsServer(find_nats_server(), place, self.place.logs)]
        return nodes(self.place.store, identity, self.place.logs, STORE_BYTES)

    def _service(self, name: str, module: str, environment: dict[str, str]) -> Service:
        service = Platform._service(self, name, module, environment)
        linked = {"NATS_URL": f"tls://127.0.0.1:{self.links[f'{name} - nats'].port}"}
        if name == "submission":
            for peer in ("auth", "spamfilter", "router"):
                linked[f"{peer.upper()}_TARGET"] = f"127.0.0.1:{self.links[f'submission - {peer}'].port}"
        if name in DELIVERERS:
            linked["SUBMISSION_TARGET"] = f"127.0.0.1:{self.links[f'{name} - submission'].port}"
            linked["MX_PORT"] = str(self.links[f"{name} - hosts"].port)
        service.environment |= {f"PAQUEBOT_{key}": value for key, value in linked.items()}
        return service


@dataclass(eq=False)
class Scene:
    """Everything of a run: links, hosts, DNS, platform."""

    place: Place
    hosts: Hosts
    servers_count: int = 1
    platform: LinkedPlatform = field(init=False)
    dns: DnsServer = field(init=False)
    links: dict[str, Link] = field(default_factory=dict)

    async def start(self) -> None:
        """Bring everything up."""
        provision.EVENTS_BYTES_MAX = EVENTS_BYTES
        manifests = objects()
        policy = compile_policy(manifests)
        self.place.write_hash(SHOP, hash_password(PASSWORD.encode()))
        self.dns = DnsServer(Zone(records(), lambda: dkim_records(self.place, policy)), "127.0.0.1", 0)
        await self.dns.start()
        world = World(f"127.0.0.1:{self.dns.port}", 0, PATIENCE)
        wanted = Wanted(manifests, "mail.paquebot.test", world, len(DELIVERERS))
        self.platform = LinkedPlatform(self.place, wanted, links=self.links, servers_count=self.servers_count)
        await self._link()
        await self.platform.start()
        self.place.announce(self.platform.running())

    async def stop(self) -> None:
        """End everything, also what has not come up whole."""
        await self.platform.stop()
        for link in self.links.values():
            await link.close()
        await self.hosts.close()
        await self.dns.stop()

    async def admin(self) -> JetStream:
        """Connect to the queue, past the links."""
        return await JetStream.connect(self.platform.nats.url, self.place.identity("admin"), "chaos")

    async def _link(self) -> None:
        for name in (*ONCE, *DELIVERERS):
            await self._add(f"{name} - nats", self._to_queue)
        for peer in ("auth", "spamfilter", "router"):
            await self._add(f"submission - {peer}", self._to(peer))
        await self._add("client - submission", self._to("smtps"))
        for name in DELIVERERS:
            await self._add(f"{name} - submission", self._to("submission"))
            port = await self.hosts.listen(name)
            at = addresses().values()
            await self._add(f"{name} - hosts", lambda address, port=port: [(address, port)], *at)

    async def _add(self, name: str, targets, *at: str) -> None:
        self.links[name] = Link(name, targets)
        await self.links[name].listen(*(at or ("127.0.0.1",)))

    def _to_queue(self, address: str) -> Sequence[Target]:
        return self.platform.nats.targets(address)

    def _to(self, name: str):
        return lambda _address: [("127.0.0.1", self.platform.ports[name])]
