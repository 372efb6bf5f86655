"""The account of a run, from what clients, hosts and the queue say of each recipient. Pure.

A recipient is named once in a run, so a pair (queue id, recipient) is one promise of ours. A client that read no
250 sends again and gets another queue id: that is its own repeat, counted apart.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, field
from typing import Any

Pair = tuple[str, str]  # queue id, recipient


@dataclass(frozen=True, slots=True)
class Accepted:
    """A letter that its client read 250 for."""

    number: int
    queue_id: str
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arrived:
    """A copy for one recipient that a host holds; `whole`: with the very octets that were sent."""

    queue_id: str
    recipient: str
    whole: bool
    at_ms: int = 0  # Unix milliseconds
    deliverer: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What everybody saw."""

    accepted: Iterable[Accepted]
    arrived: Iterable[Arrived]
    failed: AbstractSet[str]  # recipients that a report names
    waiting: Mapping[Pair, str]  # with the reasons
    under_way: AbstractSet[str]  # recipients whose transaction was under way at a fault


@dataclass(slots=True)
class Account:
    """Counts of pairs, but for `accepted_messages`."""

    accepted_messages: int = 0
    accepted: int = 0
    delivered: int = 0
    failed: int = 0
    waiting: int = 0
    lingering: int = 0  # they wait, though they came or failed
    lost: int = 0
    duplicated: int = 0
    unexplained: int = 0  # of the duplicated: not under way at any fault
    repeated_by_clients: int = 0
    altered: int = 0
    reasons: dict[str, int] = field(default_factory=dict)  # of what waits
    which: dict[str, list[str]] = field(default_factory=dict)  # what is wrong, for people to follow

    @property
    def whole(self) -> bool:
        """True when every pair is where it belongs."""
        return not (self.lost or self.unexplained or self.altered)

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def settle(seen: Evidence) -> Account:
    """Put every accepted pair where it belongs."""
    accepted = list(seen.accepted)
    pairs = {(each.queue_id, recipient) for each in accepted for recipient in each.recipients}
    copies = Counter((each.queue_id, each.recipient) for each in seen.arrived)
    delivered = pairs & copies.keys()
    failed = {pair for pair in pairs - delivered if pair[1] in seen.failed}
    waiting = {pair for pair in pairs - delivered - failed if pair in seen.waiting}
    lingering = sorted((delivered | failed) & seen.waiting.keys())
    lost = sorted(pairs - delivered - failed - waiting)
    twice = {pair: count - 1 for pair, count in copies.items() if count > 1}
    unexplained = sorted(pair for pair in twice if pair[1] not in seen.under_way)
    altered = sorted({each.recipient for each in seen.arrived if not each.whole})
    return Account(
        accepted_messages=len(accepted),
        accepted=len(pairs),
        delivered=len(delivered),
        failed=len(failed),
        waiting=len(waiting),
        lingering=len(lingering),
        lost=len(lost),
        duplicated=sum(twice.values()),
        unexplained=len(unexplained),
        repeated_by_clients=_repeats(copies.keys() | pairs),
        altered=len(altered),
        reasons=dict(Counter(seen.waiting[pair] for pair in waiting).most_common(10)),
        which={
            "lost": [" ".join(pair) for pair in lost[:20]],
            "unexplained": [" ".join(pair) for pair in unexplained[:20]],
            "duplicated": [" ".join(pair) for pair in sorted(twice)[:20]],
            "lingering": [" ".join(pair) for pair in lingering[:20]],
            "altered": altered[:20],
        },
    )


def _repeats(pairs: Iterable[Pair]) -> int:
    """Count the queue ids beyond the first that a recipient was sent to under; reports come to one address."""
    ids: dict[str, set[str]] = {}
    for queue_id, recipient in pairs:
        if recipient.partition("@")[2].endswith("chaos.test"):
            ids.setdefault(recipient, set()).add(queue_id)
    return sum(len(each) - 1 for each in ids.values())
