"""Text becomes objects that remember where their fields stand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.policy.compile import compile_policy
from paquebot.policy.faults import PolicyFaults
from paquebot.policy.manifests import ManifestFault, locate, parse, read

TEXT = """\
# a comment
apiVersion: paquebot.dev/v1alpha1
kind: MailDomain
metadata: {name: main, namespace: shop}
spec:
  domain: Shop.example
  content:
    reject: 3
---
---
kind: DestinationPolicy
spec:
  match:
    domains:
      - a.test
      - b.test
"""


def test_documents_become_objects_and_empty_ones_are_passed_over() -> None:
    assert [found.object["kind"] for found in parse(TEXT)] == ["MailDomain", "DestinationPolicy"]


def test_fields_know_their_lines_and_unknown_ones_the_nearest_around() -> None:
    first, second = parse(TEXT, "domain.yaml")
    assert first.line_of("spec.content.reject") == 8
    assert first.line_of("spec.content.hold") == 7
    assert first.line_of("status") == 2
    assert second.line_of("spec.match.domains[1]") == 16
    assert second.line_of("spec.match.domains[7].name") == 14


def test_a_fault_is_located_in_its_file() -> None:
    located = parse(TEXT, "domain.yaml")
    with pytest.raises(PolicyFaults) as refused:
        compile_policy([located[0].object])
    places = [locate(fault, located) for fault in refused.value.faults]
    assert places[:2] == [("domain.yaml", 6), ("domain.yaml", 8)]
    assert locate(refused.value.faults[0], []) == ("", 0)


def test_of_two_with_one_name_the_second_is_located() -> None:
    pool = "apiVersion: paquebot.dev/v1alpha1\nkind: SendingPool\nmetadata: {name: a, namespace: b}\nspec: {}\n"
    located = parse(f"{pool}---\n{pool}", "pool.yaml")
    with pytest.raises(PolicyFaults) as refused:
        compile_policy([each.object for each in located])
    twice = [locate(fault, located) for fault in refused.value.faults if "declared twice" in fault.text]
    assert twice == [("pool.yaml", 8)]


def test_a_document_with_faults_tells_all_of_them_and_does_not_hide_the_others() -> None:
    found, faults = read("a: 1\na: 2\nb: {x: 1, x: 2}\n---\n- 1\n---\nkind: C\n---\nd: [}\n", "some.yaml")
    assert [each.object for each in found] == [{"kind": "C"}]
    assert [(fault.line, fault.text) for fault in faults[:3]] == [
        (2, '"a" stands here twice'),
        (3, '"x" stands here twice'),
        (5, "is no object"),
    ]
    assert faults[3].line == 9
    assert all(fault.cure for fault in faults)


def test_a_list_is_unfolded_with_lines_of_the_file() -> None:
    text = "kind: List\nitems:\n- kind: A\n  spec: {}\n- kind: B\n  spec:\n    x: 1\n"
    first, second = parse(text)
    assert (first.object, second.object["kind"]) == ({"kind": "A", "spec": {}}, "B")
    assert second.line_of("spec.x") == 7


def test_json_is_read_too() -> None:
    assert parse('{"kind": "A", "spec": {"x": [1, 2.5, true, null, "y"]}}')[0].object == {
        "kind": "A",
        "spec": {"x": [1, 2.5, True, None, "y"]},
    }


def test_dates_stay_strings_and_keys_are_text() -> None:
    found = parse("expiresAt: 2030-01-31T12:00:00Z\n1: 2\ntrue: x\n")[0].object
    assert found == {"expiresAt": "2030-01-31T12:00:00Z", "1": 2, "true": "x"}


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("a: 1\nb: [", 2, ""),
        ("a: 1\na: 2\n", 2, "stands here twice"),
        ("- 1\n", 1, "is no object"),
        ("kind: List\nitems:\n- 3\n", 3, "is no object"),
        ("a: !!binary aGk=\n", 1, "are not for manifests"),
        ("a: !!python/object:os.system x\n", 1, "are not for manifests"),
        ("a: !!int x\n", 1, "not what its tag says"),
        ("a: 1\n? [b]\n: 1\n", 2, "this key is not text"),
        ("a: &a {x: 1}\nb:\n  <<: *a\n", 3, "this key is not text"),
        ("a: &a\n  b: *a\n", 1, "nests too deep"),
        ("a: " + "[" * 60 + "]" * 60, 1, "nests too deep"),
        ("a: \x00", 1, "not YAML"),
    ],
)
def test_what_is_no_manifest_is_told_with_its_line(text: str, line: int, told: str) -> None:
    with pytest.raises(ManifestFault) as refused:
        parse(text, "bad.yaml")
    assert (refused.value.file, refused.value.line) == ("bad.yaml", line)
    assert told in refused.value.text


def test_aliases_that_multiply_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 10)}]" for at in range(1, 9)]
    with pytest.raises(ManifestFault, match="through aliases"):
        parse("\n".join(lines))


@given(text=st.text(alphabet=st.sampled_from("ab:-[]{}&*!#|>'\"\n 1.~?,")))
def test_any_text_gives_objects_or_one_fault(text: str) -> None:
    lines: list[int] = []
    try:
        lines = [found.line_of("") for found in parse(text)]
    except ManifestFault as refused:
        lines = [refused.line]
    assert all(1 <= line <= text.count("\n") + 1 for line in lines)
