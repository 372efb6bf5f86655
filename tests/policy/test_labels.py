"""Labels, annotations and selectors as Kubernetes takes them, and told when unfit."""

from typing import Any

import pytest

from paquebot.policy.faults import Notes
from paquebot.policy.labels import annotations, labels, selector
from paquebot.policy.section import Section


def section(value: Any) -> Section:
    return Section(Notes("SendingPool", "n", "p"), "spec", value)


def test_labels_are_read_with_a_domain_and_without_a_value() -> None:
    given = {"team": "mail", "shop.example/Tier_1": ""}
    assert labels(section({"labels": given}), "labels") == given
    assert annotations(section({"annotations": {"a": "any text: §"}}), "annotations") == {"a": "any text: §"}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"-a": "b"}, "spec.labels.-a"),
        ({"a/b/c": "b"}, "is no name of a label"),
        ({"a": "b" * 64}, "give at most 63"),
        ({"a": 1}, "in quotes"),
        ({f"a{number}": "" for number in range(21)}, "has 21 entries; give at most 20"),
    ],
)
def test_unfit_labels_are_told(given: dict[str, Any], told: str) -> None:
    read = section({"labels": given})
    labels(read, "labels")
    assert [told in str(fault) for fault in read.notes.faults] == [True]


@pytest.mark.parametrize(
    ("term", "told"),
    [
        ({"key": "a", "operator": "In", "values": ["b"]}, ""),
        ({"key": "a", "operator": "Exists"}, ""),
        ({"key": "a", "operator": "In"}, "values: are for In and NotIn, which need some"),
        ({"key": "a", "operator": "Exists", "values": ["b"]}, "values: are for In and NotIn"),
        ({"key": "a", "operator": "Has"}, "write one of In, NotIn, Exists, DoesNotExist"),
        ({"operator": "Exists"}, "spec.matchExpressions[0].key: is missing"),
    ],
)
def test_a_term_of_a_selector_has_values_where_it_compares(term: dict[str, Any], told: str) -> None:
    read = section({"matchLabels": {"mail": "allowed"}, "matchExpressions": [term]})
    selector(read)
    assert [told in str(fault) for fault in read.notes.faults] == ([True] if told else [])
