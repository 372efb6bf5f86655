"""A certificate authority: `paquebot up` keeps one in files, the operator in a Secret, so that mutual TLS is always on.

Issuing is a function of the authority, the names and the time; keys and serial numbers alone come from chance.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from paquebot.runtime.files import write_private

AUTHORITY_DAYS = 3650
LEAF_DAYS = 365
RENEW_DAYS = 30  # a leaf with less left is issued again
SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, as PEM."""

    certificate: bytes
    key: bytes = field(repr=False)


def make_authority(name: str, days: int, now: datetime) -> Pair:
    """Return a root: ECDSA P-256, which signs leaves alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(name)
    certificate = (
        _builder(subject, subject, key, (now - SKEW, now + timedelta(days=days)))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _pair(certificate, key)


def make_leaf(authority: Pair, names: Sequence[str], days: int, now: datetime) -> Pair:
    """Return a leaf for servers and clients. The first of the names, DNS names or addresses, is its common name."""
    ca_key = serialization.load_pem_private_key(authority.key, None)
    assert isinstance(ca_key, ec.EllipticCurvePrivateKey)  # noqa: S101  (make_authority made it)
    ca = x509.load_pem_x509_certificate(authority.certificate)
    key = ec.generate_private_key(ec.SECP256R1())
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    until = min(now + timedelta(days=days), ca.not_valid_after_utc)
    certificate = (
        _builder(_name(names[0]), ca.subject, key, (now - SKEW, until))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([_general(each) for each in dict.fromkeys(names)]), critical=False)
        .add_extension(signer, critical=False)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    return _pair(certificate, key)


def create_authority(folder: Path) -> None:
    """Make ca.crt and ca.key in a folder, unless they are there."""
    if (folder / "ca.crt").exists():
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    root = make_authority("Paquebot local authority", AUTHORITY_DAYS, datetime.now(UTC))
    write_private(folder / "ca.key", root.key)
    (folder / "ca.crt").write_bytes(root.certificate)


def issue(authority: Path, name: str, into: Path, hosts: tuple[str, ...]) -> None:
    """Make an identity: tls.crt and tls.key for CN `name` and the hosts, with ca.crt beside; renew it near its end."""
    if _lasts(into / "tls.crt"):
        return
    into.mkdir(parents=True, exist_ok=True, mode=0o700)
    root = Pair((authority / "ca.crt").read_bytes(), (authority / "ca.key").read_bytes())
    names = (name, "localhost", *hosts, "127.0.0.1", "::1")
    leaf = make_leaf(root, names, LEAF_DAYS, datetime.now(UTC))
    write_private(into / "tls.key", leaf.key)
    (into / "ca.crt").write_bytes(root.certificate)
    (into / "tls.crt").write_bytes(leaf.certificate)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return Pair(certificate.public_bytes(serialization.Encoding.PEM), pem)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, between: tuple[datetime, datetime]
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(between[0])
        .not_valid_after(between[1])
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _lasts(path: Path) -> bool:
    if not path.exists():
        return False
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    return certificate.not_valid_after_utc - datetime.now(UTC) > timedelta(days=RENEW_DAYS)
