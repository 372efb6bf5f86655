"""Where a credential's password is written in a cluster, and how often it is replaced. Seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from paquebot.policy import labels, names, scalars
from paquebot.policy.section import Section

SUFFIX: Final = "-smtp"  # of the Secret, after the credential's name
INTERVAL_MIN_S: Final = 3600
OVERLAP_MIN_S: Final = 60


@dataclass(frozen=True, slots=True)
class Binding:
    """The Secret with a credential's password, what else it carries, and the password's life; 0: it is kept."""

    secret: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    interval_s: int = 0
    overlap_s: int = 86_400  # both passwords are taken


def binding(spec: Section) -> Binding:
    """Read `secretName`, `secretTemplate` and `rotation`."""
    template, rotation = spec.section("secretTemplate"), spec.section("rotation")
    interval = scalars.duration_between(INTERVAL_MIN_S, scalars.DURATION_MAX_S)
    overlap = scalars.duration_between(OVERLAP_MIN_S, scalars.DURATION_MAX_S)
    read = Binding(
        secret=spec.read("secretName", names.object_name, spec.notes.name + SUFFIX),
        labels=labels.labels(template, "labels"),
        annotations=labels.annotations(template, "annotations"),
        interval_s=rotation.need("interval", interval, 0) if spec.has("rotation") else 0,
        overlap_s=rotation.read("overlap", overlap, Binding().overlap_s),
    )
    if 0 < read.interval_s <= read.overlap_s:
        rotation.fault("overlap", "is not shorter than `interval`", "shorten it, or raise `interval`")
    template.finish()
    rotation.finish()
    return read
