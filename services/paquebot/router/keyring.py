"""The signers of domains: keys from files, chosen as the policy says.

A domain signs with the first selector of its list that is there, one of each algorithm; without a list with the
newest key of each algorithm that it wants. A list may have a key of another, until those that are wanted can sign.
A file that is no key is left out and said in the log. Files are looked at again at most each CHECK_S: a signature
costs no system call.
"""

from dataclasses import dataclass
from pathlib import Path

import structlog

from paquebot.dkim.keys import KeyRefused, load
from paquebot.dkim.sign import Signer
from paquebot.policy.values import MailDomain, Policy
from paquebot.router.keyfiles import CHECK_S, KeyFile, KeyFiles

LOG = structlog.get_logger()


@dataclass(slots=True)
class _Ring:
    """A domain's signers, newest last, and the files that they were made of."""

    checked_s: float
    files: tuple[KeyFile, ...] = ()
    signers: tuple[Signer, ...] = ()


class Keyring:
    """The signers of all domains. `folder` None: nobody signs."""

    __slots__ = ("_files", "_rings")

    def __init__(self, folder: Path | None) -> None:
        self._files = KeyFiles(folder) if folder else None
        self._rings: dict[str, _Ring] = {}

    def __repr__(self) -> str:
        return f"<Keyring {self._files and self._files.folder} {len(self._rings)} domains>"

    def signers(self, domain: MailDomain, now_s: float) -> tuple[Signer, ...]:
        """Return the signers of a domain, in the order its policy names the algorithms, then others that are listed."""
        if self._files is None:
            return ()
        ring = self._rings.get(domain.domain)
        if ring is None or now_s - ring.checked_s >= CHECK_S:
            ring = self._rings[domain.domain] = _checked(self._files, domain.domain, ring, now_s)
        others = () if domain.signing is None else [signer.algorithm for signer in ring.signers]
        algorithms = dict.fromkeys((*domain.dkim_algorithms, *others))
        chosen = (_chosen(ring.signers, algorithm, domain.signing) for algorithm in algorithms)
        return tuple(signer for signer in chosen if signer is not None)

    def keep(self, policy: Policy) -> None:
        """Forget the keys of domains that are gone."""
        for domain in self._rings.keys() - policy.domains.keys():
            del self._rings[domain]
        if self._files is not None:
            self._files.keep(policy.domains.keys())


def _chosen(signers: tuple[Signer, ...], algorithm: str, signing: tuple[str, ...] | None) -> Signer | None:
    able = [signer for signer in signers if signer.algorithm == algorithm]
    if signing is None:
        return able[-1] if able else None
    by_selector = {signer.selector: signer for signer in able}
    return next((by_selector[selector] for selector in signing if selector in by_selector), None)


def _checked(key_files: KeyFiles, domain: str, ring: _Ring | None, now_s: float) -> _Ring:
    files = key_files.of(domain, now_s)
    if ring is not None and ring.files == files:
        ring.checked_s = now_s
        return ring
    return _Ring(now_s, files, tuple(signer for file in files if (signer := _signer(domain, file)) is not None))


def _signer(domain: str, file: KeyFile) -> Signer | None:
    try:
        signer = Signer(domain, file.selector, load(file.pem))
    except KeyRefused as error:
        LOG.warning("a DKIM key cannot be used", file=file.name, domain=domain, why=str(error))
        return None
    if signer.algorithm == file.algorithm:
        return signer
    LOG.warning("a DKIM key is of another kind than its name says", file=file.name, domain=domain)
    return None
