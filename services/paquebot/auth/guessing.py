"""How fast passwords may be guessed: growing delays, then 421. Pure: `now_ms` is an argument.

Failures are counted per address (IPv6: per /64) and per user name, and forgiven one by one.

* An address that failed ADDRESS_FAILURES_MAX times is turned away unheard. It stops well before a user
  name's own limit, so no single address can bring a user name there.
* A user name that many addresses failed on is still heard, once a second over all of them: its owner gets
  in, and guessing is slow however many addresses take part.
* Two kinds of failure count for their user name from their address alone: those of a pair that succeeded
  within a day, and the very same wrong password again, which is a stale client and no guess. So neither
  neighbours behind an address nor attacks on a user name keep its owner out.

Tables are bounded; the longest untouched entry goes first.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from paquebot.mail.network import network

ADDRESS_FAILURES_MAX: Final = 10
USERNAME_FAILURES_MAX: Final = 30
TABLE_MAX: Final = 50_000
USERNAME_MAX: Final = 320
DELAY_MAX_MS: Final = 10_000
FORGIVEN_MS: Final = 30_000  # one failure in so long
HEARD_EVERY_MS: Final = 1000
KNOWN_MS: Final = 86_400_000

_DELAY_FIRST_MS: Final = 250
_DOUBLINGS_MAX: Final = 16


@dataclass(slots=True)
class Tally:
    """Failures not yet forgiven, as of `at_ms`."""

    failures: float = 0.0
    at_ms: int = 0
    heard_ms: int = 0  # when a password was last checked

    def now(self, now_ms: int) -> float:
        """Return the failures left at a time."""
        return max(0.0, self.failures - max(0, now_ms - self.at_ms) / FORGIVEN_MS)

    def add(self, now_ms: int) -> None:
        """Count one more."""
        self.failures, self.at_ms = self.now(now_ms) + 1, now_ms


@dataclass(slots=True)
class Table:
    """Tallies by key, the longest untouched first."""

    tallies: OrderedDict[str, Tally] = field(default_factory=OrderedDict)

    def has_reached(self, key: str, failures_max: int, now_ms: int) -> bool:
        """Say whether the failures of a key are at a limit; until a whole one is forgiven they stay there."""
        tally = self.tallies.get(key)
        return tally is not None and tally.now(now_ms) > failures_max - 1

    def add(self, key: str, now_ms: int) -> float:
        """Count a failure; return how many there are."""
        tally = self.tallies.setdefault(key, Tally(at_ms=now_ms))
        self.tallies.move_to_end(key)
        if len(self.tallies) > TABLE_MAX:
            self.tallies.popitem(last=False)
        tally.add(now_ms)
        return tally.failures


class Guessing:
    """Who failed how often lately, and who is known."""

    __slots__ = ("_addresses", "_known", "_pairs", "_usernames")

    def __init__(self) -> None:
        """Begin with nobody known."""
        self._addresses = Table()
        self._usernames = Table()
        self._pairs = Table()
        self._known: OrderedDict[str, int] = OrderedDict()  # pair → when it last succeeded

    def __repr__(self) -> str:
        return (
            f"<Guessing {len(self._addresses.tallies)} addresses, {len(self._usernames.tallies)} user names, "
            f"{len(self._known)} known pairs>"
        )

    @property
    def largest(self) -> int:
        """The entries of the fullest table."""
        tables = (self._addresses, self._usernames, self._pairs)
        return max(len(self._known), *(len(table.tallies) for table in tables))

    def is_heard(self, username: str, address: str, now_ms: int) -> bool:
        """Say whether an attempt is looked at; else it is answered 421, and not counted."""
        pair = _pair(username, address)
        if self._pairs.has_reached(pair, ADDRESS_FAILURES_MAX, now_ms):
            return False
        if self._is_known(pair, now_ms):
            return True
        if self._addresses.has_reached(network(address), ADDRESS_FAILURES_MAX, now_ms):
            return False
        name = username[:USERNAME_MAX]
        if not self._usernames.has_reached(name, USERNAME_FAILURES_MAX, now_ms):
            return True
        return not 0 <= now_ms - self._usernames.tallies[name].heard_ms < HEARD_EVERY_MS

    def hear(self, username: str, now_ms: int) -> None:
        """Note that a password is about to be checked: above the limit, that is this second's only one."""
        tally = self._usernames.tallies.get(username[:USERNAME_MAX])
        if tally is not None:
            tally.heard_ms = now_ms

    def failed(self, username: str, address: str, now_ms: int) -> int:
        """Count a failure; return for how many milliseconds its answer is held back."""
        pair = _pair(username, address)
        if self._is_known(pair, now_ms):
            return delay_ms(self._pairs.add(pair, now_ms))
        of_address = self._addresses.add(network(address), now_ms)
        return delay_ms(max(of_address, self._usernames.add(username[:USERNAME_MAX], now_ms)))

    def failed_again(self, username: str, address: str, now_ms: int) -> int:
        """Count a failure with a password that failed before; return as `failed` does."""
        return delay_ms(self._pairs.add(_pair(username, address), now_ms))

    def succeeded(self, username: str, address: str, now_ms: int) -> None:
        """Forgive the user name and remember the pair. The address stays counted: guessers own accounts."""
        pair = _pair(username, address)
        self._usernames.tallies.pop(username[:USERNAME_MAX], None)
        self._pairs.tallies.pop(pair, None)
        self._known[pair] = now_ms
        self._known.move_to_end(pair)
        if len(self._known) > TABLE_MAX:
            self._known.popitem(last=False)

    def _is_known(self, pair: str, now_ms: int) -> bool:
        return pair in self._known and now_ms - self._known[pair] < KNOWN_MS


def delay_ms(failures: float) -> int:
    """Return how long an answer is held back: 250 ms, doubled with each failure, at most DELAY_MAX_MS."""
    doublings = min(max(round(failures) - 1, 0), _DOUBLINGS_MAX)
    return min(_DELAY_FIRST_MS << doublings, DELAY_MAX_MS)


def _pair(username: str, address: str) -> str:
    return f"{network(address)} {username[:USERNAME_MAX]}"
