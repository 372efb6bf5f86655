"""Generates docs/api.md from the custom resource definitions; `--check` says whether what is committed is current."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
CRDS = ROOT / "charts" / "paquebot" / "files" / "crds"
PAGE = ROOT / "docs" / "api.md"
KINDS = ("MailDomain", "SendingPool", "SMTPCredential", "TransportRoute", "DestinationPolicy", "SuppressionList")
HEAD = """# The custom resources

Generated from `charts/paquebot/files/crds` by hack/api_docs.py; `kubectl explain` says the same. All are
`apiVersion: paquebot.dev/v1alpha1` and stand in the category `mail`: `kubectl get mail -A`. `[]` after a name is
each entry of a list. Durations are written with `s`, `m`, `h` and `d`, such as `90s`, `1h30m` or `5d`.

What the API server cannot know, such as whether a pool exists and allows a namespace, the status tells in
conditions; `paquebot check -f` tells it before anything is applied.
"""

Schema = Mapping[str, Any]


def page() -> str:
    """Return the whole page."""
    found = {crd["spec"]["names"]["kind"]: crd for crd in map(_read, sorted(CRDS.glob("*.yaml")))}
    return HEAD + "".join("".join(section(found[kind])) for kind in KINDS)


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def section(crd: Any) -> Iterator[str]:
    """Write what there is to know of one kind."""
    spec, names = crd["spec"], crd["spec"]["names"]
    version = spec["versions"][0]
    schema = version["schema"]["openAPIV3Schema"]
    yield f"\n## {names['kind']}\n\n{schema['description']}\n\n"
    scope = "It belongs to a namespace" if spec["scope"] == "Namespaced" else "It belongs to the whole cluster"
    yield f"{scope}; short name `{names['shortNames'][0]}`.\n"
    for part in ("spec", "status"):
        yield f"\n| `{part}` | Type | Meaning |\n|---|---|---|\n"
        yield from rows(schema["properties"][part], "")
    together = list(rules(schema, ""))
    if together:
        yield "\nRefused as well:\n\n" + "".join(f"* {line}\n" for line in together)


def rows(schema: Schema, path: str) -> Iterator[str]:
    """Write a row for each field, the outer before the inner."""
    for name, field in schema.get("properties", {}).items():
        below = f"{path}{name}"
        needed = " (needed)" if name in schema.get("required", ()) else ""
        yield f"| `{below}`{needed} | {kind(field)} | {' '.join(field['description'].split())} |\n"
        if below == "conditions":
            continue  # the same for every kind, and as Kubernetes has them
        inner = field.get("items", field)
        yield from rows(inner, f"{below}[]." if "items" in field else f"{below}.")


def kind(field: Schema) -> str:
    """Say what a field holds, with its bounds."""
    if "enum" in field:
        return "one of " + ", ".join(f"`{word}`" for word in field["enum"])
    if "maximum" in field:
        return f"{field['type']}, {field['minimum']} to {field['maximum']}"
    if "items" in field:
        return f"list of {kind(field['items'])}, at most {field['maxItems']}"
    if "additionalProperties" in field:
        return f"mapping to {kind(field['additionalProperties'])}"
    if field.get("format") == "date-time":
        return "time"
    return "string or integer" if "type" not in field else str(field["type"]).replace("object", "mapping")


def rules(schema: Schema, path: str) -> Iterator[str]:
    """Write what must hold between fields."""
    for rule in schema.get("x-kubernetes-validations", ()) if "properties" in schema else ():
        yield f"`{(path + rule.get('fieldPath', '')).lstrip('.')}`: {' '.join(rule['message'].split())}"
    for name, field in schema.get("properties", {}).items():
        yield from rules(field, f"{path}.{name}")
    if "items" in schema:
        yield from rules(schema["items"], f"{path}[]")


if __name__ == "__main__":
    fresh = page()
    if "--check" not in sys.argv:
        PAGE.write_text(fresh)
    elif not PAGE.exists() or PAGE.read_text() != fresh:
        sys.exit("docs/api.md is not current: run `make docs`")
