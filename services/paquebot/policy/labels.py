"""Labels, annotations, and selectors over labels, as Kubernetes has them."""

import re
from typing import Final

from paquebot.policy import scalars
from paquebot.policy.faults import Unfit
from paquebot.policy.section import Section

LABELS_MAX: Final = 20  # of one mapping
LABEL_VALUE_MAX_CHARS: Final = 63
ANNOTATION_MAX_CHARS: Final = 1000
TERMS_MAX: Final = 20  # of a selector
VALUES_MAX: Final = 50  # of a term

_NAME: Final = "[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
_KEY = re.compile(rf"([a-z0-9]([a-z0-9.-]{{0,251}}[a-z0-9])?/)?{_NAME}\Z")
_VALUE = re.compile(rf"({_NAME})?\Z")
_OPERATORS: Final = {"In": True, "NotIn": True, "Exists": False, "DoesNotExist": False}  # whether it takes values


def key(value: object) -> str:
    """Return the name of a label or annotation, perhaps with a domain before it."""
    if isinstance(value, str) and _KEY.match(value):
        return value
    raise Unfit(f"{scalars.shown(value)} is no name of a label", "write one such as team, or shop.example/team")


def value(given: object) -> str:
    """Return the value of a label."""
    if isinstance(given, str) and _VALUE.match(given):
        return given
    cure = f"give at most {LABEL_VALUE_MAX_CHARS} letters, digits, dots, hyphens and underscores, in quotes"
    raise Unfit(f"{scalars.shown(given)} is no value of a label", cure)


def labels(section: Section, name: str) -> dict[str, str]:
    """Read a mapping of labels."""
    section.at_most(name, LABELS_MAX)
    return section.table(name, key, value)


def annotations(section: Section, name: str) -> dict[str, str]:
    """Read a mapping of annotations."""
    section.at_most(name, LABELS_MAX)
    return section.table(name, key, _annotation)


def _annotation(given: object) -> str:
    if isinstance(given, str) and len(given) <= ANNOTATION_MAX_CHARS:
        return given
    cure = f"give at most {ANNOTATION_MAX_CHARS} characters, in quotes"
    raise Unfit(f"{scalars.shown(given)} is no value of an annotation", cure)


def selector(section: Section) -> None:
    """Look at a selector, which only a cluster can follow: it alone knows labels of namespaces."""
    labels(section, "matchLabels")
    section.at_most("matchExpressions", TERMS_MAX)
    for term in section.sections("matchExpressions"):
        term.need("key", key, "")
        takes_values = term.need("operator", _operator, None)
        term.at_most("values", VALUES_MAX)
        term.entries("values", value)
        given = term.has("values") and not term.is_empty("values")
        if takes_values is not None and takes_values != given:
            term.fault("values", "are for In and NotIn, which need some", "give some, or take them out")
        term.finish()
    section.finish()


def _operator(given: object) -> bool:
    if isinstance(given, str) and given in _OPERATORS:
        return _OPERATORS[given]
    raise Unfit(f"{scalars.shown(given)} is not known", f"write one of {', '.join(_OPERATORS)}")
