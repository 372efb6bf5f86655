"""DKIM keys: made, loaded, and written as the DNS record that publishes them."""

import base64
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

RSA: Final = "RSA2048"
ED25519: Final = "Ed25519"
ALGORITHMS: Final = (RSA, ED25519)
RSA_BITS_MIN: Final = 2048  # RFC 8301 §3.2: signers use at least 2048

_STRING_BYTES_MAX: Final = 255  # of one character-string in a TXT record, RFC 1035 §3.3

PrivateKey = RSAPrivateKey | Ed25519PrivateKey


class KeyRefused(ValueError):  # noqa: N818  (an answer, not an error of ours)
    """These octets are no key we sign with. The text says why and never holds a part of the key."""


def generate(algorithm: str) -> bytes:
    """Return a new key as unencrypted PKCS#8 PEM. Raises KeyRefused for an algorithm not in ALGORITHMS."""
    key: PrivateKey
    if algorithm == RSA:
        key = generate_private_key(public_exponent=65_537, key_size=RSA_BITS_MIN)
    elif algorithm == ED25519:
        key = Ed25519PrivateKey.generate()
    else:
        raise KeyRefused(f"unknown algorithm {algorithm!r}; known are {', '.join(ALGORITHMS)}")
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def load(pem: bytes) -> PrivateKey:
    """Return the key in an unencrypted PEM. Raises KeyRefused."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyRefused("not an unencrypted private key in PEM") from None
    if isinstance(key, Ed25519PrivateKey):
        return key
    if not isinstance(key, RSAPrivateKey):
        raise KeyRefused("neither an RSA nor an Ed25519 key")
    if key.key_size < RSA_BITS_MIN:
        raise KeyRefused(f"an RSA key of {key.key_size} bits; at least {RSA_BITS_MIN} are needed")
    return key


def record(pem: bytes) -> str:
    """Return the value of the TXT record that publishes the key (RFC 6376 §3.6.1). Raises KeyRefused."""
    key = load(pem)
    if isinstance(key, Ed25519PrivateKey):
        # RFC 8463 §4: the 32 octets themselves, not a SubjectPublicKeyInfo.
        kind, public = "ed25519", key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    else:
        kind = "rsa"
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k={kind}; p={base64.b64encode(public).decode()}"


def record_strings(value: str) -> tuple[str, ...]:
    """Cut the value of a TXT record into pieces that each fit a character-string."""
    return tuple(value[at : at + _STRING_BYTES_MAX] for at in range(0, len(value), _STRING_BYTES_MAX))
