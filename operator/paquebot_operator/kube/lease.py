"""Who does the work: one process of several holds a Lease, the others stand by with everything known.

A holder that cannot renew in time ends its process: it may not know what it has missed. Two at once for a moment do no
harm, since every write is level-triggered and applied.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from paquebot_operator.kube.client import Kube
from paquebot_operator.kube.errors import ConflictError, KubeError
from paquebot_operator.names import LEASE

LEASE_S: Final = 15
RENEW_MAX_S: Final = 10  # without a renewal for so long the holder ends
LOOK_S: Final = 2.0
LOG = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Leadership:
    """The Lease `name`, wanted by `holder`. `now` is the wall clock."""

    kube: Kube
    namespace: str
    name: str
    holder: str
    seen: str = ""  # the last renewal of another holder that we saw, and when
    seen_at: float = 0.0
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def acquire(self) -> None:
        """Return once we hold it."""
        while True:
            try:
                if await self._take():
                    LOG.info("leads", lease=self.name)
                    return
            except KubeError as error:
                LOG.debug("the lease was not taken", error=str(error))
            await asyncio.sleep(LOOK_S)

    async def keep(self) -> None:
        """Renew it; return when it is lost, or could not be renewed in time."""
        loop = asyncio.get_running_loop()
        renewed = loop.time()
        while loop.time() - renewed < RENEW_MAX_S:
            await asyncio.sleep(LOOK_S)
            try:
                if not await self._take():
                    LOG.error("another process leads now")
                    return
                renewed = loop.time()
            except KubeError as error:
                LOG.warning("the lease was not renewed", error=str(error))
        LOG.error("the lease could not be renewed in time")

    async def release(self) -> None:
        """Let the next one lead at once; where that cannot be said, it will find out by our silence."""
        try:
            entry = await self.kube.get(LEASE, self.namespace, self.name)
            if entry is not None and entry["spec"].get("holderIdentity") == self.holder:
                entry["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1}
                await self.kube.replace(LEASE, entry)
        except KubeError as error:
            LOG.info("the lease was not given back", error=str(error))

    async def _take(self) -> bool:
        """Renew or take the lease; say whether we hold it. Raises KubeError."""
        entry = await self.kube.get(LEASE, self.namespace, self.name)
        try:
            if entry is None:
                metadata = {"name": self.name, "namespace": self.namespace}
                fresh = {"apiVersion": LEASE.api_version, "kind": LEASE.name, "metadata": metadata}
                await self.kube.create(LEASE, fresh | {"spec": self._spec({})})
                return True
            if self._free(entry["spec"]):
                await self.kube.replace(LEASE, entry | {"spec": self._spec(entry["spec"])})
                return True
        except ConflictError:
            pass
        return False

    def _free(self, spec: dict[str, Any]) -> bool:
        """Say whether it is ours, nobody's, or not renewed for as long as we watched it: clocks may differ."""
        holder, renewal = spec.get("holderIdentity"), str(spec.get("renewTime"))
        now = asyncio.get_running_loop().time()
        if holder in {self.holder, "", None}:
            return True
        if renewal != self.seen:
            self.seen, self.seen_at = renewal, now
        return now - self.seen_at > (spec.get("leaseDurationSeconds") or LEASE_S)

    def _spec(self, before: dict[str, Any]) -> dict[str, Any]:
        stamp = self.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        mine = before.get("holderIdentity") == self.holder
        return {
            "holderIdentity": self.holder,
            "leaseDurationSeconds": LEASE_S,
            "renewTime": stamp,
            "acquireTime": before.get("acquireTime") if mine else stamp,
            "leaseTransitions": int(before.get("leaseTransitions") or 0) + (0 if mine else 1),
        }
