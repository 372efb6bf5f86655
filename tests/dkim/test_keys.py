"""Keys are made, loaded and published as verifiers expect."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
)

from paquebot.dkim import keys


def pem_of(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, encryption: KeySerializationEncryption | None = None
) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def test_an_ed25519_record_holds_the_32_octets_themselves() -> None:
    record = keys.record(keys.generate("Ed25519"))
    opening, _, p = record.partition("p=")
    assert opening == "v=DKIM1; k=ed25519; "
    assert len(base64.b64decode(p)) == 32


def test_an_rsa_record_holds_a_public_key_of_2048_bits() -> None:
    record = keys.record(keys.generate("RSA2048"))
    opening, _, p = record.partition("p=")
    assert opening == "v=DKIM1; k=rsa; "
    public = load_der_public_key(base64.b64decode(p))
    assert isinstance(public, rsa.RSAPublicKey)
    assert public.key_size == 2048


def test_a_record_is_cut_into_strings_of_at_most_255_octets() -> None:
    record = keys.record(keys.generate("RSA2048"))
    pieces = keys.record_strings(record)
    assert "".join(pieces) == record
    assert [len(piece) for piece in pieces[:-1]] == [255]


def test_an_rsa_key_below_2048_bits_is_refused() -> None:
    weak = pem_of(rsa.generate_private_key(public_exponent=65_537, key_size=1024))  # noqa: S505  (the claim)
    with pytest.raises(keys.KeyRefused, match="1024 bits"):
        keys.load(weak)


def test_an_elliptic_key_of_another_kind_is_refused() -> None:
    with pytest.raises(keys.KeyRefused, match="neither an RSA nor an Ed25519"):
        keys.load(pem_of(ec.generate_private_key(ec.SECP256R1())))


def test_an_encrypted_key_and_garbage_are_refused_without_being_quoted() -> None:
    encrypted = pem_of(ec.generate_private_key(ec.SECP256R1()), BestAvailableEncryption(b"secret"))
    for pem in (encrypted, b"-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----\n", b""):
        with pytest.raises(keys.KeyRefused, match="not an unencrypted private key in PEM") as refused:
            keys.load(pem)
        assert refused.value.__cause__ is None


def test_an_unknown_algorithm_names_those_that_are_known() -> None:
    with pytest.raises(keys.KeyRefused, match="RSA2048, Ed25519"):
        keys.generate("DSA")
