"""An identity folder (ca.crt, tls.crt, tls.key) and TLS from it, read again when a file changes.

A kubelet changes all files at once by exchanging a link; others write one after the other. So what is read counts only
when certificate and key belong together: until then the last good ones stay, and a log line and a metric tell of it.
"""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Generic, TypeVar

import structlog
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate, load_pem_x509_certificates
from cryptography.x509.oid import NameOID
from prometheus_client import Counter, Gauge

FILES = ("ca.crt", "tls.crt", "tls.key")
ENDS: Final = Gauge(
    "paquebot_certificate_not_after_seconds",
    "When the certificate that new connections get ends, as Unix time.",
    ["identity"],
)
REFUSED: Final = Counter(
    "paquebot_certificate_refused", "New certificates that could not be used; the last good one stays.", ["identity"]
)
BAD_IDENTITY: Final = (OSError, ValueError, TypeError)  # ssl.SSLError is an OSError, a key with a password a TypeError
LOG = structlog.get_logger()

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Identity:
    """The files of a folder, as PEM: they belong together."""

    roots: bytes
    certificate: bytes
    key: bytes = field(repr=False)


def read_identity(folder: Path) -> Identity:
    """Return what lies in a folder now. Raises one of BAD_IDENTITY for files that are not good."""
    identity = Identity(*((folder / name).read_bytes() for name in FILES))
    load_pem_x509_certificates(identity.roots)
    certificate = load_pem_x509_certificate(identity.certificate)
    if certificate.public_key() != load_pem_private_key(identity.key, None).public_key():
        raise ValueError("tls.crt and tls.key do not belong together")
    return identity


def server_context(folder: Path) -> ssl.SSLContext:
    """Return a server's context of at least TLS 1.2. Raises OSError, as ssl.SSLError is, when a file is not good."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    return context


@dataclass(slots=True)
class Reloading(Generic[T]):
    """What `read` makes of a folder, made anew when a file changes."""

    folder: Path
    read: Callable[[Path], T]
    name: str = ""  # the first certificate's common name
    ends_s: float = 0.0
    _stamp: tuple[int, ...] = ()
    _value: T | None = field(default=None, repr=False)

    def current(self) -> T:
        """Return what serves the next connection; raise as `read` does only when there never was a good one."""
        stamp = _stamp(self.folder)  # before the files are read: what changes meanwhile is read at the next call
        if self._value is None:
            self._value = self._take()
            ENDS.labels(self.name).set_function(self._ends_s)
        elif stamp != self._stamp:
            try:
                self._value = self._take()
                LOG.info("a new certificate is in use", identity=self.name)
            except BAD_IDENTITY as error:
                REFUSED.labels(self.name).inc()
                text = str(error)
                LOG.warning("a new certificate is not good: the last one stays", identity=self.name, error=text)
        self._stamp = stamp
        return self._value

    def _take(self) -> T:
        value = self.read(self.folder)
        certificate = load_pem_x509_certificate((self.folder / "tls.crt").read_bytes())
        self.ends_s = certificate.not_valid_after_utc.timestamp()
        common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        self.name = self.name or (str(common[0].value) if common else self.folder.name)
        return value

    def _ends_s(self) -> float:
        """Look at the files too: where nobody connects, nobody else does."""
        self.current()
        return self.ends_s


def _stamp(folder: Path) -> tuple[int, ...]:
    """Return what changes when a file of the folder does."""
    return tuple(part for name in FILES for part in _mark(folder / name))


def _mark(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_ino)
