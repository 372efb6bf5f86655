"""What domains leave behind: keys and DNSEndpoints that no MailDomain wants. They are marked, kept, then deleted.

What was signed stays queued for days, and its records must stand; a MailDomain deleted by mistake finds its keys again.
The mark stands on the object, so a restart forgets no time.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog

from paquebot_operator.kube.client import Kube
from paquebot_operator.names import GROUP, KEYS_MANAGER, Kind

MARK: Final = f"{GROUP}/unwanted-since"  # an annotation: Unix seconds
KEPT_S: Final = 168 * 3600
LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Leavings:
    """Marks and deletes. `now_s` is the wall clock."""

    kube: Kube
    now_s: Callable[[], float] = time.time

    async def unwanted(self, kind: Kind, entry: Mapping[str, Any]) -> bool:
        """Mark an object that nobody wants, or delete it when it was marked long ago; say whether it is deleted."""
        since_s, metadata = _since_s(entry), entry["metadata"]
        if since_s is None:
            await self._mark(kind, entry, str(int(self.now_s())))
            return False
        if self.now_s() - since_s < KEPT_S:
            return False
        await self.kube.delete(kind, metadata["namespace"], metadata["name"], metadata["uid"])
        LOG.info("what a domain left behind was taken away", kind=kind.name, name=metadata["name"])
        return True

    async def wanted(self, kind: Kind, entry: Mapping[str, Any]) -> None:
        """Take the mark off an object that is wanted again."""
        if MARK in (entry["metadata"].get("annotations") or {}):
            await self._mark(kind, entry, None)

    async def _mark(self, kind: Kind, entry: Mapping[str, Any], value: str | None) -> None:
        await self.kube.merge(kind, entry, {"metadata": {"annotations": {MARK: value}}}, KEYS_MANAGER)


def _since_s(entry: Mapping[str, Any]) -> int | None:
    written = (entry["metadata"].get("annotations") or {}).get(MARK, "")
    return int(written) if written.isdecimal() else None
