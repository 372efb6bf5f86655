"""A small internet on loopback: its domains, their MX hosts, and everything they have received."""

import asyncio
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from paquebot.mail.reply import Reply
from paquebot.runtime.settings import Address
from paquebot.sandbox.certificate import self_signed_context
from paquebot.sandbox.dnsserver import DnsServer
from paquebot.sandbox.manner import Manner
from paquebot.sandbox.mxhost import MxHost, Received
from paquebot.sandbox.zone import Record, Zone

LOOPBACK = "127.0.0.1"
PORT_TRIES_MAX = 20
OWN_HOST = "mx.own.test"

DOMAINS: dict[str, str] = {
    "accept.test": "accepts, with STARTTLS",
    "plain.test": "accepts, without STARTTLS",
    "implicit.test": "accepts; has no MX record but an address",
    "greylist.test": "greylists: 451 at first, accepts seconds later",
    "throttle.test": "answers 421 after some messages in a connection or a second",
    "refuse.test": "refuses users whose name begins with `unknown`: 550",
    "full.test": "defers everybody: 452, mailbox full",
    "spam.test": "refuses every content: 554",
    "firstdead.test": "the first MX is dead, the second accepts",
    "dead.test": "the only MX is dead",
    "nullmx.test": "receives no mail at all: null MX",
    "servfail.test": "its DNS is broken: SERVFAIL",
    "nxdomain.test": "does not exist",
}
# What the demo sends to, with weights: every fate that mail can have, most of it good.
DEMO_RECIPIENTS: tuple[tuple[str, int], ...] = (
    ("accept.test", 40),
    ("plain.test", 15),
    ("implicit.test", 5),
    ("greylist.test", 10),
    ("throttle.test", 8),
    ("refuse.test", 8),
    ("firstdead.test", 8),
    ("full.test", 2),
    ("nullmx.test", 2),
    ("nxdomain.test", 2),
)
_DEAD = "127.0.0.99"  # nobody listens there


@dataclass(frozen=True, slots=True)
class Manners:
    """The numbers that manners turn on."""

    greylist_s: float = 5.0
    messages_per_connection_max: int = 20
    messages_per_second_max: int = 50


class Internet:
    """DNS and MX hosts. `own_domains` are received for too, so that reports come home.

    Port 0 takes any. `txt_of` gives TXT records, as of DKIM keys, at each query. What is received is
    kept in memory, in order, and written to `folder` if there is one, a file each. `more_records` tell
    of hosts that are somebody else's.
    """

    def __init__(  # noqa: PLR0913  (all by name, each with its default)
        self,
        *,
        dns_port: int = 0,
        mx_port: int = 0,
        own_domains: tuple[str, ...] = (),
        txt_of: Callable[[], Mapping[str, str]] | None = None,
        manners: Manners | None = None,
        tls: ssl.SSLContext | None = None,
        folder: Path | None = None,
        more_records: tuple[Record, ...] = (),
    ) -> None:
        self.received: list[Received] = []
        self.mx_port = mx_port
        self._arrived = asyncio.Event()
        self._published: dict[str, str] = {}
        self._txt_of = txt_of
        self._tls = tls
        self._folder = folder
        self._hosts = _hosts(manners or Manners(), own_domains, self._keep)
        zone = Zone((*_records(self._hosts.values()), *more_records), self._texts, frozenset({"servfail.test"}))
        self._dns = DnsServer(zone, LOOPBACK, dns_port)

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

    def publish_txt(self, name: str, value: str) -> None:
        """Add a TXT record, or replace it."""
        self._published[name] = value

    async def start(self) -> None:
        """Listen. Raises OSError when a port is taken."""
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
        if self._tls is None:
            self._tls = self_signed_context(tuple(self._hosts))
        await self._dns.start()
        wanted_port = self.mx_port
        for tries_left in reversed(range(PORT_TRIES_MAX)):
            try:
                await self._start_hosts(wanted_port, self._tls)
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

    async def _start_hosts(self, port: int, tls: ssl.SSLContext) -> None:
        """Listen on one port of several addresses."""
        for host in self._hosts.values():
            port = await host.start(port, tls)
        self.mx_port = port

    async def _stop_hosts(self) -> None:
        for host in self._hosts.values():
            await host.stop()

    def _texts(self) -> Mapping[str, str]:
        asked = self._txt_of() if self._txt_of is not None else {}
        return {**asked, **self._published}

    def _keep(self, received: Received) -> None:
        self.received.append(received)
        self._arrived.set()
        if self._folder is not None:
            path = self._folder / f"{len(self.received):06d}-{received.host}.eml"
            path.write_bytes(_delivery_fields(received) + received.content)


def _delivery_fields(received: Received) -> bytes:
    """Write the envelope as a final delivery does (RFC 5321 §4.4): the content follows untouched."""
    envelope = received.envelope
    lines = [f"Return-Path: <{envelope.reverse_path}>"]
    lines += [f"Delivered-To: {recipient}" for recipient in envelope.recipients]
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def _hosts(numbers: Manners, own_domains: tuple[str, ...], keep: Callable[[Received], None]) -> dict[str, MxHost]:
    """Return the hosts that live, each on a loopback address of its own."""
    kind = Manner()
    throttled = replace(
        kind,
        messages_per_connection_max=numbers.messages_per_connection_max,
        messages_per_second_max=numbers.messages_per_second_max,
    )
    full = Reply(452, "4.2.2", "Mailbox full")
    manners = {
        "accept.test": kind,
        "plain.test": replace(kind, starttls=False),
        "implicit.test": kind,
        "greylist.test": replace(kind, greylist_s=numbers.greylist_s),
        "throttle.test": throttled,
        "refuse.test": replace(kind, refused_prefix="unknown"),
        "full.test": replace(kind, recipient_reply=full),
        "spam.test": replace(kind, content_reply=Reply(554, "5.7.1", "We do not like the content")),
        "firstdead.test": kind,
    }
    hosts = {
        _host_of(domain): MxHost(_host_of(domain), f"127.0.0.{number}", frozenset({domain}), manner, keep)
        for number, (domain, manner) in enumerate(manners.items(), 11)
    }
    own = frozenset(domain for domain in own_domains if domain not in DOMAINS)
    hosts[OWN_HOST] = MxHost(OWN_HOST, "127.0.0.10", own, kind, keep)
    return hosts


def _host_of(domain: str) -> str:
    return domain if domain == "implicit.test" else f"mx.{domain}"


def _records(hosts: Iterable[MxHost]) -> Iterator[Record]:
    """Say where everybody is."""
    for host in hosts:
        yield Record(host.name, "A", host.address)
        for domain in host.domains - {host.name}:
            yield Record(domain, "MX", f"20 {host.name}.")
    for domain in ("firstdead.test", "dead.test"):
        yield Record(domain, "MX", f"10 dead.{domain}.")
        yield Record(f"dead.{domain}", "A", _DEAD)
    yield Record("nullmx.test", "MX", "0 .")  # RFC 7505
