"""Who we are to NATS and whom we believe: a TLS context of an identity folder, made anew when a file changes.

A context can take roots but give none up, so a new one takes its place; the connection that stands is left alone.
"""

import ssl
from dataclasses import dataclass, field
from pathlib import Path

import structlog

FILES = ("ca.crt", "tls.crt", "tls.key")
LOG = structlog.get_logger()


@dataclass(slots=True)
class Trust:
    """The context for the next connection. A bad new file leaves the last good one."""

    folder: Path
    _stamp: tuple[tuple[int, int], ...] = ()
    _context: ssl.SSLContext | None = field(default=None, repr=False)

    def current(self) -> ssl.SSLContext:
        """Return the context; raise OSError, as ssl.SSLError is, only when there never was a good one."""
        stamp = tuple(_mark(self.folder / name) for name in FILES)
        if self._context is None:
            self._context = _context(self.folder)
        elif stamp != self._stamp:
            try:
                self._context = _context(self.folder)
            except OSError as error:
                LOG.warning("a new certificate for the queue is not good: the last one stays", error=str(error))
        self._stamp = stamp
        return self._context


def _context(folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=folder / "ca.crt")
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    return context


def _mark(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_ino)
