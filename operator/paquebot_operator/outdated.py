"""Whether the cluster's custom resources are older than the operator: what people write is then cut off without a word.

Helm keeps what was installed where it is told to, and some upgrade tools leave CRDs out: the most common reason for a
field that does nothing. The chart writes its release on them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final

import structlog

from paquebot_operator import metrics
from paquebot_operator.kube.client import Kube
from paquebot_operator.names import CRD, GROUP, OURS, Key

SCHEMAS: Final = Key("Schemas", "", "all")
RELEASE: Final = f"{GROUP}/release"  # an annotation
LOOK_S: Final = 600.0
LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Schemas:
    """Looks at the definitions of our kinds now and then."""

    kube: Kube
    release: str = version("paquebot")

    async def reconcile(self, _key: Key) -> float:
        """Say which are older than this release."""
        for kind in OURS:
            entry = await self.kube.get(CRD, "", f"{kind.plural}.{GROUP}")
            old = entry is not None and is_older(entry, self.release)
            metrics.OUTDATED.labels(kind.name).set(old)
            if old:
                LOG.error("a CRD is older than the operator: upgrade it with the chart's", kind=kind.name)
        return LOOK_S


def is_older(definition: Mapping[str, Any], release: str) -> bool:
    """Say whether a definition was made by an earlier release; one that does not tell counts as ours."""
    told = (definition["metadata"].get("annotations") or {}).get(RELEASE, "")
    return bool(told) and _numbers(told) < _numbers(release)


def _numbers(release: str) -> tuple[int, ...]:
    """Return the numbers of `1.2.3-rc1+build`: what stands behind them does not make a release older."""
    return tuple(int(part) for part in re.split("[-+]", release, maxsplit=1)[0].split(".") if part.isdecimal())
