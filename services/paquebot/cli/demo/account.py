"""The demo's account, in (message, recipient) pairs, from what clients and receiving hosts saw.

Delivered and failed are counted at the far end: a pair is delivered when a host holds its content, failed
when a DSN that names it lies in its sender's mailbox. Only `waiting` asks the queue. Pure: values in, values out.
"""

import email
import email.policy
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, field
from email.message import Message

from paquebot.sandbox.cast import Fate

Pair = tuple[str, str]  # message id, recipient

_QUEUED_AS = re.compile(rb"\bid ([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b")


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that a client handed over, under the id that our 250 told."""

    id: str
    content: bytes
    reverse_path: str
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that a receiving host holds."""

    host: str
    reverse_path: str
    recipients: tuple[str, ...]
    content: bytes


@dataclass(frozen=True, slots=True)
class Waiting:
    """A pair that the queue holds, and why."""

    id: str
    recipient: str
    reason: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known beforehand: which fates a domain allows, and which pairs lost the reply to a final dot."""

    fates: Mapping[str, frozenset[Fate]] = field(default_factory=dict)
    doubted: frozenset[Pair] = frozenset()


@dataclass(slots=True)
class Account:
    """Counts of pairs; `submitted` includes what was refused."""

    submitted: int = 0
    accepted: int = 0
    refused: int = 0
    delivered: int = 0
    waiting: int = 0
    failed: int = 0
    lost: int = 0
    duplicated: int = 0
    in_doubt: int = 0  # the reply to a final dot was lost
    twice_in_doubt: int = 0  # and it came twice for that: the one duplicate that is allowed (RFC 1047)
    altered: int = 0
    verified: int = 0
    unverified: int = 0
    messages: int = 0
    seconds: float = 0.0
    refusals: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    domains: dict[str, dict[str, int]] = field(default_factory=dict)  # pairs by domain and fate
    unexpected: dict[str, int] = field(default_factory=dict)  # fates that a domain does not allow
    lost_pairs: list[Pair] = field(default_factory=list)

    @property
    def adds_up(self) -> bool:
        """True when every accepted pair is in one place that it belongs to, unaltered, and every signature is good."""
        whole = self.accepted == self.delivered + self.waiting + self.failed
        wrong = self.lost or self.duplicated or self.altered or self.unverified or self.unexpected
        return whole and not wrong and self.accepted > 0

    def as_json(self) -> dict[str, object]:
        """Return the account as plain values."""
        return {**asdict(self), "adds_up": self.adds_up}


def queued_id(content: bytes) -> str:
    """Return the id in the topmost Received field: ours, since we are the last relay."""
    found = _QUEUED_AS.search(content, 0, 4096)
    return found[1].decode() if found else ""


def settle_account(
    sent: Iterable[Sent],
    arrivals: Iterable[Arrival],
    waiting: Iterable[Waiting],
    refusals: Mapping[str, int],
    expected: Expected | None = None,
) -> Account:
    """Put each accepted pair where it belongs."""
    expected = expected or Expected()
    messages = {message.id: message for message in sent}
    pairs = {(message.id, recipient) for message in messages.values() for recipient in message.recipients}
    seen = _look(messages, arrivals)
    kept = {(item.id, item.recipient): item.reason for item in waiting if (item.id, item.recipient) in pairs}
    delivered = pairs & seen.arrived.keys()
    failed = seen.failed & pairs
    still = kept.keys() - delivered
    lost = sorted(pairs - delivered - still - failed)
    places = {Fate.DELIVERED: delivered, Fate.FAILED: failed - delivered, Fate.WAITING: still - failed}
    again = {pair: count - 1 for pair, count in seen.arrived.items() if count > 1}
    again |= {pair: again.get(pair, 0) + 1 for pair in failed & delivered}
    doubted = expected.doubted & pairs
    return Account(
        submitted=len(pairs) + sum(refusals.values()),
        accepted=len(pairs),
        refused=sum(refusals.values()),
        delivered=len(places[Fate.DELIVERED]),
        waiting=len(places[Fate.WAITING]),
        failed=len(places[Fate.FAILED]),
        lost=len(lost),
        duplicated=sum(count for pair, count in again.items() if pair not in doubted),
        in_doubt=len(doubted),
        twice_in_doubt=sum(count for pair, count in again.items() if pair in doubted),
        altered=seen.altered,
        messages=len(messages),
        refusals=dict(refusals),
        reasons=dict(Counter(kept[pair] for pair in still).most_common(20)),
        domains=_by_domain(places),
        unexpected=_unexpected(places, expected.fates),
        lost_pairs=lost[:20],
    )


@dataclass(slots=True)
class _Seen:
    """What receiving hosts hold."""

    arrived: Counter[Pair] = field(default_factory=Counter)
    failed: set[Pair] = field(default_factory=set)  # that a report names
    altered: int = 0


def _look(messages: Mapping[str, Sent], arrivals: Iterable[Arrival]) -> _Seen:
    seen = _Seen()
    by_message_id = {_message_id(message.content): message for message in messages.values()}
    for arrival in arrivals:
        original = messages.get(queued_id(arrival.content))
        if original is None:
            seen.failed |= _reported(arrival, by_message_id)
            continue
        seen.altered += not arrival.content.endswith(original.content)
        seen.arrived.update((original.id, recipient) for recipient in arrival.recipients)
    return seen


def _by_domain(places: Mapping[Fate, AbstractSet[Pair]]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for fate, pairs in places.items():
        for domain, count in Counter(_domain(pair) for pair in pairs).items():
            found.setdefault(domain, {})[fate.value] = count
    return dict(sorted(found.items()))


def _unexpected(places: Mapping[Fate, AbstractSet[Pair]], fates: Mapping[str, frozenset[Fate]]) -> dict[str, int]:
    """Count what ended where its domain allows no end; waiting is no end."""
    ended = [(_domain(pair), fate) for fate, pairs in places.items() if fate is not Fate.WAITING for pair in pairs]
    return dict(Counter(f"{domain}: {fate}" for domain, fate in ended if fate not in fates.get(domain, {fate})))


def _domain(pair: Pair) -> str:
    return pair[1].rpartition("@")[2]


def _message_id(content: bytes) -> str:
    found = re.search(
        rb"^message-id:\s*(<[^>]+>)", content[: content.find(b"\r\n\r\n") + 2], re.IGNORECASE | re.MULTILINE
    )
    return found[1].decode("ascii", "replace") if found else ""


def _reported(arrival: Arrival, by_message_id: Mapping[str, Sent]) -> set[Pair]:
    """Return the pairs that an arrived DSN reports as failed (RFC 3464), none when it is no DSN."""
    report = email.message_from_bytes(arrival.content, policy=email.policy.compat32)
    if report.get_content_type() != "multipart/report":
        return set()
    original: Sent | None = None
    failed: list[str] = []
    for part in report.walk():
        if part.get_content_type() in {"text/rfc822-headers", "message/rfc822"}:
            original = by_message_id.get(_headers_message_id(part))
        elif part.get("Final-Recipient") and part.get("Action", "").strip() == "failed":
            failed.append(part["Final-Recipient"].partition(";")[2].strip())
    return {(original.id, recipient) for recipient in failed} if original else set()


def _headers_message_id(part: Message) -> str:
    payload = part.get_payload()
    if isinstance(payload, list) and isinstance(payload[0], Message):
        return str(payload[0].get("Message-ID", "")).strip()
    return str(email.message_from_string(str(payload)).get("Message-ID", "")).strip()
