"""The demo's account, in (message, recipient) pairs, from what clients and receiving hosts saw.

Delivered and failed are counted at the far end: a pair is delivered when a host holds its content, failed
when a DSN that names it lies in its sender's mailbox. Only `waiting` asks the queue. Pure: values in, values out.
"""

import email
import email.policy
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from email.message import Message

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
    in_doubt: int = 0
    altered: int = 0
    verified: int = 0
    unverified: int = 0
    messages: int = 0
    seconds: float = 0.0
    refusals: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    lost_pairs: list[Pair] = field(default_factory=list)

    @property
    def adds_up(self) -> bool:
        """True when every accepted pair is in exactly one place, unaltered, and every signature is good."""
        whole = self.accepted == self.delivered + self.waiting + self.failed
        return whole and not (self.lost or self.duplicated or self.altered or self.unverified) and self.accepted > 0

    def as_json(self) -> dict[str, object]:
        """Return the account as plain values."""
        return {**asdict(self), "adds_up": self.adds_up}


def queued_id(content: bytes) -> str:
    """Return the id in the topmost Received field: ours, since we are the last relay."""
    found = _QUEUED_AS.search(content, 0, 4096)
    return found[1].decode() if found else ""


def settle_account(
    sent: Iterable[Sent], arrivals: Iterable[Arrival], waiting: Iterable[Waiting], refusals: Mapping[str, int]
) -> Account:
    """Put each accepted pair where it belongs."""
    messages = {message.id: message for message in sent}
    pairs = {(message.id, recipient) for message in messages.values() for recipient in message.recipients}
    arrived: Counter[Pair] = Counter()
    altered = 0
    failed: set[Pair] = set()
    by_message_id = {_message_id(message.content): message for message in messages.values()}
    for arrival in arrivals:
        original = messages.get(queued_id(arrival.content))
        if original is None:
            failed |= _reported(arrival, by_message_id) & pairs
            continue
        altered += not arrival.content.endswith(original.content)
        arrived.update((original.id, recipient) for recipient in arrival.recipients)
    kept = {(item.id, item.recipient): item.reason for item in waiting if (item.id, item.recipient) in pairs}
    delivered = pairs & arrived.keys()
    still = kept.keys() - delivered
    lost = sorted(pairs - delivered - still - failed)
    return Account(
        submitted=len(pairs) + sum(refusals.values()),
        accepted=len(pairs),
        refused=sum(refusals.values()),
        delivered=len(delivered),
        waiting=len(still - failed),
        failed=len(failed - delivered),
        lost=len(lost),
        duplicated=sum(count - 1 for count in arrived.values()) + len(failed & delivered),
        altered=altered,
        messages=len(messages),
        refusals=dict(refusals),
        reasons=dict(Counter(kept[pair] for pair in still).most_common(20)),
        lost_pairs=lost[:20],
    )


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
