"""DKIM keys as files, in the three ways that they come: read whole, followed when they change.

* `<folder>/<domain>/<selector>.<algorithm>.pem`, as people and `paquebot up` write them;
* `<folder>/<domain>.<selector>.<algorithm>.pem`, as a mounted Secret shows them, which knows no folders;
* the same in `<folder>/<shard>/`, for more keys than one Secret holds. A shard's name is one hexadecimal digit, a
  domain has two labels at least, so neither is taken for the other.

A mounted Secret changes as a whole, by its link `..data`: what is read is all that the link leads to, never a part of
two. Folders are looked at again at most each CHECK_S, so a new key is there within seconds.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from paquebot.dkim.keys import ALGORITHMS

CHECK_S: Final = 5.0
SHARDS: Final = "0123456789abcdef"
LOG = structlog.get_logger()

_LINK: Final = "..data"
# A selector has no dot here: without that rule a key of `shop.example.org` could be read as one of `shop.example`.
_FLAT = re.compile(r"([a-z0-9.-]+\.[a-z0-9-]+)\.([a-z0-9-]+)\.([A-Za-z0-9]+)\.pem\Z")
_OWN = re.compile(r"(.+)\.([A-Za-z0-9]+)\.pem\Z")

_Stamp = str | tuple[tuple[str, int], ...]  # where the link leads; or name and time of each file, oldest first
_Named = Callable[[str], tuple[str, str, str] | None]


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key as its file's name tells it; nobody has looked into it yet."""

    name: str
    selector: str
    algorithm: str
    pem: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A folder: what it was when it was read, and its keys by domain, oldest first."""

    stamp: _Stamp = ()
    keys: dict[str, tuple[KeyFile, ...]] = field(default_factory=dict)


class KeyFiles:
    """All key files below a folder."""

    __slots__ = ("_flat", "_flat_checked_s", "_own", "folder")

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._own: dict[str, _Seen] = {}
        self._flat: dict[Path, _Seen] = {}
        self._flat_checked_s = float("-inf")

    def __repr__(self) -> str:
        return f"<KeyFiles {self.folder}>"

    def of(self, domain: str, now_s: float) -> tuple[KeyFile, ...]:
        """Return a domain's keys, oldest first as far as their times tell; flat ones after its own folder's."""
        self._own[domain] = _looked_at(self.folder / domain, self._own.get(domain), partial(_own_name, domain))
        if now_s - self._flat_checked_s >= CHECK_S:
            self._flat_checked_s = now_s
            for folder in (self.folder, *(self.folder / shard for shard in SHARDS)):
                self._flat[folder] = _looked_at(folder, self._flat.get(folder), _flat_name)
        own = self._own[domain].keys.get(domain, ())
        return own + tuple(key for seen in self._flat.values() for key in seen.keys.get(domain, ()))

    def keep(self, domains: Collection[str]) -> None:
        """Forget the folders of other domains."""
        for domain in self._own.keys() - domains:
            del self._own[domain]


def _own_name(domain: str, name: str) -> tuple[str, str, str] | None:
    found = _OWN.match(name)
    return (domain, found[1], found[2]) if found else None


def _flat_name(name: str) -> tuple[str, str, str] | None:
    found = _FLAT.match(name)
    return (found[1], found[2], found[3]) if found else None


def _looked_at(folder: Path, seen: _Seen | None, named: _Named) -> _Seen:
    """Return the keys of a folder; `seen` when nothing changed, or when it changes at this very moment."""
    seen = seen or _Seen()
    mounted = _mounted(folder)
    try:
        stamp: _Stamp = mounted.name if mounted else _files(folder)
        if stamp == seen.stamp:
            return seen
        files = stamp if isinstance(stamp, tuple) else _files(folder / stamp)
        return _Seen(stamp, _read(mounted or folder, [name for name, _changed in files], named))
    except FileNotFoundError:
        return seen if folder.exists() else _Seen()  # the next look sees what came instead
    except OSError as error:
        LOG.warning("a folder of DKIM keys cannot be read", folder=folder.name, why=error.strerror)
        return seen


def _mounted(folder: Path) -> Path | None:
    """Return the folder with the present revision of a mounted Secret, None when the folder is none."""
    try:
        return folder / (folder / _LINK).readlink()
    except OSError:
        return None


def _files(folder: Path) -> tuple[tuple[str, int], ...]:
    """Return name and time of each key file, oldest first."""
    found = [(path.name, path.stat().st_mtime_ns) for path in folder.iterdir() if path.suffix == ".pem"]
    return tuple(sorted(found, key=lambda entry: (entry[1], entry[0])))


def _read(folder: Path, names: Sequence[str], named: _Named) -> dict[str, tuple[KeyFile, ...]]:
    """Return keys by domain. Raises FileNotFoundError when a file is gone meanwhile."""
    keys: dict[str, tuple[KeyFile, ...]] = {}
    for name in names:
        found = named(name)
        if found is None or found[2] not in ALGORITHMS:
            LOG.warning("no name of a key: [<domain>.]<selector>.<algorithm>.pem is", file=name)
            continue
        domain, selector, algorithm = found
        try:
            pem = (folder / name).read_bytes()
        except PermissionError as error:
            LOG.warning("a DKIM key cannot be read", file=name, domain=domain, why=error.strerror)
            continue
        keys[domain] = (*keys.get(domain, ()), KeyFile(name, selector, algorithm, pem))
    return keys
