"""DKIM keys from files: `<folder>/<domain>/<selector>.<algorithm>.pem`, read again when they change.

The newest key of each algorithm signs. A file that is no key is left out and said in the log; the folder is
looked at again at most each CHECK_S, so a new key signs within seconds and a signature costs no system call.
"""

from dataclasses import dataclass, field
from pathlib import Path

import structlog

from paquebot.dkim.keys import ALGORITHMS, KeyRefused, load
from paquebot.dkim.sign import Signer
from paquebot.policy.values import MailDomain, Policy

CHECK_S = 5.0
LOG = structlog.get_logger()

_Stamp = tuple[tuple[str, int], ...]


@dataclass(slots=True)
class _Ring:
    """A domain's signers by algorithm, and what its files were when they were read."""

    checked_s: float
    stamp: _Stamp = ()
    signers: dict[str, Signer] = field(default_factory=dict)


class Keyring:
    """The signers of all domains. `folder` None: nobody signs."""

    __slots__ = ("_folder", "_rings")

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._rings: dict[str, _Ring] = {}

    def __repr__(self) -> str:
        return f"<Keyring {self._folder} {len(self._rings)} domains>"

    def signers(self, domain: MailDomain, now_s: float) -> tuple[Signer, ...]:
        """Return the signers of a domain, in the order its policy names the algorithms."""
        if self._folder is None:
            return ()
        ring = self._rings.get(domain.domain)
        if ring is None or now_s - ring.checked_s >= CHECK_S:
            ring = self._rings[domain.domain] = _checked(self._folder, domain.domain, ring, now_s)
        return tuple(ring.signers[algorithm] for algorithm in domain.dkim_algorithms if algorithm in ring.signers)

    def keep(self, policy: Policy) -> None:
        """Forget the keys of domains that are gone."""
        for domain in self._rings.keys() - policy.domains.keys():
            del self._rings[domain]


def _checked(folder: Path, domain: str, ring: _Ring | None, now_s: float) -> _Ring:
    stamp = _stamp(folder / domain)
    if ring is not None and ring.stamp == stamp:
        ring.checked_s = now_s
        return ring
    return _Ring(now_s, stamp, _newest(folder / domain, stamp, domain))


def _stamp(folder: Path) -> _Stamp:
    """Return name and time of each key file, oldest first. Files that vanish meanwhile are left out."""
    try:
        found = [(path.name, path.stat().st_mtime_ns) for path in folder.glob("*.pem")]
    except OSError:
        return ()
    return tuple(sorted(found, key=lambda entry: (entry[1], entry[0])))


def _newest(folder: Path, stamp: _Stamp, domain: str) -> dict[str, Signer]:
    """Return the newest good key of each algorithm."""
    signers: dict[str, Signer] = {}
    for name, _ in stamp:
        selector, _, algorithm = name.removesuffix(".pem").rpartition(".")
        if not selector or algorithm not in ALGORITHMS:
            LOG.warning("no name of a key: <selector>.<algorithm>.pem is", file=name, domain=domain)
            continue
        try:
            signer = Signer(domain, selector, load((folder / name).read_bytes()))
        except (OSError, KeyRefused) as error:
            LOG.warning("a DKIM key cannot be used", file=name, domain=domain, why=str(error))
            continue
        if signer.algorithm == algorithm:
            signers[algorithm] = signer
        else:
            LOG.warning("a DKIM key is of another kind than its name says", file=name, domain=domain)
    return signers
