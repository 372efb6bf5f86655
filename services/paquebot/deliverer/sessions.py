"""Which sites have a deliverer's sessions: when all are taken, whoever rests gives way to whoever waits.

New mail goes before mail that is tried again: when thousands of deferred deliveries fall due at once, it need not
wait for them all.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from paquebot.deliverer.site import Site

TURN_MAX = 20  # deliveries of a worker, then its session goes to a site that waits for one
NEW_TURNS = 3  # sites with new mail that come before one that only has mail to try again


@dataclass(slots=True, eq=False)
class Sessions:
    """The sessions of one deliverer, each is a worker's."""

    most: Callable[[], int]  # by the policy in force
    taken: int = 0
    resting: "dict[asyncio.Task[None], Site]" = field(default_factory=dict)  # workers; who rests longest comes first
    new: dict[Site, None] = field(default_factory=dict)  # sites that wait, in the order in which they came
    again: dict[Site, None] = field(default_factory=dict)  # the same, of those that only have mail to try again
    turn: int = 0
    called: int = 0  # workers that were told to end, and have not yet

    @property
    def free(self) -> int:
        """How many more workers may start."""
        return self.most() - self.taken

    @property
    def waiting(self) -> int:
        """How many sites wait for a session."""
        return len(self.new) + len(self.again)

    def is_over(self, served: int) -> bool:
        """Say whether a worker has had its turn: others wait, and it has made that many deliveries."""
        return self.waiting > 0 and served >= TURN_MAX

    def ask(self, site: Site) -> None:
        """Have a site wait for a session; somebody who rests ends for it."""
        if site.line.untried:
            self.again.pop(site, None)
            self.new.setdefault(site)
        elif site not in self.new:
            self.again.setdefault(site)
        if self.called < self.waiting and self.resting:
            longest = next(iter(self.resting))
            self.called += 1
            self.resting.pop(longest).news.dismiss()

    async def rest(self, site: Site, seconds: float) -> bool:
        """Wait for work of a site; return False when none came in time, or others need the session."""
        if self.waiting:
            return False
        worker = asyncio.current_task()
        assert worker is not None  # noqa: S101  (workers are tasks)
        self.resting[worker] = site
        try:
            return await site.news.wait(seconds)
        finally:
            self.resting.pop(worker, None)

    def begin(self) -> None:
        """Count a worker that starts."""
        self.taken += 1

    def end(self) -> None:
        """Count a worker that has ended."""
        self.taken -= 1
        self.called = max(0, self.called - 1)

    def turns(self) -> Iterator[Site]:
        """Yield the sites whose turn it is, for as long as there are sessions."""
        while self.waiting and self.free > 0:
            self.turn += 1
            patient = not self.new or (self.again and self.turn % (NEW_TURNS + 1) == 0)
            line = self.again if patient else self.new
            site = next(iter(line))
            del line[site]
            yield site
