"""Which site a domain's mail belongs to, and which of its hosts may be tried. Pure."""

import ipaddress
import random
from hashlib import blake2b

from paquebot.dns.resolver import MxAnswer, MxKind
from paquebot.policy.route import Smarthost
from paquebot.policy.values import DEFAULT_DESTINATION, Policy

HOSTS_MAX = 10  # of one domain, per attempt

# IPv6 that carries an IPv4 address in its last 32 bits: IPv4-compatible, translated (RFC 2765), NAT64 (RFC 6052).
_BEARING = tuple(map(ipaddress.IPv6Network, ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96")))
# Local networks that `ipaddress` calls global: site-local (RFC 3879), local NAT64 (RFC 8215).
_INSIDE = tuple(map(ipaddress.IPv6Network, ("fec0::/10", "64:ff9b:1::/48")))


def site_of(domain: str, answer: MxAnswer | None, policy: Policy) -> tuple[str, str]:
    """Return (site, group): a DestinationPolicy's name, else the hash of the MX set, else the domain itself."""
    hosts = answer.names if answer is not None else ()
    destination = policy.destination(domain, hosts)
    if destination is not DEFAULT_DESTINATION:
        return destination.name, destination.name
    if answer is not None and answer.kind is MxKind.MX:
        joined = "\n".join(sorted(hosts))
        return f"mx-{blake2b(joined.encode(), digest_size=8).hexdigest()}", destination.name
    return domain, destination.name


def site_of_smarthost(smarthost: Smarthost, policy: Policy) -> tuple[str, str]:
    """Return (site, group) of a smarthost: a site of its own, in the group of the policy that matches its name."""
    return f"{smarthost.host}:{smarthost.port}", policy.destination(smarthost.host, (smarthost.host,)).name


def in_order(answer: MxAnswer, own: str, chance: random.Random) -> tuple[str, ...]:
    """Return the hosts to try: by preference, at random within one, ours and all worse dropped (RFC 5321 §5.1)."""
    ours = [preference for preference, name in answer.hosts if name == own]
    limit = min(ours, default=None)
    usable = [(preference, chance.random(), name) for preference, name in answer.hosts]
    if limit is not None:
        usable = [each for each in usable if each[0] < limit]
    return tuple(dict.fromkeys(name for _preference, _draw, name in sorted(usable)))[:HOSTS_MAX]


def refusal_of(address: str) -> str:
    """Return why an address must not be connected to, "" when it may: mail goes to public unicast addresses."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return f"{address} is not an address"
    if isinstance(parsed, ipaddress.IPv6Address):
        if any(parsed in inside for inside in _INSIDE):
            return f"{address} is not a public address"
        parsed = _embedded(parsed) or parsed
    if not parsed.is_global or parsed.is_multicast:
        return f"{address} is not a public address"
    return ""


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that is reached through this one, None when there is none."""
    if any(address in bearing for bearing in _BEARING):
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


def literal(domain: str) -> str:
    """Return the address of a domain literal `[192.0.2.1]` or `[IPv6:2001:db8::1]`, "" for a name (RFC 5321 §4.1.3)."""
    if not (domain.startswith("[") and domain.endswith("]")):
        return ""
    inner = domain[1:-1]
    return inner[5:] if inner.lower().startswith("ipv6:") else inner
