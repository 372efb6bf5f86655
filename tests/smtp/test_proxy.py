import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paquebot.smtp.proxy import SIGNATURE, V1_MAX_BYTES, V2_MAX_BYTES, ProxyFault, client_of, missing

V4 = ipaddress.ip_address("192.0.2.7").packed + ipaddress.ip_address("192.0.2.8").packed + b"\0\1\0\2"
V6 = ipaddress.ip_address("2001:db8::7").packed + ipaddress.ip_address("2001:db8::8").packed + b"\0\1\0\2"
TLV = b"\x04\0\x03abc"


def v2(command: int, family: int, rest: bytes) -> bytes:
    return SIGNATURE + bytes([command, family]) + len(rest).to_bytes(2) + rest


GOOD = [
    (b"PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\n", "192.0.2.7"),
    (b"PROXY TCP6 2001:db8::7 2001:db8::8 65535 25\r\n", "2001:db8::7"),
    (b"PROXY UNKNOWN\r\n", ""),
    (b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", ""),
    (v2(0x21, 0x11, V4), "192.0.2.7"),
    (v2(0x21, 0x11, V4 + TLV * 100), "192.0.2.7"),
    (v2(0x21, 0x21, V6), "2001:db8::7"),
    (v2(0x21, 0x00, b""), ""),
    (v2(0x20, 0x00, b""), ""),  # LOCAL: a health check
    (v2(0x20, 0x11, V4), ""),
]


def read(stream: bytes) -> tuple[bytes, bytes]:
    """Read as a door does; return the header and what was left."""
    octets = b""
    while wanted := missing(octets):
        piece = stream[len(octets) : len(octets) + wanted]
        if not piece:
            raise EOFError
        octets += piece
    return octets, stream[len(octets) :]


@pytest.mark.parametrize(("header", "address"), GOOD)
def test_a_header_tells_the_client_and_nothing_behind_it_is_read(header: bytes, address: str) -> None:
    octets, rest = read(header + b"\x16\x03\x01 EHLO\r\n")
    assert (octets, rest) == (header, b"\x16\x03\x01 EHLO\r\n")
    assert client_of(octets) == address


@pytest.mark.parametrize(
    "stream",
    [
        b"EHLO c.test\r\n",
        b"\x16\x03\x01",
        b"PROXY TCP4 192.0.2.7\nEHLO\r\n",
        b"PROXY " + b"x" * V1_MAX_BYTES,
        b"PROXY TCP4 192.0.2.7 192.0.2.8 1 2 \r\n",
        b"PROXY TCP4 2001:db8::7 2001:db8::8 1 2\r\n",
        b"PROXY TCP6 192.0.2.7 192.0.2.8 1 2\r\n",
        b"PROXY TCP4 192.0.2.7 192.0.2.8 1 65536\r\n",
        b"PROXY TCP4 name.test 192.0.2.8 1 2\r\n",
        b"PROXY UDP4 192.0.2.7 192.0.2.8 1 2\r\n",
        b"proxy TCP4 192.0.2.7 192.0.2.8 1 2\r\n",
        v2(0x11, 0x11, V4),
        v2(0x22, 0x11, V4),
        v2(0x21, 0x12, V4),
        v2(0x21, 0x31, b"x" * 216),
        v2(0x21, 0x21, V4),
        v2(0x21, 0x11, V4[:11]),
        v2(0x21, 0x11, b"x" * (V2_MAX_BYTES + 1)),
    ],
)
def test_what_is_no_header_is_a_fault(stream: bytes) -> None:
    with pytest.raises(ProxyFault):
        client_of(read(stream)[0])


@settings(deadline=None)
@given(
    st.sampled_from([header for header, _ in GOOD]), st.integers(0, 40), st.binary(max_size=4), st.binary(max_size=9)
)
def test_any_octets_are_a_header_or_a_fault_or_not_whole(header: bytes, at: int, changed: bytes, more: bytes) -> None:
    stream = header[:at] + changed + header[at + len(changed) :] + more
    try:
        address = client_of(read(stream)[0])
    except (ProxyFault, EOFError):
        return
    assert not address or ipaddress.ip_address(address)
