"""What the API server takes as a domain, a duration, a rate and so on, the policy takes, and nothing else.

The distinct schemas of all fields that hold text become one resource of lists for the length of this test, so that
one request judges every text by every schema.
"""

import re
from typing import Any

import pytest

from crd_support import ALL, Field, policy_faults
from kube_plane import Plane, Refused

TEXTS = (
    *("", "a", "A", "-a", "a-", "a_b", "a.b", ".a", "a..b", "a b", "a\tb", "a\u00a0b", "é", "*", "007", "0", "5"),
    *("shop.example", "Shop.example", "shop.example.", "*.shop.example", "*.Shop.example", "xn--bcher-kva.example"),
    *("-a.example", "ä.example", "a" * 63, "a" * 64, f"{'a' * 63}.{'b' * 63}.example", f"{'a' * 64}.example", "team/x"),
    *("shop.example/team_1", "a/b/c", "/a", "a/"),
    *("5m", "1h30m", "0s", "0m", "5x", "1d1h1m1s", "1h1h1h1h1h", "366d", "367d", "999999999d", "5 m", "Never", "never"),
    *("50%", "0%", "100%", "101%", "12.5%", "1.2345%", "%", "-1%", "1000%"),
    *("50/s", "0/s", "0.0/m", "1.5/h", "1/d", "/s", "1234567890/s"),
    *("25Mi", "100Mi", "101Mi", "0Mi", "1k", "1G", "1Ti", "999999999999Gi", "100m", "0.5", "1e3"),
    *(
        "a@b.example",
        "A@B.Example",
        "*@b.example",
        "@b.example",
        "a@b",
        "a..b@c.example",
        "x@-b.example",
        "'!#~@b.example",
    ),
    *(f"{'a' * 64}@b.example", f"{'a' * 65}@b.example", '"a"@b.example', "a@b@c.example"),
    *("08:00", "24:00", "24:01", "8:00", "23:60", "08:00:00", "127.0.0.1", "::1", "1.2.3", "256.1.1.1"),
    *("550 5.7.1 No", "550 5.7", "550 No", "451 No", "550 5.7.1 5.7.1 x", "550", "550 ", "553 5 x", "550 5.x", "550 é"),
    *("4.7.28", "4*", "*.*", "* ", "421 slow*", "a" * 200),
)


def is_text(field: Field) -> bool:
    schema = field.schema
    text = schema.get("type") == "string" or schema.get("x-kubernetes-int-or-string")
    # Names of time zones are in no schema, times in none of these texts; what cannot change is asked of one object.
    return bool(text) and not {"enum", "format"} & set(schema) and not field.path.endswith(".timeZone")


FIELDS = [field for field in ALL if is_text(field)]


def shape(field: Field) -> str:
    """Return a name for how a field judges, the same for all that judge alike."""
    rules = [each["rule"] for each in field.schema.get("x-kubernetes-validations", ()) if "oldSelf" not in each["rule"]]
    return repr((field.schema.get("type"), field.schema.get("maxLength"), rules))


SHAPES = {shape(field): field for field in FIELDS}
NAMES = {name: f"shape{number}" for number, name in enumerate(SHAPES)}


def trial() -> dict[str, Any]:
    """Return a resource with a list for each shape."""
    properties = {}
    for name, field in SHAPES.items():
        kept = ("type", "maxLength", "x-kubernetes-int-or-string")
        item = {key: field.schema[key] for key in kept if key in field.schema}
        rules = field.schema.get("x-kubernetes-validations", ())
        item["x-kubernetes-validations"] = [{"rule": each["rule"]} for each in rules if "oldSelf" not in each["rule"]]
        properties[NAMES[name]] = {"type": "array", "maxItems": len(TEXTS), "items": item}
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}}
    names = {"plural": "trials", "singular": "trial", "kind": "Trial", "listKind": "TrialList"}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "trials.test.example"},
        "spec": {"group": "test.example", "scope": "Cluster", "names": names, "versions": [version]},
    }


@pytest.fixture(scope="module")
def refused_by_server(bare_plane: Plane) -> dict[str, set[str]]:
    """Return which texts each shape refuses; what is too long for it was refused before any rule."""
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/trials.test.example"
    bare_plane.apply(path, trial())
    bare_plane.kubectl("wait", "--for=condition=Established", "crd/trials.test.example", "--timeout=30s")
    fitting = {
        name: [text for text in TEXTS if len(text) <= field.schema["maxLength"]] for name, field in SHAPES.items()
    }
    spec = {NAMES[name]: texts for name, texts in fitting.items()}
    entry = {"apiVersion": "test.example/v1", "kind": "Trial", "metadata": {"name": "all"}, "spec": spec}
    with pytest.raises(Refused) as refused:
        bare_plane.call("POST", "/apis/test.example/v1/trials?dryRun=All", entry)
    bare_plane.call("DELETE", path)
    told = {name: {text for text in TEXTS if text not in fitting[name]} for name in SHAPES}
    by_short = {short: name for name, short in NAMES.items()}
    for cause in refused.value.status["details"]["causes"]:
        place = re.fullmatch(r"spec\.(shape\d+)\[(\d+)\]", cause["field"])
        assert place, cause
        name = by_short[place[1]]
        told[name].add(fitting[name][int(place[2])])
    return told


def is_refused(field: Field, text: str) -> bool:
    """Say whether the policy refuses a text by itself, not beside others: then it says other things."""
    told = [each.text for each in policy_faults(field.alone(text)) if each.path == field.at]
    return any(re.match('"|is more than we take|is longer than mail is kept', each) for each in told)


def test_every_text_is_judged_alike(refused_by_server: dict[str, set[str]]) -> None:
    assert len(SHAPES) > 15
    for field in FIELDS:
        assert {text for text in TEXTS if is_refused(field, text)} == refused_by_server[shape(field)], str(field)
