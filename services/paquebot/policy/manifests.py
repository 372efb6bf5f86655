"""Manifests: YAML or JSON text becomes plain objects that remember on which line each field stands.

Read as Kubernetes reads them: mappings, lists, strings, numbers, booleans and null, nothing else;
dates stay strings. Files are opened by who calls.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from paquebot.policy.faults import Fault

DEPTH_MAX: Final = 50
NODES_MAX: Final = 1_000_000  # after aliases are followed: nine lines can name a billion otherwise
TEXT_MAX_CHARS: Final = 32 << 20
SYNTAX: Final = "correct the YAML; nothing behind it was read"

_STRING_TAGS: Final = frozenset({"tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp"})
_PLAIN: Final = {
    "tag:yaml.org,2002:int": yaml.constructor.SafeConstructor.construct_yaml_int,
    "tag:yaml.org,2002:float": yaml.constructor.SafeConstructor.construct_yaml_float,
    "tag:yaml.org,2002:bool": yaml.constructor.SafeConstructor.construct_yaml_bool,
    "tag:yaml.org,2002:null": yaml.constructor.SafeConstructor.construct_yaml_null,
}
_CONSTRUCTOR = yaml.constructor.SafeConstructor()


class ManifestFault(Exception):  # noqa: N818  (a fault is our word)
    """Text that is no manifest: file, line (from 1), why, and the cure."""

    def __init__(self, file: str, line: int, text: str, cure: str) -> None:
        """Take the place, the reason and what to do."""
        super().__init__(f"{file}:{line}: {text}; {cure}")
        self.file = file
        self.line = line
        self.text = text
        self.cure = cure


@dataclass(frozen=True, slots=True)
class Located:
    """One object, its file, and the line of each of its fields by path (`spec.content.reject`)."""

    object: dict[str, Any]
    file: str
    lines: dict[str, int]

    def line_of(self, path: str) -> int:
        """Return the line of a field, or of the nearest one around it that is there."""
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get(path, 1)


def parse(text: str, filename: str = "") -> tuple[Located, ...]:
    """Return the objects of all documents, as `read` does; raise the first ManifestFault there is."""
    located, faults = read(text, filename)
    if faults:
        raise faults[0]
    return located


def read(text: str, filename: str = "") -> tuple[tuple[Located, ...], tuple[ManifestFault, ...]]:
    """Return the objects of all documents; empty documents are passed over, `kind: List` is unfolded.

    And the faults: where the text is not YAML, holds other than plain values, or no mappings. A document with one
    gives no object, the others do; behind a fault of syntax nothing can be read.
    """
    if len(text) > TEXT_MAX_CHARS:
        return (), (ManifestFault(filename, 1, f"longer than {TEXT_MAX_CHARS} characters", "split it"),)
    builder = _Builder(filename)
    located: list[Located] = []
    try:
        for document in yaml.compose_all(text, Loader=yaml.CSafeLoader):
            located += builder.of(document)
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        # The end of the text may count as a line of its own.
        line = min(mark.line, text.count("\n")) + 1 if mark else 1
        builder.faults.append(ManifestFault(filename, line, fault.problem or "not YAML", SYNTAX))
    except (yaml.YAMLError, UnicodeError, RecursionError):
        builder.faults.append(ManifestFault(filename, 1, "not YAML", SYNTAX))
    return tuple(located), tuple(builder.faults)


def locate(fault: Fault, located: Sequence[Located]) -> tuple[str, int]:
    """Return file and line of a fault of these objects; ("", 0) for one of no object alone."""
    if not 0 <= fault.at < len(located):
        return "", 0
    return located[fault.at].file, located[fault.at].line_of(fault.path)


class _Builder:
    """Makes plain values of a file's nodes, and counts them."""

    def __init__(self, filename: str) -> None:
        self._filename = filename
        self._nodes = 0
        self.faults: list[ManifestFault] = []

    def of(self, document: yaml.Node) -> list[Located]:
        """Return the document's objects; none of a document with faults, which are noted."""
        known, found = len(self.faults), list[Located]()
        try:
            found = self._located(document)
        except ManifestFault as fault:
            self.faults.append(fault)
        return found if len(self.faults) == known else []

    def _located(self, document: yaml.Node) -> list[Located]:
        lines: dict[str, int] = {}
        value = self._value(document, "", lines, 0)
        if value is None:
            return []
        if not isinstance(value, dict):
            raise self._fault(document, "is no object", "give a mapping with apiVersion, kind, metadata and spec")
        if value.get("kind") == "List" and isinstance(value.get("items"), list):
            items = next(entry for key, entry in document.value if key.value == "items")
            return [found for item in items.value for found in self._located(item)]
        return [Located(value, self._filename, lines)]

    def _value(self, node: yaml.Node, path: str, lines: dict[str, int], depth: int) -> object:
        self._nodes += 1
        if depth > DEPTH_MAX or self._nodes > NODES_MAX:
            raise self._fault(node, "nests too deep or names too much through aliases", "write it flatter")
        lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, lines, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(entry, f"{path}[{at}]", lines, depth + 1) for at, entry in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: str, lines: dict[str, int], depth: int) -> dict[str, object]:
        read: dict[str, object] = {}
        for key_node, value_node in node.value:
            # A key is text, however plain it looks: Kubernetes knows no other.
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is None or key_node.tag == "tag:yaml.org,2002:merge":
                raise self._fault(key_node, "this key is not text", "write it in quotes")
            if key in read:
                self.faults.append(self._fault(key_node, f'"{key}" stands here twice', "remove one of the two"))
            below = f"{path}.{key}" if path else key
            lines[below] = key_node.start_mark.line + 1
            read[key] = self._value(value_node, below, lines, depth + 1)
        return read

    def _scalar(self, node: yaml.Node) -> object:
        if node.tag in _STRING_TAGS:
            return str(node.value)
        if isinstance(node, yaml.ScalarNode) and node.tag in _PLAIN:
            try:
                return _PLAIN[node.tag](_CONSTRUCTOR, node)
            except (ValueError, IndexError, KeyError, yaml.YAMLError):
                raise self._fault(node, "this value is not what its tag says", "leave the tag out") from None
        raise self._fault(node, f"values of the kind {node.tag} are not for manifests", "write a plain value")

    def _fault(self, node: yaml.Node, text: str, cure: str) -> ManifestFault:
        return ManifestFault(self._filename, node.start_mark.line + 1, text, cure)
