"""Which addresses count as one client: limits by address mean nothing to who owns a whole network of them."""

from ipaddress import AddressValueError, IPv6Address


def network(address: str) -> str:
    """Return what one client is likely to own: an IPv4 address, or the /64 around an IPv6 address."""
    try:
        parsed = IPv6Address(address.partition("%")[0])
    except AddressValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"
