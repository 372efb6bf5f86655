"""How many deliverers a pool has, and who decides: `scaling` of a SendingPool. Seconds; shares are of 1."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from paquebot.policy import scalars
from paquebot.policy.section import Section

REPLICAS_MAX: Final = 16  # of a pool's deliverers: it has so many partitions

_PERCENT_MAX: Final = 1000
_FAILURES_MAX: Final = 1000


class Mode(StrEnum):
    """Who decides."""

    DRAIN_TIME = "DrainTime"  # the operator, so that what waits is sent within a time
    EXTERNAL = "External"  # an autoscaler that writes `replicas` by the scale subresource
    MANUAL = "Manual"  # people, by `replicas`


@dataclass(frozen=True, slots=True)
class Change:
    """How fast the number may change: within a period by the larger of `pods` and `share`."""

    stabilization_s: int  # the most careful wish of so long counts
    pods: int
    share: float
    period_s: int = 60


@dataclass(frozen=True, slots=True)
class Scaling:
    """What a pool's size follows."""

    mode: Mode = Mode.DRAIN_TIME
    replicas_min: int = 1
    replicas_max: int = 8
    drain_s: int = 300  # what waits shall be sent within
    utilization: float = 0.8  # of what a deliverer can do; the rest is for what comes unforeseen
    up: Change = field(default_factory=lambda: Change(0, 4, 1.0))
    down: Change = field(default_factory=lambda: Change(300, 1, 0.25))
    tolerance: float = 0.1  # a wish this close to what there is changes nothing
    idle_s: int = 600  # with nothing to do before the last deliverer goes
    failures: int = 6  # to measure the queue, in a row, until there are `fallback` replicas
    fallback: int = 3


def scaling(section: Section) -> Scaling:
    """Read how a pool scales."""
    default = Scaling()
    fallback = section.section("fallback")
    read = Scaling(
        mode=section.read("mode", scalars.choice(Mode), default.mode),
        replicas_min=section.read("minReplicas", scalars.integer(0, REPLICAS_MAX), default.replicas_min),
        replicas_max=section.read("maxReplicas", scalars.integer(1, REPLICAS_MAX), default.replicas_max),
        drain_s=section.read("targetDrainTime", scalars.duration_s, default.drain_s),
        utilization=section.read("targetUtilization", scalars.integer(1, 100), round(100 * default.utilization)) / 100,
        up=_change(section.section("scaleUp"), default.up),
        down=_change(section.section("scaleDown"), default.down),
        tolerance=section.read("tolerancePercent", scalars.integer(0, 100), round(100 * default.tolerance)) / 100,
        idle_s=section.read("idleAfter", scalars.duration_s, default.idle_s),
        failures=fallback.read("afterFailures", scalars.integer(1, _FAILURES_MAX), default.failures),
        fallback=fallback.read("replicas", scalars.integer(1, REPLICAS_MAX), default.fallback),
    )
    if read.replicas_min > read.replicas_max:
        text = f"is more than `maxReplicas`, {read.replicas_max}"
        section.fault("minReplicas", text, "lower it, or raise `maxReplicas`")
    fallback.finish()
    section.finish()
    return read


def _change(section: Section, default: Change) -> Change:
    read = Change(
        stabilization_s=section.read("stabilization", scalars.duration_or_zero_s, default.stabilization_s),
        pods=section.read("maxPods", scalars.integer(1, REPLICAS_MAX), default.pods),
        share=section.read("maxPercent", scalars.integer(1, _PERCENT_MAX), round(100 * default.share)) / 100,
        period_s=section.read("period", scalars.duration_s, default.period_s),
    )
    section.finish()
    return read
