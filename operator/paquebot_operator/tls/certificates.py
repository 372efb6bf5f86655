"""Looks after the platform's certificates: makes them, or sees whether somebody else has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog

from paquebot.runtime.authority import Pair, make_authority
from paquebot_operator import metrics
from paquebot_operator.conditions import UNKNOWN, Condition
from paquebot_operator.kube.client import Kube
from paquebot_operator.kube.errors import GoneError
from paquebot_operator.names import CERTIFICATE, SECRET, TLS_MANAGER, Key
from paquebot_operator.tls.checks import READY, fault, ready
from paquebot_operator.tls.identities import SMTP_SECRET, Leaf
from paquebot_operator.tls.rotation import ROOT_DAYS, Authority, Step, Write, next_step, with_root
from paquebot_operator.tls.secrets import (
    AUTHORITY_NAME,
    AUTHORITY_SECRET,
    Pairs,
    authority_manifest,
    is_ours,
    leaf_manifest,
    read_authority,
    read_issued,
    root_of,
    roots_manifest,
)

CERTIFICATES: Final = Key("Certificates", "", "all")
LOOK_S: Final = 60
STEPS_MAX: Final = 10  # in one look: a root, its leaves, and to see that nothing more is due
NOT_SEEN: Final = Condition(READY, UNKNOWN, "NotSeen", "the certificates were not looked at yet")
LOG = structlog.get_logger()

Secrets = Mapping[str, Mapping[str, Any] | None]


@dataclass(slots=True, eq=False)
class SelfManaged:
    """An authority of our own. Secrets with those names that the operator did not write are left alone."""

    kube: Kube
    namespace: str
    leaves: tuple[Leaf, ...]
    now: Callable[[], datetime]
    condition: Condition = NOT_SEEN

    async def reconcile(self, _key: Key) -> float:
        """Do all steps that are due; return when to look again."""
        for _ in range(STEPS_MAX):
            secrets = await _read(self.kube, self.namespace, self.leaves)
            services = tuple(leaf for leaf in self.leaves if leaf.secret != SMTP_SECRET)  # clients judge that one
            self.condition = ready(_faults(services, secrets, self.now(), {}))
            ours = {name: entry for name, entry in secrets.items() if entry is not None and is_ours(entry)}
            stored = await self.kube.get(SECRET, self.namespace, AUTHORITY_SECRET)
            authority, pairs = read_authority(stored, ours)
            wanted = {
                leaf.secret: leaf.names for leaf in self.leaves if secrets[leaf.secret] is None or leaf.secret in ours
            }
            issued = {name: each for name, entry in ours.items() if (each := read_issued(entry)) is not None}
            step = next_step(authority, wanted, issued, int(self.now().timestamp()))
            if not await self._take(step, authority, pairs, ours):
                return min(step.wait_s or LOOK_S, LOOK_S)
        return 0

    async def _take(self, step: Step, before: Authority, pairs: Pairs, ours: Mapping[str, Mapping[str, Any]]) -> bool:
        """Do what a step says; return False when it says nothing."""
        if step.make_root:
            root = make_authority(AUTHORITY_NAME, ROOT_DAYS, self.now())
            authority = with_root(step.authority, root_of(root))
            LOG.info("a new root was made", root=root_of(root).id, roots=len(authority.roots))
            await self._keep(authority, {**pairs, root_of(root).id: root})
        elif step.authority != before:
            LOG.info("the roots change", active=step.authority.active, roots=len(step.authority.roots))
            await self._keep(step.authority, pairs)
        for secret, write in step.writes:
            await self._write(secret, write, step.authority, pairs, ours)
        return step.make_root or step.authority != before or bool(step.writes)

    async def _keep(self, authority: Authority, pairs: Mapping[str, Pair]) -> None:
        """Write the authority down, before anything follows from it."""
        await self.kube.apply(SECRET, authority_manifest(self.namespace, authority, pairs), TLS_MANAGER)

    async def _write(
        self, secret: str, write: Write, authority: Authority, pairs: Pairs, ours: Mapping[str, Mapping[str, Any]]
    ) -> None:
        now = self.now()
        if write is Write.ROOTS:
            manifest = roots_manifest(ours[secret], authority, pairs, now)
        else:
            leaf = next(each for each in self.leaves if each.secret == secret)
            manifest = leaf_manifest(self.namespace, leaf, authority, pairs, now)
        LOG.info("a certificate was written", secret=secret, what=write.name.lower())
        await self.kube.apply(SECRET, manifest, TLS_MANAGER)


@dataclass(slots=True, eq=False)
class Foreign:
    """Certificates that cert-manager makes, or somebody by hand: the operator only looks."""

    kube: Kube
    namespace: str
    leaves: tuple[Leaf, ...]
    now: Callable[[], datetime]
    by_cert_manager: bool
    condition: Condition = NOT_SEEN

    async def reconcile(self, _key: Key) -> float:
        """See whether all are there and last; return when to look again."""
        secrets = await _read(self.kube, self.namespace, self.leaves)
        faults = _faults(self.leaves, secrets, self.now(), await self._said() if self.by_cert_manager else {})
        self.condition = ready(faults)
        return LOOK_S if not faults else LOOK_S / 6

    async def _said(self) -> Mapping[str, Mapping[str, Any]]:
        """Return cert-manager's Certificates; none where it is not installed: what they should make is missing then."""
        try:
            return {each["metadata"]["name"]: each for each in await self.kube.items(CERTIFICATE, self.namespace)}
        except GoneError:
            return {}


async def _read(kube: Kube, namespace: str, leaves: tuple[Leaf, ...]) -> Secrets:
    return {leaf.secret: await kube.get(SECRET, namespace, leaf.secret) for leaf in leaves}


def _faults(
    leaves: tuple[Leaf, ...], secrets: Secrets, now: datetime, said: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    now_s = int(now.timestamp())
    for leaf in leaves:
        issued = read_issued(secrets[leaf.secret])
        metrics.CERTIFICATE_ENDS.labels(leaf.secret).set(issued.ends_s if issued else 0)
    found = (fault(leaf, secrets[leaf.secret], now_s, said.get(leaf.secret)) for leaf in leaves)
    return [each for each in found if each]
