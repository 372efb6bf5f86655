"""What the cluster holds of the kinds we watch, trimmed to what we read. Memory only: a restart reads it again."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from paquebot_operator.names import Key

_METADATA: Final = (
    "name",
    "namespace",
    "uid",
    "generation",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "finalizers",
    "labels",
)


@dataclass(slots=True)
class Store:
    """Objects by their keys."""

    entries: dict[str, dict[Key, dict[str, Any]]] = field(default_factory=dict)

    def put(self, entry: Mapping[str, Any]) -> Key:
        """Take an object as it is now; return its key."""
        key = key_of(entry)
        self.entries.setdefault(key.kind, {})[key] = trimmed(entry)
        return key

    def drop(self, key: Key) -> None:
        """Forget an object."""
        self.entries.get(key.kind, {}).pop(key, None)

    def get(self, key: Key) -> dict[str, Any] | None:
        """Return an object, None when it is not there."""
        return self.entries.get(key.kind, {}).get(key)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return all objects of a kind, the oldest first: where two claim one thing, the first has it."""
        return sorted(self.entries.get(kind, {}).values(), key=_age)

    def each(self, kind: str) -> Iterable[dict[str, Any]]:
        """Return all objects of a kind, in no order."""
        return self.entries.get(kind, {}).values()

    def keys(self, kind: str) -> set[Key]:
        """Return the keys of a kind."""
        return set(self.entries.get(kind, {}))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Go over all objects."""
        for entries in self.entries.values():
            yield from entries.values()


def key_of(entry: Mapping[str, Any]) -> Key:
    """Return an object's key."""
    metadata = entry["metadata"]
    return Key(str(entry["kind"]), str(metadata.get("namespace") or ""), str(metadata["name"]))


def trimmed(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object without what nobody reads: managedFields alone are often half of it."""
    metadata = {name: entry["metadata"][name] for name in _METADATA if name in entry["metadata"]}
    kept = {name: entry[name] for name in ("apiVersion", "kind", "spec", "status") if name in entry}
    return {**kept, "metadata": metadata}


def _age(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    metadata = entry["metadata"]
    return metadata.get("creationTimestamp") or "", metadata.get("namespace") or "", metadata["name"]
