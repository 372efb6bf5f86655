"""What must be written so that a pool has the size that was decided. Pure: values in, writes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from paquebot.policy.scaling import Mode
from paquebot.policy.values import SendingPool
from paquebot_operator.scaling.values import Decision, Signals

DELETION_COST: Final = "controller.kubernetes.io/pod-deletion-cost"


@dataclass(frozen=True, slots=True)
class Writes:
    """How many replicas the Deployment is to want, None when it does; before that, what it costs to end each pod."""

    replicas: int | None = None
    costs: Mapping[str, int] = field(default_factory=dict)


def wanted(pool: SendingPool, decision: Decision, current: int) -> int:
    """Return how many replicas there shall be, whoever decides; a pool that goes away keeps one for its mail."""
    if pool.scaling.mode is Mode.DRAIN_TIME:
        size = decision.replicas
    elif pool.replicas is not None:
        size = pool.replicas
    else:
        size = current if pool.scaling.mode is Mode.EXTERNAL else pool.scaling.replicas_min
    return max(size, 1) if pool.draining else size


def writes(size: int, current: int, signals: Signals | None) -> Writes:
    """Return what to write; before it shrinks, the sessions under way say which pods end last."""
    if size == current:
        return Writes()
    if size > current or signals is None:
        return Writes(size)
    return Writes(size, {pod.name: pod.sessions for pod in signals.pods})


def cost_patch(cost: int) -> dict[str, Any]:
    """Return the patch of a pod; the Deployment ends those of the least cost first."""
    return {"metadata": {"annotations": {DELETION_COST: str(cost)}}}
