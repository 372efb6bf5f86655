"""Which addresses count as one client: limits by address mean nothing to who owns a whole network of them."""

from ipaddress import AddressValueError, IPv4Address, IPv6Address


def network(address: str) -> str:
    """Return what one client is likely to own: an IPv4 address, or the /64 around an IPv6 address."""
    try:
        parsed = IPv6Address(address.partition("%")[0])
    except AddressValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"


def neighbourhood(address: str) -> str:
    """Return the /24 or /48 around an address: where a client that changes its address stays. "" for no address."""
    own = network(address)
    if own.endswith("/64"):
        return f"{IPv6Address(int(IPv6Address(own[:-3])) >> 80 << 80)}/48"
    try:
        return f"{IPv4Address(int(IPv4Address(own)) >> 8 << 8)}/24"
    except AddressValueError:
        return ""
