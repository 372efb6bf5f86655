"""TLS from an identity folder: ca.crt, tls.crt, tls.key. Contexts are made anew when a file changes."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path

FILES = ("ca.crt", "tls.crt", "tls.key")
READ_TRIES = 3


@dataclass(frozen=True, slots=True)
class Identity:
    """What the folder held at one moment, as PEM."""

    ca: bytes
    certificate: bytes
    key: bytes = field(repr=False)


def read_identity(folder: Path) -> Identity:
    """Return the files of one moment. Raises OSError (ssl.SSLError is one) for files that do not go together.

    They may change while they are read; a leaf with another's key would fail every handshake.
    """
    for _ in range(READ_TRIES):
        before = stamp(folder)
        read = Identity(*((folder / name).read_bytes() for name in FILES))
        if stamp(folder) == before:
            break
    server_context(folder, client_ca=True)
    return read


def server_context(folder: Path, *, client_ca: bool) -> ssl.SSLContext:
    """Return a context of at least TLS 1.2; with `client_ca` clients must show a certificate of our authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    if client_ca:
        context.load_verify_locations(folder / "ca.crt")
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def stamp(folder: Path) -> tuple[int, ...]:
    """Return what changes when a file of the folder does."""
    return tuple(path.stat().st_mtime_ns for name in FILES if (path := folder / name).exists())


@dataclass(slots=True)
class ReloadingContext:
    """A server context that follows its files. A broken new certificate leaves the last good one in use."""

    folder: Path
    _stamp: tuple[int, ...] = ()
    _context: ssl.SSLContext | None = field(default=None, repr=False)

    def current(self) -> ssl.SSLContext:
        """Return the context for the next connection; raise only when there never was a good one."""
        now = stamp(self.folder)
        if self._context is None or now != self._stamp:
            try:
                self._context = server_context(self.folder, client_ca=False)
            except (OSError, ssl.SSLError):
                if self._context is None:
                    raise
            self._stamp = now
        return self._context
