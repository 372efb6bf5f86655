"""The schemas and `paquebot.policy` know the same fields, with the same words, bounds and defaults."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from crd_support import ALL, CRDS, LEAST, Field, manifest, policy_faults, spec_of, whole
from paquebot.policy.compile import compile_policy

STRANGE = "§"  # near to no name, and no value of anything
DURATION = re.compile(r"(\d+) <= seconds && seconds <= (\d+)")
PERCENT = re.compile(r">= (\d+)\.0 && .* <= (\d+)\.0")
CONDITIONAL = {"key", "for", "delegationZone", "domainRefs"}  # needed where a rule of CEL says so


def told(field: Field, value: object, at: str = "") -> list[str]:
    """Return what the policy says of a value there, and of that place alone."""
    return [f"{each.text}; {each.cure}" for each in policy_faults(field.given(value)) if each.path == (at or field.at)]


def rules(schema: Mapping[str, Any]) -> str:
    return "\n".join(rule["rule"] for rule in schema.get("x-kubernetes-validations", ()))


def test_both_know_the_same_fields() -> None:
    for field in [each for each in ALL if "properties" in each.schema]:
        (fault,) = told(field, {STRANGE: 1}, f"{field.at}.{STRANGE}")
        known = set(fault.partition("known here: ")[2].split(", "))
        later = {name for name in known if "is not served yet" in str(told(field, {name: 1}, f"{field.at}.{name}"))}
        assert known - later == set(field.properties), str(field)


def test_what_has_no_fields_to_one_has_none_to_the_other() -> None:
    for field in [each for each in ALL if "properties" not in each.schema]:
        inside = [each for each in policy_faults(field.given({STRANGE: 1})) if "is not a known field" in each.text]
        assert not inside, str(field)


def test_both_need_the_same_fields() -> None:
    for field in [each for each in ALL if "properties" in each.schema]:
        empty = {each.path.removeprefix(f"{field.at}.") for each in policy_faults(field.given({}))}
        needed = set(field.schema.get("required", ()))
        assert needed <= empty, str(field)
        assert (empty & set(field.properties)) - needed <= CONDITIONAL, str(field)


def test_both_know_the_same_words() -> None:
    for field in [each for each in ALL if "enum" in each.schema]:
        found = re.search(r"write (?:one|some) of (.*)", str(*told(field, STRANGE)))
        assert found, str(field)
        taken = {word for word in found[1].split(", ") if not told(field, word)}
        assert taken == set(field.schema["enum"]), str(field)


def refused(field: Field, values: Mapping[str, object], words: str) -> list[str]:
    """Return the names of those values that the policy refuses in such words."""
    return [name for name, value in values.items() if any(re.search(words, each) for each in told(field, value))]


def test_both_have_the_same_bounds_of_numbers() -> None:
    for field in [each for each in ALL if "maximum" in each.schema]:
        least, most = field.schema["minimum"], field.schema["maximum"]
        tried = {"below": least - 1, "least": least, "most": most, "above": most + 1}
        assert refused(field, tried, "out of range|not a number|is 0;") == ["below", "above"], str(field)


def test_both_have_the_same_bounds_of_durations() -> None:
    for field, least, most in bounded(DURATION):
        tried = {"below": f"{least - 1}s", "least": f"{least}s", "most": f"{most}s", "above": f"{most + 1}s"}
        if least == 0 or "Never" in rules(field.schema):
            tried.pop("below")  # there is no less, or it is another way to say Never
        assert refused(field, tried, "duration|is longer than mail is kept") == [
            name for name in tried if name in {"below", "above"}
        ], str(field)


def test_both_have_the_same_bounds_of_percentages() -> None:
    for field, least, most in bounded(PERCENT):
        tried = {"below": f"{least - 1}%", "least": f"{least}%", "most": f"{most}%", "above": f"{most + 1}%"}
        assert refused(field, tried, "percentage") == ["below", "above"], str(field)


def bounded(pattern: re.Pattern[str]) -> Iterator[tuple[Field, int, int]]:
    for field in ALL:
        found = pattern.search(rules(field.schema))
        if found:
            assert bool(told(field, "Never")) == ("Never" not in rules(field.schema)), str(field)
            yield field, int(found[1]), int(found[2])


def test_both_take_as_many_entries() -> None:
    for field in [each for each in ALL if "maxItems" in each.schema and "enum" not in each.schema["items"]]:
        most = field.schema["maxItems"]
        tried = {"most": [STRANGE] * most, "more": [STRANGE] * (most + 1)}
        assert refused(field, tried, f"at most {most}$") == ["more"], str(field)
    for field in [each for each in ALL if "maxProperties" in each.schema]:
        most = field.schema["maxProperties"]
        entries = [{f"a{entry}": "1" for entry in range(number)} for number in (most, most + 1)]
        assert refused(field, dict(zip(("most", "more"), entries, strict=True)), f" {most}\\b") == ["more"], str(field)


def test_both_refuse_a_list_or_mapping_of_nothing() -> None:
    for field in ALL:
        if "minItems" in field.schema or "minProperties" in field.schema:
            assert told(field, [] if "minItems" in field.schema else {}), str(field)


def test_both_refuse_an_entry_twice() -> None:
    for field in [each for each in ALL if each.schema.get("x-kubernetes-list-type") in {"set", "map"}]:
        items = field.schema["items"]
        entry = items["enum"][0] if "enum" in items else {"name": "a"} if "properties" in items else "a"
        assert told(field, [entry, entry], f"{field.at}[1]"), str(field)


@pytest.mark.parametrize("kind", CRDS)
def test_a_default_of_the_schema_is_the_policys(kind: str) -> None:
    others = [each for each in (manifest("SendingPool", LEAST["SendingPool"], "default"),) if kind != "SendingPool"]
    if kind == "SMTPCredential":
        others.append(manifest("MailDomain", LEAST["MailDomain"], "main"))
    plain, filled = LEAST[kind], with_defaults(spec_of(kind), LEAST[kind])
    assert filled != plain
    assert compile_policy([*others, manifest(kind, filled)]) == compile_policy([*others, manifest(kind, plain)])


def with_defaults(schema: Mapping[str, Any], value: Any) -> Any:
    """Return a value as the API server keeps it, were every mapping given that can be empty."""
    filled = dict(value)
    for name, inner in schema.get("properties", {}).items():
        if "default" in inner:
            filled.setdefault(name, inner["default"])
        elif "properties" in inner and not inner.get("required") and "has(" not in rules(inner):
            filled.setdefault(name, {})
        if "properties" in inner and name in filled:
            filled[name] = with_defaults(inner, filled[name])
    # An empty endpoint or selector says something.
    return {name: entry for name, entry in filled.items() if entry != {} or name not in {"endpoint", "selector"}}


@pytest.mark.parametrize("kind", CRDS)
def test_every_field_is_described_and_its_default_named(kind: str) -> None:
    for path, schema in described(whole(kind)):
        words = schema.get("description", "")
        assert len(words.split()) >= 3, path
        if path.startswith(".spec") and isinstance(schema.get("default"), str | int):
            assert f"default {schema['default']}".lower() in words.lower(), path


def described(schema: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    if path:
        yield path, schema
    for name, inner in schema.get("properties", {}).items():
        if path or name in {"spec", "status"}:
            yield from described(inner, f"{path}.{name}")
    if "properties" in schema.get("items", {}):
        yield from described(schema["items"], f"{path}[]")
