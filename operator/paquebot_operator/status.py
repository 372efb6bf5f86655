"""Writing an object's status: once, as a whole, and only when it says something new."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from paquebot_operator.conditions import READY, TRUE, Report, status_of
from paquebot_operator.kube.client import Kube
from paquebot_operator.kube.events import Recorder
from paquebot_operator.kube.store import Store
from paquebot_operator.names import OURS_BY_NAME, STATUS_MANAGER, Key

PASSING: Final = frozenset({"WaitingForPods", "NotPublished"})  # steps on the way, which nobody needs to hear of


@dataclass(frozen=True, slots=True)
class StatusWriter:
    """Composes what concerns report. `now` is the wall clock as Kubernetes writes it."""

    kube: Kube
    store: Store
    recorder: Recorder
    now: Callable[[], str]

    async def write(self, key: Key, reports: Sequence[Report | None]) -> None:
        """Write the status that the reports make, unless it stands there, or one has nothing to say yet."""
        entry = self.store.get(key)
        known = [report for report in reports if report is not None]
        if entry is None or len(known) < len(reports):
            return
        status = status_of(entry, known, self.now())
        if status == entry.get("status"):
            return
        await self.kube.apply_status(OURS_BY_NAME[key.kind], entry, status, STATUS_MANAGER)
        said = _ready(entry.get("status"))
        says = _ready(status)
        if said != says and says[1] not in PASSING:
            await self.recorder.record(entry, says[0] == TRUE, says[1], says[2])


def _ready(status: Mapping[str, Any] | None) -> tuple[str, str, str]:
    """Return status, reason and message of Ready."""
    for each in (status or {}).get("conditions") or ():
        if each["type"] == READY:
            return each["status"], each["reason"], each["message"]
    return "", "", ""


@dataclass(frozen=True, slots=True)
class PolicyStatus:
    """Looks after kinds that are policy and nothing else: routes, destinations, suppression lists."""

    writer: StatusWriter
    policy: Callable[[Mapping[str, Any]], Report | None]

    async def reconcile(self, key: Key) -> None:
        """Say what became of the object."""
        entry = self.writer.store.get(key)
        if entry is not None:
            await self.writer.write(key, [self.policy(entry)])
