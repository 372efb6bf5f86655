"""What an object's status says of it: conditions with stable times, and `Ready`, which repeats the first that fails.

Pure. Times are as Kubernetes writes them (RFC 3339, whole seconds, UTC). A concern reports; `status_of` composes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

TRUE: Final = "True"
FALSE: Final = "False"
UNKNOWN: Final = "Unknown"
READY: Final = "Ready"
PASSES: Final = "Programmed"  # by itself, mostly: Ready tells of it when there is nothing that people should do
MESSAGE_MAX_CHARS: Final = 1024
ABNORMAL: Final = frozenset({"ScalingLimited"})  # True is the bad news there; no part of Ready


@dataclass(frozen=True, slots=True)
class Condition:
    """One statement: True, False or Unknown, a reason for programs, and a message that carries the cure."""

    type: str
    status: str
    reason: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What one concern says of one object: conditions, and fields of its status."""

    conditions: tuple[Condition, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)


def status_of(entry: Mapping[str, Any], reports: Sequence[Report], now: str) -> dict[str, Any]:
    """Return the whole status of an object as its reports say; a condition keeps its time while its status stays."""
    generation = entry["metadata"].get("generation", 0)
    stated = [condition for report in reports for condition in report.conditions]
    stated.append(summary(stated))
    before = {each["type"]: each for each in (entry.get("status") or {}).get("conditions") or ()}
    status: dict[str, Any] = {"observedGeneration": generation}
    for report in reports:
        status |= report.fields
    status["conditions"] = [_written(each, before.get(each.type), generation, now) for each in stated]
    return status


def summary(conditions: Sequence[Condition]) -> Condition:
    """Return Ready: True when all are, else what the first that fails says, or the first unknown."""
    counted = sorted((each for each in conditions if each.type not in ABNORMAL), key=lambda each: each.type == PASSES)
    for status in (FALSE, UNKNOWN):
        for each in counted:
            if each.status == status:
                return Condition(READY, status, each.reason, each.message)
    return Condition(READY, TRUE, READY, "")


def _written(condition: Condition, before: Mapping[str, Any] | None, generation: int, now: str) -> dict[str, Any]:
    stayed = before is not None and before["status"] == condition.status
    return {
        "type": condition.type,
        "status": condition.status,
        "reason": condition.reason,
        "message": condition.message[:MESSAGE_MAX_CHARS],
        "observedGeneration": generation,
        "lastTransitionTime": before["lastTransitionTime"] if stayed and before is not None else now,
    }
