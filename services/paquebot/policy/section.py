"""Reading one mapping of a manifest: every field is asked for by name, what nobody asked for is a fault."""

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Final, TypeVar

from paquebot.policy.faults import Notes, Unfit
from paquebot.policy.scalars import shown

ENTRIES_MAX: Final = 1000  # of one list

T = TypeVar("T")


class Section:
    """The mapping at `path` of one object. An absent or null field counts as not given."""

    __slots__ = ("_fields", "_known", "notes", "path")

    def __init__(self, notes: Notes, path: str, value: object) -> None:
        """Take what stands at `path`; anything but a mapping is a fault and reads as empty."""
        self.notes = notes
        self.path = path
        self._known: set[str] = set()
        self._fields: Mapping[str, object] = {}
        if isinstance(value, Mapping):
            self._fields = {shown_key(key): entry for key, entry in value.items() if entry is not None}
        elif value is not None:
            notes.fault(path, f"{shown(value)} is not a mapping", "give fields below it")

    def has(self, name: str) -> bool:
        """Say whether the field is given."""
        return name in self._fields

    def is_empty(self, name: str) -> bool:
        """Say whether the field is given and holds nothing."""
        return self._fields.get(name) in ([], {})

    def read(self, name: str, reader: Callable[[object], T], default: T) -> T:
        """Return the field as `reader` reads it; `default` when it is not given or unfit."""
        self._known.add(name)
        if name not in self._fields:
            return default
        return self._read_at(self.path_of(name), reader, self._fields[name], default)

    def need(self, name: str, reader: Callable[[object], T], default: T) -> T:
        """Return the field as `reader` reads it; that it is not given is a fault."""
        if name not in self._fields:
            self._known.add(name)
            self.fault(name, "is missing", "give it")
        return self.read(name, reader, default)

    def entries(self, name: str, reader: Callable[[object], T]) -> tuple[T, ...]:
        """Return what `reader` reads of each entry of a list, unfit ones left out; () when not given."""
        values = self._list(name)
        read = (self._read_at(f"{self.path_of(name)}[{at}]", reader, value, None) for at, value in values)
        return tuple(entry for entry in read if entry is not None)

    def sections(self, name: str) -> tuple["Section", ...]:
        """Return the mappings of a list of mappings."""
        return tuple(Section(self.notes, f"{self.path_of(name)}[{at}]", value) for at, value in self._list(name))

    def section(self, name: str) -> "Section":
        """Return the mapping in a field; an empty one when it is not given."""
        self._known.add(name)
        return Section(self.notes, self.path_of(name), self._fields.get(name))

    def table(self, name: str, key: Callable[[object], str], value: Callable[[object], T]) -> dict[str, T]:
        """Return a mapping whose keys are the writer's own, unfit entries left out; {} when not given."""
        entries = self.section(name)
        if len(entries._fields) > ENTRIES_MAX:
            self.fault(name, f"has {len(entries._fields)} entries", f"give at most {ENTRIES_MAX}")
        read: dict[str, T] = {}
        for given, entry in list(entries._fields.items())[:ENTRIES_MAX]:
            path = entries.path_of(given)
            fit = self._read_at(path, key, given, None)
            told = self._read_at(path, value, entry, None)
            if fit is not None and told is not None:
                read[fit] = told
        return read

    def at_most(self, name: str, most: int) -> None:
        """Note that a list or mapping has more entries than `most`."""
        given = self._fields.get(name)
        if isinstance(given, list | tuple | Mapping) and len(given) > most:
            self.fault(name, f"has {len(given)} entries", f"give at most {most}")

    def each_once(self, name: str, read: Sequence[str]) -> None:
        """Note the entries of a list that stood in it before."""
        for at, entry in enumerate(read):
            if entry and entry in read[:at]:
                self.fault(f"{name}[{at}]", f"names {entry} twice", "name each once")

    def later(self, *names: str) -> None:
        """Refuse fields of the API that this release does not serve."""
        for name in names:
            self._known.add(name)
            if self.has(name):
                self.fault(name, "is not served yet", "leave it out")

    def finish(self) -> None:
        """Refuse every field nobody asked for."""
        for name in self._fields:
            if name in self._known:
                continue
            near = get_close_matches(name, sorted(self._known), 1)
            cure = f"did you mean {near[0]}?" if near else f"known here: {', '.join(sorted(self._known)) or 'nothing'}"
            self.fault(name, "is not a known field", cure)

    def fault(self, name: str, text: str, cure: str) -> None:
        """Write down a fault of one field."""
        self.notes.fault(self.path_of(name), text, cure)

    def path_of(self, name: str) -> str:
        """Return the whole path of a field."""
        return f"{self.path}.{name}" if self.path else name

    def _list(self, name: str) -> list[tuple[int, object]]:
        self._known.add(name)
        value = self._fields.get(name)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            self.fault(name, f"{shown(value)} is not a list", "give a list")
            return []
        if len(value) > ENTRIES_MAX:
            self.fault(name, f"has {len(value)} entries", f"give at most {ENTRIES_MAX}")
        return list(enumerate(value[:ENTRIES_MAX]))

    def _read_at(self, path: str, reader: Callable[[object], T], value: object, default: T) -> T:
        try:
            return reader(value)
        except Unfit as unfit:
            self.notes.fault(path, unfit.text, unfit.cure)
            return default


def shown_key(key: object) -> str:
    """Return a mapping's key as text; JSON knows no other."""
    return key if isinstance(key, str) else shown(key)
