"""When which certificate is issued and which root is trusted: a root changes in three steps, and nobody notices. Pure.

First everybody trusts the new root beside the old, then every leaf is issued by it, then the old one is dropped.
Between two steps lies a time in which every process has read what was written: so every leaf in use is trusted by
everybody at every moment. Where the authority was lost, its certificates are found in what it has issued: they stay
trusted while a new root takes their place. Deleting the authority's Secret therefore is how a root is changed at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

DAY_S: Final = 86_400
ROOT_DAYS: Final = 3650
LEAF_DAYS: Final = 90
SETTLE_S: Final = 900  # a kubelet brings a changed Secret to a pod within two minutes, if all goes well
ROOTS_MAX: Final = 8  # of a lost authority that stay trusted


@dataclass(frozen=True, slots=True)
class Root:
    """A root that is trusted. `can_sign`: its key is known."""

    id: str
    made_s: int
    ends_s: int
    can_sign: bool = True


@dataclass(frozen=True, slots=True)
class Issued:
    """What lies in a Secret: a leaf and the roots beside it. `written_s`: when either changed last."""

    root: str
    trusts: frozenset[str]
    names: tuple[str, ...]
    made_s: int
    ends_s: int
    written_s: int


@dataclass(frozen=True, slots=True)
class Authority:
    """The roots, oldest first: all are trusted. `active` issues; "" while a lost authority is being replaced."""

    roots: tuple[Root, ...] = ()
    active: str = ""

    @property
    def trusted(self) -> frozenset[str]:
        """The ids of all roots."""
        return frozenset(root.id for root in self.roots)

    @property
    def signer(self) -> Root | None:
        """The root that issues: the active one, else the newest that can."""
        able = [root for root in self.roots if root.can_sign]
        return next((root for root in able if root.id == self.active), able[-1] if able else None)


class Write(Enum):
    """What a Secret lacks."""

    LEAF = auto()  # and with it the roots beside
    ROOTS = auto()


@dataclass(frozen=True, slots=True)
class Step:
    """What to do next: make a root and add it, or go on with `authority`, and then write Secrets."""

    authority: Authority
    make_root: bool = False
    writes: tuple[tuple[str, Write], ...] = ()
    wait_s: int = 0  # before anything is due again, where time is all that is missing


def next_step(
    authority: Authority, wanted: Mapping[str, tuple[str, ...]], issued: Mapping[str, Issued], now_s: int
) -> Step:
    """Return the next step. `wanted`: the names of each Secret's certificate; `issued`: what there is."""
    if authority.signer is None:
        return Step(authority, make_root=True)
    lacks = ((secret, _lack(authority, names, issued.get(secret), now_s)) for secret, names in wanted.items())
    writes = tuple((secret, lack) for secret, lack in lacks if lack is not None)
    if writes:
        return Step(authority, writes=writes)
    settled_s = max((issued[secret].written_s for secret in wanted), default=0) + SETTLE_S
    if len(authority.roots) > 1 and now_s < settled_s:
        return Step(authority, wait_s=settled_s - now_s)
    newest = authority.roots[-1]
    if authority.active != newest.id:
        return Step(Authority(authority.roots, newest.id))
    if len(authority.roots) > 1:
        return Step(Authority((newest,), newest.id))
    return Step(authority, make_root=now_s >= _due_s(newest.made_s, newest.ends_s))


def with_root(authority: Authority, root: Root) -> Authority:
    """Return the authority with a root that everybody is to trust; the very first one issues at once."""
    return Authority((*authority.roots, root), authority.active if authority.roots else root.id)


def _lack(authority: Authority, names: tuple[str, ...], issued: Issued | None, now_s: int) -> Write | None:
    if issued is None or issued.names != names or issued.root not in authority.trusted:
        return Write.LEAF
    # While a lost authority is being replaced nobody knows the new root yet, and a leaf that is due lasts longer.
    if authority.active and (issued.root != authority.active or now_s >= _due_s(issued.made_s, issued.ends_s)):
        return Write.LEAF
    return None if issued.trusts == authority.trusted else Write.ROOTS


def _due_s(made_s: int, ends_s: int) -> int:
    """Return when two thirds of a life are over."""
    return made_s + (ends_s - made_s) * 2 // 3
