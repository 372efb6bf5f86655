"""Where a delivery goes by today's policy and DNS: the site that limits it, and the way to its hosts."""

from dataclasses import dataclass, replace
from typing import Final

from paquebot.deliverer.logins import Logins
from paquebot.deliverer.opening import Way
from paquebot.deliverer.touch import MOVED, RESLOTTED
from paquebot.dns.resolver import MxAnswer, MxKind, Resolver
from paquebot.dns.sites import literal, site_of, site_of_smarthost
from paquebot.mail.delivery import Delivery
from paquebot.mail.outcome import Outcome, of_login
from paquebot.policy.route import Smarthost, SmarthostTLS, TransportRoute
from paquebot.policy.values import DEFAULT_DESTINATION, DestinationPolicy, Policy, TLSMinimum
from paquebot.queue.subjects import partition_of, slot_of

TLS_OF_SMARTHOST: Final = {
    SmarthostTLS.OPPORTUNISTIC: TLSMinimum.OPPORTUNISTIC,
    SmarthostTLS.REQUIRE_UNVERIFIED: TLSMinimum.ENCRYPTED,
    SmarthostTLS.REQUIRE: TLSMinimum.VERIFIED,
}


@dataclass(frozen=True, slots=True)
class Bearings:
    """What is known now. `port` is where MX hosts listen."""

    policy: Policy
    resolver: Resolver
    port: int

    def destination(self, group: str) -> DestinationPolicy:
        """Return the limits of a group."""
        return self.policy.destinations.get(group, DEFAULT_DESTINATION)

    def hosts(self, delivery: Delivery) -> tuple[str, ...] | None:
        """Return the MX hosts of the recipients' domain, None when they are not known just now."""
        answer = self.resolver.cached_mx(delivery.domain)
        return None if answer is None or answer.kind is MxKind.UNKNOWN else answer.names

    async def look_up(self, delivery: Delivery) -> bool:
        """Have the MX hosts known if some route asks for them; say whether one may speak only now."""
        if not self.policy.routes.asks_hosts or literal(delivery.domain) or self.hosts(delivery) is not None:
            return False
        await self.resolver.mx(delivery.domain)
        return True

    def moved(self, delivery: Delivery, now_ms: int) -> Delivery | None:
        """Return the delivery under its site of today, when that lies in another partition.

        Once between two attempts: where deliverers remember different answers, it would go round in a circle.
        """
        if delivery.reason.endswith((MOVED, RESLOTTED)):
            return None
        name, group = delivery.site, delivery.group
        answer: MxAnswer | None = self.resolver.cached_mx(delivery.domain)
        found = self._smarthost(delivery.route)
        if found is not None:
            name, group = site_of_smarthost(found[1], self.policy)
        elif answer is not None and answer.hosts:
            name, group = site_of(delivery.domain, answer, self.policy)
        partition = self._partition(delivery, name, group)
        if partition == delivery.partition:
            return None
        why = RESLOTTED if name == delivery.site else MOVED
        reason = f"{delivery.reason}; {why}" if delivery.reason else why  # "in doubt" stays in front
        return replace(delivery, site=name, group=group, partition=partition, next_ms=now_ms, reason=reason)

    def rerouted(self, delivery: Delivery, place: str) -> Delivery:
        """Return the delivery under the site of a route's smarthost, or of its domain when `place` is ""."""
        found = self._smarthost(place)
        if found is not None:
            site, group = site_of_smarthost(found[1], self.policy)
        else:
            site, group = site_of(delivery.domain, self.resolver.cached_mx(delivery.domain), self.policy)
        partition = self._partition(delivery, site, group)
        return replace(delivery, route=place, site=site, group=group, partition=partition)

    async def way(self, delivery: Delivery, helo_hostname: str, logins: Logins) -> Way | Outcome:
        """Return how to reach who takes the delivery, or why nobody can be reached."""
        found = self._smarthost(delivery.route)
        if found is None:
            limits = await self._of_domain(delivery)
            return Way(self.port, helo_hostname, limits.tls_minimum, limits.allow_private)
        route, smarthost = found
        way = Way(
            smarthost.port,
            helo_hostname,
            TLS_OF_SMARTHOST[smarthost.tls],
            allow_private=route.trusted,  # the platform means what it names; a tenant must not reach inside
            smarthost=_host(smarthost.host),
        )
        if not smarthost.secret:
            return way
        login = logins.read(smarthost.secret)
        return of_login(f"{smarthost.host}: {login}") if isinstance(login, str) else replace(way, login=login)

    def _partition(self, delivery: Delivery, site: str, group: str) -> int:
        return partition_of(site, slot_of(delivery.name, self.destination(group).slots))

    def _smarthost(self, place: str) -> tuple[TransportRoute, Smarthost] | None:
        route = self.policy.routes.by_place.get(place)
        return (route, route.action) if route is not None and isinstance(route.action, Smarthost) else None

    async def _of_domain(self, delivery: Delivery) -> DestinationPolicy:
        """Return what holds for the domain: TLS and addresses are its own, pace and connections the site's."""
        hosts = () if literal(delivery.domain) else (await self.resolver.mx(delivery.domain)).names
        own = self.policy.destination(delivery.domain, hosts)
        return self.destination(delivery.group) if own is DEFAULT_DESTINATION else own


def _host(name: str) -> str:
    """Return a host as SMTP names it: an address as a literal (RFC 5321 §4.1.3)."""
    if ":" in name:
        return f"[IPv6:{name}]"
    return f"[{name}]" if name.rpartition(".")[2].isdigit() else name
