"""The Received field: RFC 5321 §4.4, in lines of at most 78 octets, telling nothing it should not."""

import email
from email import policy
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.envelope import Envelope
from paquebot.mail.principal import Principal
from paquebot.router.received import address_literal, received
from paquebot.wire.router import PlanRequest

_ID = "01993c6e-7b1a-7c3e-8d2f-0123456789ab"


def _request(
    name: str = "client.shop.example",
    address: str = "192.0.2.7",
    recipients: tuple[str, ...] = ("a@one.example",),
    protocol: str = "ESMTPSA",
) -> PlanRequest:
    return PlanRequest(
        id=_ID,
        principal=Principal("shop", "secretive"),
        envelope=Envelope("orders@shop.example", recipients),
        header_section=b"",
        body_hash=b"",
        size_bytes=0,
        accepted_ms=1_764_000_000_123,
        client_name=name,
        client_address=address,
        protocol=protocol,
    )


def _unfolded(field: bytes) -> str:
    return field.decode("ascii").replace("\r\n", "").removeprefix("Received: ")


def test_it_tells_client_host_protocol_id_recipient_and_time() -> None:
    field = received(_request(), "mx.mail.example")
    assert _unfolded(field) == (
        "from client.shop.example ([192.0.2.7]) by mx.mail.example with ESMTPSA"
        f" id {_ID} for <a@one.example>; Mon, 24 Nov 2025 16:00:00 +0000"
    )
    assert b"secretive" not in field


def test_its_lines_fit_and_it_is_one_field_to_a_reader() -> None:
    field = received(_request(), "mx.mail.example")
    assert field.endswith(b"\r\n")
    assert all(len(line) <= 78 for line in field.split(b"\r\n"))
    message = email.message_from_bytes(field + b"\r\n", policy=policy.SMTP)
    assert message.keys() == ["Received"]
    assert parsedate_to_datetime(message["Received"].rpartition(";")[2].strip()).timestamp() == 1_764_000_000


def test_recipients_do_not_learn_of_each_other() -> None:
    field = received(_request(recipients=("a@one.example", "b@one.example")), "mx.mail.example")
    assert b" for " not in field


def test_a_name_that_is_no_name_is_not_repeated() -> None:
    assert _unfolded(received(_request(name="x\r\nBcc: y"), "mx")).startswith("from [192.0.2.7] by mx ")


def test_what_came_over_no_network_has_no_from() -> None:
    assert _unfolded(received(_request(address="", protocol="GRPC"), "mx")).startswith("by mx with GRPC id ")


@pytest.mark.parametrize(
    ("address", "literal"),
    [
        ("192.0.2.1", "[192.0.2.1]"),
        ("2001:db8::1", "[IPv6:2001:db8::1]"),
        ("::ffff:192.0.2.1", "[192.0.2.1]"),
        ("fe80::1%eth0", "[IPv6:fe80::1]"),
    ],
)
def test_addresses_are_written_as_literals(address: str, literal: str) -> None:
    assert address_literal(address) == literal


@given(st.text(max_size=300), st.text(max_size=100))
def test_nothing_a_client_says_breaks_the_field(name: str, recipient: str) -> None:
    field = received(_request(name=name, recipients=(recipient + "@one.example",)), "mx.mail.example")
    lines = field.split(b"\r\n")
    assert lines[-1] == b""
    assert all(line.startswith(b" ") for line in lines[1:-1])
    assert field.count(b"\n") == field.count(b"\r") == len(lines) - 1
    assert field.isascii()
    assert max(map(len, lines)) <= 998
