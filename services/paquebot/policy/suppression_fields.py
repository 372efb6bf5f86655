"""The fields of a SuppressionList, read into a value."""

from dataclasses import dataclass
from typing import Final

from paquebot.policy import names, scalars
from paquebot.policy.faults import Notes
from paquebot.policy.section import Section
from paquebot.policy.suppression import SuppressionList

DOMAIN_REFS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class DeclaredSuppression:
    """A SuppressionList with its notes, and the MailDomains that it names with the field that does."""

    notes: Notes
    value: SuppressionList
    domains: tuple[tuple[str, str], ...]


def suppression_list(spec: Section, platform_namespace: str) -> DeclaredSuppression:
    """Read the spec of a SuppressionList."""
    spec.later("import")
    applies, sources = spec.section("appliesTo"), spec.section("sources")
    domains = tuple(_domain_ref(section) for section in applies.sections("domainRefs"))
    applies.at_most("domainRefs", DOMAIN_REFS_MAX)
    applies.each_once("domainRefs", [name for name, _path in domains])
    if applies.is_empty("domainRefs"):
        applies.fault("domainRefs", "is empty", "name MailDomains, or leave it out for all")
    sources.later("complaints")
    value = SuppressionList(
        namespace=spec.notes.namespace,
        name=spec.notes.name,
        hard_bounces=sources.read("hardBounces", scalars.boolean, default=False),
        ttl_s=spec.read("ttl", scalars.duration_s, SuppressionList("", "").ttl_s),
        everybody=spec.notes.namespace == platform_namespace and not domains,
    )
    for section in (applies, sources, spec):
        section.finish()
    return DeclaredSuppression(spec.notes, value, domains)


def _domain_ref(section: Section) -> tuple[str, str]:
    name = section.need("name", names.object_name, "")
    section.finish()
    return name, section.path_of("name")
