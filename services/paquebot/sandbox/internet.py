"""A small internet on loopback: its domains, their MX hosts, and everything they have received."""

import asyncio
import random
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from paquebot.runtime.settings import Address
from paquebot.sandbox.cast import (
    DEMO_RECIPIENTS,
    DOMAINS,
    Cast,
    Dns,
    Domain,
    Host,
    Manners,
    Reach,
    built_in,
)
from paquebot.sandbox.certificate import expired_context, self_signed_context
from paquebot.sandbox.dnsserver import DnsServer
from paquebot.sandbox.inbox import Inbox
from paquebot.sandbox.manner import Certificate, Manner
from paquebot.sandbox.mxhost import MxHost, Received
from paquebot.sandbox.zone import Record, Zone

__all__ = ["DEMO_RECIPIENTS", "DOMAINS", "Internet", "Manners"]

LOOPBACK = "127.0.0.1"
PORT_TRIES_MAX = 20
RECEIVED_MAX = 500_000  # in memory; the older half goes
OWN_HOST = "mx.own.test"
_OWN_ADDRESS = "127.0.0.10"
_DEAD = "127.0.0.99"  # nobody listens there
_FIRST = 11  # the last octet of the first host's address
_A_NET = 200  # hosts whose addresses share three octets


class Internet:
    """DNS and MX hosts. `own_domains` are received for too, so that reports come home.

    Port 0 takes any. `txt_of` gives TXT records, as of DKIM keys, at each query. What is received is
    kept in memory, in order, and written to `folder` if there is one, a file each; `on_received` hears of it.
    `more_records` tell of hosts that are somebody else's; `scripted` live here beside the built-in ones.
    """

    def __init__(  # noqa: PLR0913  (all by name, each with its default)
        self,
        *,
        dns_port: int = 0,
        mx_port: int = 0,
        own_domains: tuple[str, ...] = (),
        txt_of: Callable[[], Mapping[str, str]] | None = None,
        manners: Manners | None = None,
        scripted: Cast | None = None,
        tls: ssl.SSLContext | None = None,
        folder: Path | None = None,
        more_records: tuple[Record, ...] = (),
        on_received: Callable[[Received], None] = lambda _received: None,
    ) -> None:
        self.received: list[Received] = []
        self.mx_port = mx_port
        self.cast = built_in(manners).joined(scripted or Cast())
        self._arrived = asyncio.Event()
        self._published: dict[str, str] = {}
        self._txt_of = txt_of
        self._tls = tls
        self._inbox = Inbox(folder) if folder is not None else None
        self._on_received = on_received
        self._hosts = _hosts(self.cast, own_domains, self._keep)
        records = (*_records(self.cast, self._hosts), *more_records)
        failing = frozenset(domain.name for domain in self.cast.domains if domain.dns is Dns.FAILS)
        self._zone = Zone(records, self._texts, failing)
        self._dns = DnsServer(self._zone, LOOPBACK, dns_port)

    def __iter__(self) -> Iterator[Received]:
        return iter(tuple(self.received))

    @property
    def resolver_address(self) -> Address:
        """Where the DNS server listens, once started."""
        return Address(LOOPBACK, self._dns.port)

    @property
    def hosts(self) -> Mapping[str, MxHost]:
        """The MX hosts by name."""
        return self._hosts

    @property
    def abouts(self) -> dict[str, str]:
        """What each domain is like."""
        return {domain.name: domain.about for domain in self.cast.domains}

    def receive_for(self, own_domains: Iterable[str]) -> None:
        """Receive for these domains of our own too, from now on."""
        own = self._hosts[OWN_HOST]
        known = own.domains | {domain.name for domain in self.cast.domains}
        for domain in sorted(set(own_domains) - known):
            own.domains |= {domain}
            self._zone.add(_own_record(domain))

    def publish_txt(self, name: str, value: str) -> None:
        """Add a TXT record, or replace it."""
        self._published[name] = value

    async def start(self) -> None:
        """Listen. Raises OSError when a port is taken."""
        if self._inbox is not None:
            self._inbox.empty()
        await self._dns.start()
        contexts = self._contexts()
        wanted_port = self.mx_port
        for tries_left in reversed(range(PORT_TRIES_MAX)):
            try:
                await self._start_hosts(wanted_port, contexts)
            except OSError:
                await self._stop_hosts()
                if wanted_port or not tries_left:
                    await self._dns.stop()
                    raise
            else:
                return

    async def stop(self) -> None:
        """Cut everything."""
        await self._stop_hosts()
        await self._dns.stop()

    async def wait_for(self, count: int, timeout_s: float) -> None:
        """Wait until at least `count` transactions were received. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while len(self.received) < count:
                self._arrived.clear()
                await self._arrived.wait()

    def _contexts(self) -> dict[Certificate, ssl.SSLContext]:
        names = tuple(self._hosts)
        return {
            Certificate.SELF_SIGNED: self._tls or self_signed_context(names),
            Certificate.EXPIRED: expired_context(names),
        }

    async def _start_hosts(self, port: int, contexts: Mapping[Certificate, ssl.SSLContext]) -> None:
        """Listen on one port of several addresses."""
        for host in self._hosts.values():
            port = await host.start(port, contexts[host.manner.certificate])
        self.mx_port = port

    async def _stop_hosts(self) -> None:
        for host in self._hosts.values():
            await host.stop()

    def _texts(self) -> Mapping[str, str]:
        asked = self._txt_of() if self._txt_of is not None else {}
        return {**asked, **self._published}

    def _keep(self, received: Received) -> None:
        self.received.append(received)
        if len(self.received) > RECEIVED_MAX:
            del self.received[: RECEIVED_MAX // 2]
        self._arrived.set()
        if self._inbox is not None:
            self._inbox.keep(received)
        self._on_received(received)


def _hosts(cast: Cast, own_domains: tuple[str, ...], keep: Callable[[Received], None]) -> dict[str, MxHost]:
    """Return the hosts that live, each on a loopback address of its own."""
    taken = {domain.name for domain in cast.domains}
    own = frozenset(domain for domain in own_domains if domain not in taken)
    hosts = {OWN_HOST: MxHost(OWN_HOST, _OWN_ADDRESS, own, Manner(), keep)}
    alive = [host for host in cast.hosts if host.reach is not Reach.NOT]
    for number, host in enumerate(alive):
        chance = random.Random(f"{cast.seed} {host.name}")  # noqa: S311  (the same each time)
        address = "::1" if host.reach is Reach.IPV6 else f"127.0.{number // _A_NET}.{_FIRST + number % _A_NET}"
        hosts[host.name] = MxHost(host.name, address, _domains_of(host, cast.domains), host.manner, keep, chance)
    return hosts


def _domains_of(host: Host, domains: Iterable[Domain]) -> frozenset[str]:
    """Return what a host receives for."""
    named = {domain.name for domain in domains if host.name in {name for _preference, name in domain.mx}}
    return frozenset(
        named | {domain.name for domain in domains if domain.dns is Dns.IMPLICIT and domain.name == host.name}
    )


def _own_record(domain: str) -> Record:
    return Record(domain, "MX", f"20 {OWN_HOST}.")


def _records(cast: Cast, alive: Mapping[str, MxHost]) -> Iterator[Record]:
    """Say where everybody is."""
    for host in alive.values():
        yield Record(host.name, "AAAA" if ":" in host.address else "A", host.address)
    for own in alive[OWN_HOST].domains:
        yield _own_record(own)
    for scripted in cast.hosts:
        if scripted.reach is Reach.NOT:
            yield Record(scripted.name, "A", _DEAD)
    for domain in cast.domains:
        if domain.dns is Dns.NULL:
            yield Record(domain.name, "MX", "0 .")  # RFC 7505
        elif domain.dns is Dns.NO_DATA:
            yield Record(domain.name, "TXT", '"no mail here"')
        for preference, name in domain.mx:
            yield Record(domain.name, "MX", f"{preference} {name}.")
