"""How much memory this process may take, and how much is taken: by its cgroup (v2 or v1), else by the machine.

Of a cgroup the page cache that can be dropped is not counted, as the kubelet does: a file that was read is no need.
"""

import ctypes
import resource
from dataclasses import dataclass
from pathlib import Path

PAGE_BYTES = resource.getpagesize()
_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of malloc.h; left alone it grows with what is freed
_LARGE_BYTES = 1 << 20
_OURS_FROM = 0.2  # of a cgroup's limit: who takes less shares it with others
_NO_LIMIT_BYTES = 1 << 60  # cgroup v1 writes nearly 2**63 for none


@dataclass(frozen=True, slots=True)
class Memory:
    """A limit and where the use below it stands. `root` is / but in tests."""

    limit_bytes: int
    group: Path | None  # the folder of the cgroup that has the limit; None: it is the machine's, or a setting
    root: Path = Path("/")

    def used_bytes(self) -> int:
        """Return what is in use now. A cgroup that others fill is not ours to empty: then it is what we take."""
        own = int((self.root / "proc/self/statm").read_text().split()[1]) * PAGE_BYTES
        if self.group is None or own < self.limit_bytes * _OURS_FROM:
            return own
        for usage, droppable in (("memory.current", "inactive_file"), ("memory.usage_in_bytes", "total_inactive_file")):
            if (self.group / usage).exists():
                return int((self.group / usage).read_text()) - _stat(self.group / "memory.stat", droppable)
        return own


def memory(wanted_bytes: int = 0, root: Path = Path("/")) -> Memory:
    """Return the memory that may be used: `wanted_bytes` if it is not 0, or the tightest limit of our cgroups.

    Without either it is half of the machine's, at most 1.5 GiB. A limit below what is wanted beats it.
    """
    limits = [(limit, group) for group in _groups(root) if (limit := _limit(group))]
    tightest, group = min(limits, key=lambda each: each[0], default=(0, None))
    if tightest and not 0 < wanted_bytes < tightest:
        return Memory(tightest, group, root)
    machine_bytes = _stat(root / "proc/meminfo", "MemTotal:") * 1024
    return Memory(wanted_bytes or min(machine_bytes // 2, 1536 << 20), None, root)


def keep_large_apart() -> None:
    """Let the C library ask the system for each large block by itself, so that freeing it gives it back at once."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)


def give_back() -> None:
    """Let the C library return to the system what we have freed: where it cannot, nothing happens."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _groups(root: Path) -> list[Path]:
    """Return the folders of our cgroups and those above them, whose limits hold for us too."""
    found: list[Path] = []
    for line in (root / "proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        mount = root / "sys/fs/cgroup" / ("memory" if controllers else "")
        own = mount / path.lstrip("/")
        found += [own, *(above for above in own.parents if above == mount or mount in above.parents)]
    return found


def _limit(group: Path) -> int:
    """Return the limit of a cgroup in octets; 0: there is none."""
    for name in ("memory.max", "memory.limit_in_bytes"):
        try:
            text = (group / name).read_text().strip()
        except OSError:
            continue
        return int(text) if text.isdecimal() and int(text) < _NO_LIMIT_BYTES else 0
    return 0


def _stat(path: Path, name: str) -> int:
    for line in path.read_text().splitlines():
        key, *values = line.split()
        if key == name:
            return int(values[0])
    return 0
