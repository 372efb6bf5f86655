"""DKIM keys as files, in the three ways that they come: read whole, followed when they change.

* `<folder>/<domain>/<selector>.<algorithm>.pem`, as people and `paquebot up` write them;
* `<folder>/<domain>.<selector>.<algorithm>.pem`, as a mounted Secret shows them, which knows no folders;
* the same in `<folder>/<shard>/`, for more keys than one Secret holds. A shard's name is one hexadecimal digit, a
  domain has two labels at least, so neither is taken for the other.

A mounted Secret changes as a whole, by its link `..data`: a domain's keys are read of what the link leads to, never a
part of two. Folders are looked at again at most each CHECK_S, so a new key is there within seconds; there may be
thousands of domains, so a look lists names, and files are read for the domain that is asked for.
"""

import operator
import os
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
_SUFFIX: Final = ".pem"
# A selector has no dot here: without that rule a key of `shop.example.org` could be read as one of `shop.example`.
_FLAT = re.compile(r"([a-z0-9.-]+\.[a-z0-9-]+)\.([a-z0-9-]+)\.([A-Za-z0-9]+)\.pem\Z")
_OWN = re.compile(r"(.+)\.([A-Za-z0-9]+)\.pem\Z")

_Times = tuple[tuple[str, int], ...]  # name and time of each file, oldest first
_Named = Callable[[str], tuple[str, str, str] | None]


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key as its file's name tells it; nobody has looked into it yet."""

    name: str
    selector: str
    algorithm: str
    pem: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Listing:
    """A folder as it was listed: where its files are, and name, selector, algorithm of each domain's, oldest first."""

    folder: Path
    stamp: str | _Times = ()  # where the link leads, or the files' times
    names: dict[str, tuple[tuple[str, str, str], ...]] = field(default_factory=dict)


class KeyFiles:
    """All key files below a folder."""

    __slots__ = ("_flat", "_flat_checked_s", "_own", "_read", "folder")

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._own: dict[str, _Listing] = {}
        self._flat: dict[Path, _Listing] = {}
        self._flat_checked_s = float("-inf")
        self._read: dict[str, tuple[tuple[_Listing, ...], tuple[KeyFile, ...]]] = {}

    def __repr__(self) -> str:
        return f"<KeyFiles {self.folder}>"

    def of(self, domain: str, now_s: float) -> tuple[KeyFile, ...]:
        """Return a domain's keys, oldest first as far as their times tell; flat ones after its own folder's."""
        for _try in range(2):
            listings = self._listings(domain, now_s)
            before = self._read.get(domain)
            # What was listed again is another object: the same ones have the same files.
            if before is not None and len(before[0]) == len(listings) and all(map(operator.is_, before[0], listings)):
                return before[1]
            try:
                self._read[domain] = (listings, _read_all(listings, domain))
            except FileNotFoundError:
                self._flat_checked_s = float("-inf")  # it has changed since it was listed
                self._own.pop(domain, None)
        return self._read[domain][1] if domain in self._read else ()

    def keep(self, domains: Collection[str]) -> None:
        """Forget the files of other domains."""
        for known in (self._own, self._read):
            for domain in known.keys() - domains:
                del known[domain]

    def _listings(self, domain: str, now_s: float) -> tuple[_Listing, ...]:
        """Return the folders that hold keys of a domain."""
        self._own[domain] = _listed(self.folder / domain, self._own.get(domain), partial(_own_name, domain))
        if now_s - self._flat_checked_s >= CHECK_S:
            self._flat_checked_s = now_s
            for folder in (self.folder, *(self.folder / shard for shard in SHARDS)):
                self._flat[folder] = _listed(folder, self._flat.get(folder), _flat_name)
        return tuple(each for each in (self._own[domain], *self._flat.values()) if domain in each.names)


def _own_name(domain: str, name: str) -> tuple[str, str, str] | None:
    found = _OWN.match(name)
    return (domain, found[1], found[2]) if found else None


def _flat_name(name: str) -> tuple[str, str, str] | None:
    found = _FLAT.match(name)
    return (found[1], found[2], found[3]) if found else None


def _listed(folder: Path, seen: _Listing | None, named: _Named) -> _Listing:
    """Return what is in a folder; `seen` when nothing changed, or when it changes at this very moment."""
    seen = seen or _Listing(folder)
    mounted = _mounted(folder)
    try:
        times = _times(folder) if mounted is None else ()
        stamp: str | _Times = times if mounted is None else mounted.name
        if stamp == seen.stamp:
            return seen
        # Times tell nothing of a mounted Secret: all its files are as old as its last change.
        names = [name for name, _changed in times] if mounted is None else sorted(os.listdir(mounted))  # noqa: PTH208  (thousands)
        return _Listing(mounted or folder, stamp, _by_domain(names, named))
    except FileNotFoundError:
        return seen if folder.exists() else _Listing(folder)  # the next look sees what came instead
    except OSError as error:
        LOG.warning("a folder of DKIM keys cannot be read", folder=folder.name, why=error.strerror)
        return seen


def _mounted(folder: Path) -> Path | None:
    """Return the folder with the present revision of a mounted Secret, None when the folder is none."""
    try:
        return folder / (folder / _LINK).readlink()
    except OSError:
        return None


def _times(folder: Path) -> _Times:
    found = [(path.name, path.stat().st_mtime_ns) for path in folder.iterdir() if path.suffix == _SUFFIX]
    return tuple(sorted(found, key=lambda entry: (entry[1], entry[0])))


def _by_domain(names: Sequence[str], named: _Named) -> dict[str, tuple[tuple[str, str, str], ...]]:
    found: dict[str, tuple[tuple[str, str, str], ...]] = {}
    for name in names:
        if not name.endswith(_SUFFIX):
            continue
        told = named(name)
        if told is None or told[2] not in ALGORITHMS:
            LOG.warning("no name of a key: [<domain>.]<selector>.<algorithm>.pem is", file=name)
            continue
        domain, selector, algorithm = told
        found[domain] = (*found.get(domain, ()), (name, selector, algorithm))
    return found


def _read_all(listings: Sequence[_Listing], domain: str) -> tuple[KeyFile, ...]:
    """Return a domain's keys. Raises FileNotFoundError when a file is gone meanwhile."""
    files: list[KeyFile] = []
    for listing in listings:
        for name, selector, algorithm in listing.names[domain]:
            try:
                files.append(KeyFile(name, selector, algorithm, (listing.folder / name).read_bytes()))
            except PermissionError as error:
                LOG.warning("a DKIM key cannot be read", file=name, domain=domain, why=error.strerror)
    return tuple(files)
