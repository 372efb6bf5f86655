"""Our custom resource definitions as tests read them; what the API server and the policy say of a manifest."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kube_plane import Plane, Refused
from paquebot.policy.compile import faults_alone
from paquebot.policy.faults import Fault

ROOT = Path(__file__).parents[1]
API = "paquebot.dev/v1alpha1"
PLATFORM = "mail-system"
CRDS = {
    crd["spec"]["names"]["kind"]: crd
    for crd in (yaml.safe_load(path.read_text()) for path in (ROOT / "charts/paquebot/files/crds").glob("*.yaml"))
}
# What each kind cannot do without.
LEAST: dict[str, dict[str, Any]] = {
    "MailDomain": {"domain": "shop.example"},
    "SendingPool": {"heloHostname": "out.mail.example"},
    "SMTPCredential": {"domainRefs": [{"name": "main"}]},
    "TransportRoute": {"action": {"hold": {"reason": "incident 42"}}},
    "DestinationPolicy": {"match": {"domains": ["big.example"]}},
    "SuppressionList": {},
}
# What goes with a field where its mapping cannot do without.
BESIDE: dict[str, Any] = {
    "action": "SuspendDomain",
    "from": "08:00",
    "heloHostname": "out.mail.example",
    "host": "relay.example",
    "interval": "90d",
    "key": "team",
    "match": "4.7.28",
    "maxSkew": 1,
    "name": "it",
    "operator": "In",
    "reason": "incident 42",
    "reply": "550 5.7.1 No",
    "timeZone": "Europe/Berlin",
    "to": "18:00",
    "topologyKey": "zone",
    "whenUnsatisfiable": "DoNotSchedule",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One place of a spec: its path without indices (`spec.retry.quick[]`), its schema, and whether it is needed."""

    kind: str
    path: str
    schema: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.kind}.{self.path}"

    @property
    def properties(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.schema.get("properties", {})
        return found

    def given(self, value: object) -> dict[str, Any]:
        """Return a manifest that says this there, and else what the kind needs."""
        if self.path == "spec":
            return manifest(self.kind, value)
        # A route does one thing: another in its place, not beside it.
        least = {} if self.path.startswith("spec.action.") else LEAST[self.kind]
        return manifest(self.kind, _with(least, self.path.split(".")[1:], value))

    def alone(self, value: object) -> dict[str, Any]:
        """Return the same, with whatever must stand beside the field."""
        made = self.given(value)
        return {**made, "spec": _completed(spec_of(self.kind), made["spec"])}

    @property
    def at(self) -> str:
        """The path as a fault of the first entry has it."""
        return self.path.replace("[]", "[0]")


def _with(spec: Mapping[str, Any], steps: list[str], value: object) -> dict[str, Any]:
    name, rest = steps[0], steps[1:]
    plain = name.removesuffix("[]")
    if plain == name:
        inner = _with(spec.get(name) or {}, rest, value) if rest else value
    else:
        before = (spec.get(plain) or [{}])[0]
        inner = [_with(before, rest, value) if rest else value]
    return {**spec, plain: inner}


def _completed(schema: Mapping[str, Any], value: Any) -> Any:
    if isinstance(value, list):
        return [_completed(schema["items"], each) for each in value]
    if not isinstance(value, dict) or "properties" not in schema:
        return value
    missing = {name: BESIDE[name] for name in schema.get("required", ()) if name not in value}
    return {name: _completed(schema["properties"][name], each) for name, each in (value | missing).items()}


def manifest(kind: str, spec: object, name: str = "it", namespace: str = PLATFORM) -> dict[str, Any]:
    """Return an object of ours."""
    metadata = {"name": name} if kind == "DestinationPolicy" else {"name": name, "namespace": namespace}
    return {"apiVersion": API, "kind": kind, "metadata": metadata, "spec": spec}


def spec_of(kind: str) -> Mapping[str, Any]:
    """Return the schema of a kind's spec."""
    found: Mapping[str, Any] = whole(kind)["properties"]["spec"]
    return found


def whole(kind: str) -> Mapping[str, Any]:
    """Return the schema of a kind."""
    found: Mapping[str, Any] = CRDS[kind]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return found


def fields(kind: str) -> Iterator[Field]:
    """Return every place of a kind's spec, the outer before the inner."""
    yield from _below(Field(kind, "spec", spec_of(kind)))


def _below(field: Field) -> Iterator[Field]:
    yield field
    for name, schema in field.properties.items():
        yield from _below(Field(field.kind, f"{field.path}.{name}", schema))
    if "items" in field.schema:
        yield from _below(Field(field.kind, f"{field.path}[]", field.schema["items"]))


ALL = [field for kind in CRDS for field in fields(kind)]


def policy_faults(given: Mapping[str, Any]) -> tuple[Fault, ...]:
    """Return what `paquebot check` says of an object alone."""
    return faults_alone([given])


def server_faults(plane: Plane, given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return field and message of each fault that the API server finds, as kubectl would have it look."""
    metadata = given["metadata"]
    crd = CRDS[given["kind"]]["spec"]
    place = f"/namespaces/{metadata['namespace']}" if crd["scope"] == "Namespaced" else ""
    path = f"/apis/{API}{place}/{crd['names']['plural']}?dryRun=All&fieldValidation=Strict"
    try:
        plane.call("POST", path, given)
    except Refused as refused:
        unknown = re.findall(r'unknown field "([^"]+)"', refused.message)
        if unknown:
            return [(name, "is not a known field") for name in unknown]
        causes = (refused.status.get("details") or {}).get("causes") or ()
        if not causes:
            raise
        return [(_plain(each.get("field", "")), each["message"]) for each in causes if each.get("field") != "<nil>"]
    return []


def _plain(path: str) -> str:
    """Return a path as ours are written: entries of a mapping after a dot."""
    return re.sub(r"\[([^\]0-9][^\]]*)\]", r".\1", path)
