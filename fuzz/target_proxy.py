"""PROXY headers: an address, a fault, or more octets are wanted; never more than belong to the header."""

import ipaddress

from paquebot.smtp.proxy import V2_MAX_BYTES, ProxyFault, client_of, missing


def target(octets: bytes) -> None:
    """Read as a door does."""
    header = b""
    try:
        while (wanted := missing(header)) and len(header) < len(octets):
            header += octets[len(header) : len(header) + wanted]
        address = "" if wanted else client_of(header)
    except ProxyFault:
        return
    assert len(header) <= V2_MAX_BYTES + 16
    assert not address or ipaddress.ip_address(address)
