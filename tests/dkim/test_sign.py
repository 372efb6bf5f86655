"""Signatures hold under an independent verifier (dkimpy) and cover what they must."""

import base64
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dkim
from paquebot.dkim import keys
from paquebot.dkim.sign import Signer, sign_all
from paquebot.mail.bodyhash import relaxed_body_hash

NOW_S = 1_790_000_000
HEADER = (
    b"From: Shop <news@shop.example>\r\nTo: ann@accept.test\r\nSubject: Your\r\n\torder\r\n"
    b"Date: Tue, 24 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@shop.example>\r\n"
)
PEMS = {algorithm: keys.generate(algorithm) for algorithm in keys.ALGORITHMS}
SIGNERS = tuple(Signer("shop.example", name.lower(), keys.load(pem)) for name, pem in PEMS.items())
RECORDS = {f"{name.lower()}._domainkey.shop.example.": keys.record(pem).encode() for name, pem in PEMS.items()}

WORDS = st.sampled_from(["a", "Grüße", " ", "  ", "\t", "\r\n ", "\r\n\t ", ":", "=", ";", "<x@y.test>"])
VALUES = st.lists(WORDS, max_size=12).map("".join)
NAMES = st.sampled_from(["To", "to", "Cc", "Subject", "SUBJECT", "References", "Content-Type", "X-Other"])
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=8)
BODIES = st.lists(st.sampled_from([b"x", b" ", b"\t", b"\r\n", "ß".encode()]), max_size=20).map(b"".join)


def txt(name: bytes, timeout: int = 5) -> bytes | None:
    assert timeout
    return RECORDS.get(name.decode())


def signed(header: bytes, body: bytes, signers: Sequence[Signer] = SIGNERS) -> bytes:
    return sign_all(signers, header, relaxed_body_hash(body), NOW_S) + header + b"\r\n" + body


def verified(message: bytes) -> list[bool]:
    return [dkim.DKIM(message).verify(position, dnsfunc=txt) for position in range(len(SIGNERS))]


def tags(field: bytes) -> dict[str, str]:
    value = field.decode().partition(":")[2].replace("\r\n ", "")
    return {name.strip(): rest for name, _, rest in (tag.partition("=") for tag in value.strip().split(";"))}


def test_both_algorithms_verify() -> None:
    assert verified(signed(HEADER, b"Hello  \r\n\r\n\r\n")) == [True, True]


@settings(max_examples=60, deadline=None)
@given(fields=FIELDS, body=BODIES)
def test_odd_headers_verify(fields: list[tuple[str, str]], body: bytes) -> None:
    odd = "".join(f"{name}:{value}\r\n" for name, value in fields).encode()
    assert verified(signed(b"From: news@shop.example\r\n" + odd, body)) == [True, True]


@pytest.mark.parametrize("name", [b"From", b"To", b"Subject", b"Content-Type", b"Reply-To", b"MIME-Version"])
def test_adding_another_covered_field_breaks_both_signatures(name: bytes) -> None:
    message = signed(HEADER, b"Hello\r\n")
    assert verified(name + b": forged@x.test\r\n" + message) == [False, False]
    assert verified(message.replace(b"\r\n\r\n", b"\r\n" + name + b": forged\r\n\r\n", 1)) == [False, False]


def test_a_changed_body_breaks_both_signatures() -> None:
    message = signed(HEADER, b"Hello\r\n")
    with pytest.raises(dkim.ValidationError, match="body hash mismatch"):
        verified(message + b"appended\r\n")


def test_no_length_tag_and_the_time_of_signing_are_in_each_field() -> None:
    for signer in SIGNERS:
        field = signer.sign(HEADER, relaxed_body_hash(b""), NOW_S)
        found = tags(field)
        assert "l" not in found
        assert found["t"] == str(NOW_S)
        assert found["c"] == "relaxed/relaxed"
        assert base64.b64decode(found["bh"]) == relaxed_body_hash(b"")


def test_every_line_keeps_to_78_columns_and_folds_with_a_space() -> None:
    field = sign_all(SIGNERS, HEADER, relaxed_body_hash(b""), NOW_S)
    lines = field.split(b"\r\n")
    assert lines.pop() == b""
    assert max(len(line) for line in lines) <= 78
    assert all(line.startswith((b" ", b"DKIM-Signature: ")) for line in lines)


def test_a_long_domain_and_selector_stand_on_lines_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    domain, selector = ".".join(["label" * 5] * 4 + ["example"]), "selector" * 7
    signer = Signer(domain, selector, keys.load(PEMS["Ed25519"]))
    monkeypatch.setitem(RECORDS, f"{selector}._domainkey.{domain}.", keys.record(PEMS["Ed25519"]).encode())
    message = signed(HEADER, b"Hello\r\n", [signer])
    assert f"\r\n d={domain};\r\n s={selector};".encode() in message
    assert dkim.DKIM(message).verify(0, dnsfunc=txt)


def test_without_signers_there_is_no_field() -> None:
    assert sign_all((), HEADER, relaxed_body_hash(b""), NOW_S) == b""


def test_a_signer_tells_its_name_and_nothing_of_its_key() -> None:
    assert repr(SIGNERS[0]) == "<Signer rsa2048._domainkey.shop.example RSA2048>"
