"""SuppressionLists: who gets no mail from whom, and the key under which a mailbox stands on a list. Pure.

The entries themselves are data, not policy: see `paquebot.queue.suppression`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from paquebot.mail.labels import a_labelled

HASH_OCTETS: Final = 16


@dataclass(frozen=True, slots=True)
class SuppressionList:
    """One list. `domains`: only mail of these senders' MailDomains; `everybody`: mail of all tenants."""

    namespace: str
    name: str
    domains: tuple[str, ...] = ()
    hard_bounces: bool = False  # who does not exist is put on it
    ttl_s: int = 365 * 86_400
    everybody: bool = False

    @property
    def place(self) -> str:
        """`namespace/name`, as people name it."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class SuppressionLists:
    """All lists, by the namespace whose mail they are for. Make it with `of`."""

    by_place: dict[str, SuppressionList] = field(default_factory=dict)
    everybodys: tuple[SuppressionList, ...] = ()
    by_namespace: dict[str, tuple[SuppressionList, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, lists: Iterable[SuppressionList]) -> "SuppressionLists":
        """Sort lists by whom they are for."""
        by_place = {each.place: each for each in lists}
        by_namespace: dict[str, tuple[SuppressionList, ...]] = {}
        for each in by_place.values():
            if not each.everybody:
                by_namespace[each.namespace] = (*by_namespace.get(each.namespace, ()), each)
        return cls(by_place, tuple(each for each in by_place.values() if each.everybody), by_namespace)

    def applying(self, namespace: str, domain: str) -> tuple[SuppressionList, ...]:
        """Return the lists for a tenant's mail; `domain` is its sender's MailDomain, "" when none declares it."""
        found = self.by_namespace.get(namespace, ())
        if not found and not self.everybodys:
            return ()
        return tuple(each for each in (*self.everybodys, *found) if not each.domains or domain in each.domains)


def canonical(mailbox: str) -> str:
    """Return a mailbox as lists know it: the local part in lower case, the domain as A-label."""
    local, _, domain = mailbox.rpartition("@")
    try:
        return a_labelled(f"{local.lower()}@{domain.lower().removesuffix('.')}")
    except ValueError:
        return mailbox.lower()  # it has no A-label, so no mail goes there


def hash_of(secret: bytes, place: str, mailbox: str) -> bytes:
    """Return what stands for a mailbox on a list: without the key nobody finds the mailbox, nor it on another list."""
    return blake2b(f"{place}\0{canonical(mailbox)}".encode(), key=secret, digest_size=HASH_OCTETS).digest()
