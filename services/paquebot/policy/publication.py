"""How a domain's DKIM keys come into the DNS and are replaced there, and how manifests say so."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from paquebot.policy import labels, names, scalars
from paquebot.policy.section import Section

INTERVAL_MIN_S: Final = 24 * 3600
OVERLAP_MIN_S: Final = 120 * 3600  # mail is tried for so long by default, and its signature is looked at last
TTL_MIN_S: Final = 60
TTL_MAX_S: Final = 86_400
REVOKED_MAX: Final = 20


class Mode(StrEnum):
    """Who puts the records into the DNS."""

    MANUAL = "Manual"  # people, as the status lists them
    DELEGATED = "Delegated"  # people put CNAMEs into the platform's zone once; behind them the platform does
    EXTERNAL_DNS = "ExternalDNS"  # external-dns, by a DNSEndpoint


class TxtFormat(StrEnum):
    """How a TXT value of more than 255 octets is handed to external-dns."""

    AUTO = "Auto"
    QUOTED = "Quoted255"  # in quoted pieces
    RAW = "Raw"


@dataclass(frozen=True, slots=True)
class Rotation:
    """A key signs for `interval_s`, and stays published `overlap_s` after it signed last."""

    interval_s: int = 4320 * 3600
    overlap_s: int = 168 * 3600


@dataclass(frozen=True, slots=True)
class Publication:
    """Where and how the records stand. `zone` is for DELEGATED; labels and annotations are of the DNSEndpoint."""

    mode: Mode = Mode.MANUAL
    zone: str = ""
    ttl_s: int = 3600
    txt_format: TxtFormat = TxtFormat.AUTO
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


def rotation(section: Section) -> Rotation:
    """Read `dkim.rotation`."""
    default = Rotation()
    read = Rotation(
        section.read("interval", scalars.duration_between(INTERVAL_MIN_S, scalars.DURATION_MAX_S), default.interval_s),
        section.read("overlap", scalars.duration_between(OVERLAP_MIN_S, scalars.DURATION_MAX_S), default.overlap_s),
    )
    if read.overlap_s >= read.interval_s:
        section.fault("overlap", "is not shorter than `interval`", "shorten it, or raise `interval`")
    section.finish()
    return read


def revoked(section: Section) -> tuple[str, ...]:
    """Read `dkim.revoke`: selectors whose keys must not sign any more."""
    selectors = section.entries("revoke", names.label)
    section.at_most("revoke", REVOKED_MAX)
    section.each_once("revoke", selectors)
    return selectors


def publication(section: Section) -> Publication:
    """Read `dns`."""
    endpoint = section.section("endpoint")
    read = Publication(
        mode=section.read("mode", scalars.choice(Mode), Mode.MANUAL),
        zone=section.read("delegationZone", names.domain, ""),
        ttl_s=section.read("ttl", scalars.duration_between(TTL_MIN_S, TTL_MAX_S), Publication().ttl_s),
        txt_format=section.read("txtFormat", scalars.choice(TxtFormat), TxtFormat.AUTO),
        labels=labels.labels(endpoint, "labels"),
        annotations=labels.annotations(endpoint, "annotations"),
    )
    if read.mode is Mode.DELEGATED and not section.has("delegationZone"):
        section.fault(
            "delegationZone", "is needed with mode Delegated", "name the platform's zone that the CNAMEs lead to"
        )
    if read.mode is not Mode.DELEGATED and section.has("delegationZone"):
        section.fault("delegationZone", "is only for mode Delegated", "leave it out, or set the mode")
    if read.mode is Mode.MANUAL and section.has("endpoint"):
        text = "is not for mode Manual, which makes no DNSEndpoint"
        section.fault("endpoint", text, "leave it out, or set the mode")
    endpoint.finish()
    section.finish()
    return read
