"""Certificates for the sandbox's MX hosts, made at start: self-signed, as on much of the real internet."""

import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

VALID = timedelta(days=30)
SKEW = timedelta(minutes=5)


def self_signed_context(names: tuple[str, ...]) -> ssl.SSLContext:
    """Return a server's TLS context that names these hosts; its key never leaves this process but for loading."""
    now = datetime.now(UTC)
    return _context(names, now - SKEW, now + VALID)


def expired_context(names: tuple[str, ...]) -> ssl.SSLContext:
    """Return the same with a certificate whose time was over yesterday."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    return _context(names, yesterday - VALID, yesterday)


def _context(names: tuple[str, ...], begins: datetime, ends: datetime) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Paquebot sandbox")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with tempfile.TemporaryDirectory() as folder:  # mode 0700; the ssl module loads from files only
        path = Path(folder) / "both.pem"
        path.write_bytes(pem)
        context.load_cert_chain(path)
    return context
