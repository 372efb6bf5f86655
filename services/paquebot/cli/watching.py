"""Watching manifests: what changes in the files is compiled and applied while the platform runs.

Faults are told with their places, and the last good revision stays. A change is looked at once it has been the
same for two looks: an editor may be in the middle of writing, and half a file may well be a valid one.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from paquebot.cli.manifests import compile_files, files_of
from paquebot.cli.platform import Platform
from paquebot.policy.faults import PolicyFaults
from paquebot.policy.values import Policy
from paquebot.queue.jetstream import ApiError, QueueFullError, QueueUnavailableError

LOOK_S = 0.5

Stamps = dict[Path, tuple[int, int, int]]  # modified (ns), octets, inode; unreadable files have none


@dataclass(slots=True)
class Watching:
    """Looks at files and folders for a running platform. `now` set: look at once, whatever the files' times say."""

    paths: Sequence[Path]
    platform: Platform
    say: Callable[[str], None]
    seen: Stamps  # the files that the platform was started from
    now: asyncio.Event = field(default_factory=asyncio.Event)
    applied: Callable[[Policy], None] = field(default=lambda _policy: None)

    async def run(self) -> None:
        """Watch for ever."""
        last = self.seen
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self.now.wait()
            before, last = last, stamps(self.paths)
            if self.now.is_set() or before == last != self.seen:
                self.now.clear()
                if await self._follow():
                    self.seen = last

    async def _follow(self) -> bool:
        """Compile and apply; return False when the same files should be tried again."""
        located, _policy, faults = await asyncio.to_thread(compile_files, self.paths)
        if faults:
            for fault in faults:
                self.say(str(fault))
            count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
            self.say(f"{count} in the changed manifests: the last good revision stays")
            return True
        try:
            await self.platform.apply([each.object for each in located])
        except PolicyFaults as refused:
            self.say(f"{refused}\nthe changed manifests do not go with a pool that still drains; the last good stay")
        except (QueueUnavailableError, QueueFullError, ApiError) as error:
            self.say(f"the changed manifests cannot be published yet: {error}; trying again")
            return False
        except RuntimeError as error:  # a process that does not come up: it is started again and again
            self.say(str(error))
        self.applied(self.platform.policy)
        return True


def stamps(paths: Sequence[Path]) -> Stamps:
    """Return what changes when a file does."""
    found: Stamps = {}
    with contextlib.suppress(OSError):
        for file in files_of(paths):
            with contextlib.suppress(OSError):
                stat = file.stat()
                found[file] = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
    return found
