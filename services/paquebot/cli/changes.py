"""What differs between two sets of manifests, in one line for each object. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

PATHS_MAX = 5  # named of one object


def changes(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a line for each object that was added, changed or removed, in the order of their names."""
    old, new = _by_place(before), _by_place(after)
    return [line for place in sorted(old.keys() | new.keys()) if (line := _line(place, old.get(place), new.get(place)))]


def _line(place: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> str:
    if old is None:
        return f"added {place}"
    if new is None:
        return f"removed {place}"
    paths = list(_paths(old.get("spec"), new.get("spec"), "spec"))
    if not paths:
        return ""
    more = f" and {len(paths) - PATHS_MAX} more" if len(paths) > PATHS_MAX else ""
    return f"changed {place}: {', '.join(paths[:PATHS_MAX])}{more}"


def _paths(old: object, new: object, path: str) -> Iterator[str]:
    """Yield the fields that differ; a list counts as one field."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys((*old, *new)):
            yield from _paths(old.get(key), new.get(key), f"{path}.{key}")
    elif old != new:
        yield path


def _by_place(objects: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    found = {}
    for each in objects:
        metadata = each["metadata"]
        names = [metadata[name] for name in ("namespace", "name") if metadata.get(name)]
        found[f"{each['kind']} {'/'.join(names)}"] = each
    return found
