"""The header by which a load balancer tells whose connection it passes on: PROXY protocol, versions 1 and 2.

No I/O: `missing` says how much more may be read so that nothing of what follows is, `client_of` who it is.
"""

import ipaddress
import re

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"  # of version 2
V1_MAX_BYTES = 107
V2_MAX_BYTES = 4_096  # behind the first 16 octets: addresses and TLVs, which are passed over

_FIRST = len(SIGNATURE)  # version 1 has 15 octets at least
_FIXED = 16
_V1 = re.compile(rb"PROXY (?:UNKNOWN(?: [ -~]*)?|(TCP4|TCP6) ([!-~]+) ([!-~]+) (\d{1,5}) (\d{1,5}))\r\n")
_VERSIONS = {b"TCP4": 4, b"TCP6": 6}
_ADDRESSES = {0x11: (4, 12), 0x21: (16, 36)}  # octets of an address, of the whole block: TCP over IPv4, IPv6
_LOCAL, _PROXY = 0x20, 0x21  # version 2 and its commands
_PORT_MAX = 65_535


class ProxyFault(Exception):  # noqa: N818  (the peer's fault)
    """This is no PROXY header, or none that can be used."""


def missing(octets: bytes) -> int:
    """Return how many more octets belong to the header for certain; 0: it is whole. Raises ProxyFault."""
    begun = octets[:_FIRST]
    if begun != SIGNATURE[: len(begun)] and begun[:6] != b"PROXY "[: len(begun)]:
        raise ProxyFault("no PROXY header")
    if len(octets) < _FIRST:
        return _FIRST - len(octets)
    return _missing_v2(octets) if begun == SIGNATURE else _missing_v1(octets)


def client_of(octets: bytes) -> str:
    """Return the client's address by a whole header; "": the connection is the peer's own. Raises ProxyFault."""
    return _client_v2(octets) if octets.startswith(SIGNATURE) else _client_v1(octets)


def _missing_v1(octets: bytes) -> int:
    if octets.endswith(b"\r\n"):
        return 0
    if len(octets) >= V1_MAX_BYTES or b"\n" in octets:
        raise ProxyFault("a PROXY line that does not end")
    return 1 if octets.endswith(b"\r") else 2


def _missing_v2(octets: bytes) -> int:
    if len(octets) < _FIXED:
        return _FIXED - len(octets)
    length = int.from_bytes(octets[14:16])
    if length > V2_MAX_BYTES:
        raise ProxyFault(f"a PROXY header of {length} octets")
    return _FIXED + length - len(octets)


def _client_v1(octets: bytes) -> str:
    match = _V1.fullmatch(octets)
    if match is None:
        raise ProxyFault("a PROXY line that cannot be read")
    family, source, destination, *ports = match.groups()
    if family is None:
        return ""
    try:
        both = [ipaddress.ip_address(address.decode()) for address in (source, destination)]
    except ValueError as fault:
        raise ProxyFault("a PROXY line without addresses") from fault
    if {each.version for each in both} != {_VERSIONS[family]} or max(map(int, ports)) > _PORT_MAX:
        raise ProxyFault("a PROXY line with impossible addresses or ports")
    return str(both[0])


def _client_v2(octets: bytes) -> str:
    command, family = octets[12], octets[13]
    if command not in {_LOCAL, _PROXY}:
        raise ProxyFault("a PROXY header of another version or with an unknown command")
    if command == _LOCAL or family == 0:  # a health check; or a connection that has no addresses
        return ""
    if family not in _ADDRESSES:
        raise ProxyFault("a PROXY header about something that is not TCP")
    size, block = _ADDRESSES[family]
    if len(octets) < _FIXED + block:
        raise ProxyFault("a PROXY header too short for its addresses")
    return str(ipaddress.ip_address(octets[_FIXED : _FIXED + size]))
