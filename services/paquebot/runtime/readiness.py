"""What a process still lacks before it may be given work."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Readiness:
    """A table of what is missing and why; empty means ready. Watchers hear of each change of ready or not."""

    lacks: dict[str, str] = field(default_factory=dict)
    watchers: list[Callable[[bool], None]] = field(default_factory=list)

    def missing(self, name: str, why: str) -> None:
        """Note that something is missing."""
        was_ready = self.is_ready
        self.lacks[name] = why
        if was_ready:
            self._tell()

    def present(self, name: str) -> None:
        """Note that it is there."""
        if self.lacks.pop(name, None) is not None and self.is_ready:
            self._tell()

    @property
    def is_ready(self) -> bool:
        """True when nothing is missing."""
        return not self.lacks

    def report(self) -> str:
        """Return a line for each thing that is missing, or `ready`."""
        return "".join(f"{name}: {why}\n" for name, why in sorted(self.lacks.items())) or "ready\n"

    def _tell(self) -> None:
        for watcher in self.watchers:
            watcher(self.is_ready)
