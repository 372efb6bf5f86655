"""How a pool's deliverers run in a cluster: how they end, and what their pods are given.

On one machine none of it counts. The operator hands `template` on as it stands: here it is only looked at.
"""

import re
from enum import StrEnum
from typing import Final

from paquebot.policy import labels, scalars
from paquebot.policy.faults import Unfit
from paquebot.policy.section import Section

GRACE_MIN_S: Final = 30
GRACE_MAX_S: Final = 3600
TOLERATIONS_MAX: Final = 20
SPREADS_MAX: Final = 10
RESOURCES_MAX: Final = 10

_PLACES_MAX: Final = 16  # no more than a pool's pods
_TOLERATION_MAX_S: Final = 1_000_000_000
_QUANTITY = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?\Z")


class Effect(StrEnum):
    """What a taint does to pods that do not bear it."""

    NO_SCHEDULE = "NoSchedule"
    PREFER_NO_SCHEDULE = "PreferNoSchedule"
    NO_EXECUTE = "NoExecute"


class Bears(StrEnum):
    """How a toleration compares."""

    EQUAL = "Equal"
    EXISTS = "Exists"


class Unsatisfiable(StrEnum):
    """What becomes of a pod that cannot be spread as it should."""

    WAIT = "DoNotSchedule"
    ANYWHERE = "ScheduleAnyway"


def grace_s(section: Section, default_s: int) -> int:
    """Read `drain`: how long a deliverer may take to end."""
    read = section.read("gracePeriod", scalars.duration_between(GRACE_MIN_S, GRACE_MAX_S), default_s)
    section.finish()
    return read


def look_at_template(section: Section) -> None:
    """Note what of `template` a pod could not have."""
    resources = section.section("resources")
    for name in ("requests", "limits"):
        resources.at_most(name, RESOURCES_MAX)
        resources.table(name, labels.key, _quantity)
    resources.finish()
    labels.labels(section, "nodeSelector")
    labels.labels(section, "podLabels")
    labels.annotations(section, "podAnnotations")
    section.at_most("tolerations", TOLERATIONS_MAX)
    for each in section.sections("tolerations"):
        _toleration(each)
    section.at_most("topologySpreadConstraints", SPREADS_MAX)
    for each in section.sections("topologySpreadConstraints"):
        _spread(each)
    section.finish()


def _quantity(value: object) -> str:
    written = scalars.shown(value).strip('"') if isinstance(value, int | str) else ""
    if _QUANTITY.match(written):
        return written
    raise Unfit(f"{scalars.shown(value)} is no quantity", 'write one such as 250m, "0.5" or 256Mi')


def _toleration(section: Section) -> None:
    bears = section.read("operator", scalars.choice(Bears), Bears.EQUAL)
    section.read("key", labels.key, "")
    section.read("value", labels.value, "")
    effect = section.read("effect", scalars.choice(Effect), None)
    section.read("tolerationSeconds", scalars.integer(0, _TOLERATION_MAX_S), 0)
    if bears is Bears.EXISTS and section.has("value"):
        section.fault("value", "is not for operator Exists", "leave it out")
    if bears is Bears.EQUAL and not section.has("key"):
        section.fault("key", "is missing", "name the taint, or write operator Exists for all")
    if section.has("tolerationSeconds") and effect is not Effect.NO_EXECUTE:
        section.fault("tolerationSeconds", "is only for effect NoExecute", "leave it out, or set the effect")
    section.finish()


def _spread(section: Section) -> None:
    section.need("maxSkew", scalars.integer(1, _PLACES_MAX), 1)
    section.need("topologyKey", labels.key, "")
    otherwise = section.need("whenUnsatisfiable", scalars.choice(Unsatisfiable), Unsatisfiable.WAIT)
    section.read("minDomains", scalars.integer(1, _PLACES_MAX), 1)
    if otherwise is not Unsatisfiable.WAIT and section.has("minDomains"):
        section.fault("minDomains", "is only for whenUnsatisfiable DoNotSchedule", "leave it out")
    section.finish()
