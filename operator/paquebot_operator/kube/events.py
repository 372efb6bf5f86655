"""Events: a word to people when something changes; one for an object and reason a minute."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import structlog

from paquebot_operator.kube.client import Kube
from paquebot_operator.kube.errors import KubeError
from paquebot_operator.names import EVENT, OPERATOR

QUIET_S: Final = 60.0
REMEMBERED_MAX: Final = 10_000
NOTE_MAX_CHARS: Final = 1024
LOG = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Recorder:
    """Writes events as `instance`, a pod's name. `clock` counts seconds."""

    kube: Kube
    instance: str
    platform_namespace: str
    clock: Callable[[], float] = time.monotonic
    written: "OrderedDict[tuple[str, str], float]" = field(default_factory=OrderedDict)

    async def record(self, entry: Mapping[str, Any], good: bool, reason: str, note: str) -> None:  # noqa: FBT001
        """Say something of an object; what was said within the last minute is not said again. Never fails."""
        key = (str(entry["metadata"].get("uid")), reason)
        now = self.clock()
        if now - self.written.get(key, -QUIET_S) < QUIET_S:
            return
        self.written[key] = now
        self.written.move_to_end(key)
        if len(self.written) > REMEMBERED_MAX:
            self.written.popitem(last=False)
        try:
            await self.kube.create(EVENT, self._event(entry, "Normal" if good else "Warning", reason, note))
        except KubeError as error:
            LOG.debug("an event was not written", error=str(error))

    def _event(self, entry: Mapping[str, Any], kind: str, reason: str, note: str) -> dict[str, Any]:
        metadata = entry["metadata"]
        namespace = metadata.get("namespace") or "default"  # where events of cluster-scoped objects belong
        about = {"apiVersion": entry["apiVersion"], "kind": entry["kind"], "name": metadata["name"]}
        about |= {each: metadata[each] for each in ("namespace", "uid") if metadata.get(each)}
        return {
            "apiVersion": EVENT.api_version,
            "kind": EVENT.name,
            "metadata": {"name": f"{metadata['name'][:200]}.{uuid4().hex[:16]}", "namespace": namespace},
            "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": f"{OPERATOR}.paquebot.dev",
            "reportingInstance": self.instance,
            "action": "Reconcile",
            "reason": reason or "Changed",
            "regarding": about,
            "note": note[:NOTE_MAX_CHARS],
            "type": kind,
        }
