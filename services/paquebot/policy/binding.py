"""Where a credential's password is written in a cluster, and how often it is replaced: the operator does it."""

from typing import Final

from paquebot.policy import labels, names, scalars
from paquebot.policy.section import Section

SUFFIX: Final = "-smtp"  # of the Secret, after the credential's name
INTERVAL_MIN_S: Final = 3600
OVERLAP_MIN_S: Final = 60
OVERLAP_S: Final = 86_400  # so long both passwords are taken, by default


def secret_name(spec: Section) -> str:
    """Read `secretName`, look at `secretTemplate` and `rotation`; return the Secret's name, "" for no password.

    There is none where only ServiceAccounts use the credential and nobody asks for one.
    """
    template, rotation = spec.section("secretTemplate"), spec.section("rotation")
    labels.labels(template, "labels")
    labels.annotations(template, "annotations")
    template.finish()
    if spec.has("rotation"):
        _look_at_rotation(rotation)
    by_token = spec.has("serviceAccounts") and not spec.is_empty("serviceAccounts") and not spec.has("rotation")
    return spec.read("secretName", names.object_name, "" if by_token else spec.notes.name + SUFFIX)


def _look_at_rotation(section: Section) -> None:
    interval_s = section.need("interval", scalars.duration_between(INTERVAL_MIN_S, scalars.DURATION_MAX_S), 0)
    overlap_s = section.read("overlap", scalars.duration_between(OVERLAP_MIN_S, scalars.DURATION_MAX_S), OVERLAP_S)
    if 0 < interval_s <= overlap_s:
        section.fault("overlap", "is not shorter than `interval`", "shorten it, or raise `interval`")
    section.finish()
