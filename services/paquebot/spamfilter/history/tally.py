"""What the events mean for histories: which keys change, and how. Pure, but for what it remembers of late messages.

A bounce or a release names a message, not its links or its text: so the traits of the last REMEMBERED_MAX messages
are remembered, and what is about an older one counts for its account and the domain of its sender alone.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from paquebot.mail.record import Kind, Record
from paquebot.mail.traits import NO_TRAITS, Traits
from paquebot.mail.verdict import HELD_BY_FILTER
from paquebot.spamfilter.history.account import Account, newcomer
from paquebot.spamfilter.history.alarm import watched
from paquebot.spamfilter.history.counts import Counts, What, unseen
from paquebot.spamfilter.history.keys import Hashes, account_key, other_keys, sent_of
from paquebot.spamfilter.history.sent import Sent

REMEMBERED_MAX = 50_000
_POLICY = "5.7."
_NOBODY = frozenset({"5.1.1", "5.1.6", "5.1.10", "5.2.1"})  # RFC 3463 §3.2, §3.3, RFC 7505 §5

_OF_MESSAGES = frozenset({What.HELD, What.RELEASED, What.REFUSED})
_BY_KIND = {
    Kind.REFUSED: What.REFUSED,
    Kind.COMPLAINT: What.COMPLAINTS,
    Kind.UNSUBSCRIBE: What.UNSUBSCRIBES,
}


@dataclass(frozen=True, slots=True)
class Change:
    """What happened under one key: a message of its own, or something about earlier ones. `calms`: a person looked."""

    at_s: float
    happened: Mapping[What, float] = field(default_factory=dict)
    sent: Sent | None = None
    calms: bool = False

    def of_account(self, before: Account | None) -> Account:
        """Return an account's history after it. A message that it knows already counts once."""
        account = newcomer(self.at_s) if before is None else before
        if self.calms:
            account = account.calmed()
        if self.happened:
            account = account.heard(dict(self.happened), self.at_s)
        if self.sent is None or any(each.ident == self.sent.ident for each in account.recent):
            return account
        return watched(account.after(self.sent), self.at_s)[0]

    def of_other(self, before: Counts | None) -> Counts:
        """Return the counters of another key after it."""
        counts = unseen(self.at_s) if before is None else before
        happened = dict(self.happened)
        if self.sent is not None:
            happened |= {What.SENT: 1.0, What.RECIPIENTS: float(len(self.sent.recipients))}
        return counts.after(happened, self.at_s)


@dataclass(slots=True, eq=False)
class Tally:
    """Turns events into changes."""

    hashes: Hashes
    remembered: "OrderedDict[str, Traits]" = field(default_factory=OrderedDict)

    def changes(self, records: Iterable[Record]) -> Iterator[tuple[str, Change]]:
        """Yield keys and what changes them, for records of one message of the event stream."""
        for record in _joined(records):
            change = self._change(record)
            if change is None or not record.credential:
                continue  # our own reports have no account
            yield account_key(record.tenant, record.credential), change
            if not change.calms:
                traits = self.remembered.get(record.id) or Traits(author=record.reverse_path.rpartition("@")[2])
                for key in other_keys(record.tenant, record.credential, traits):
                    yield key, change

    def _change(self, record: Record) -> Change | None:
        at_s = record.at_ms / 1000
        if record.kind is Kind.ACCEPTED or (record.kind is Kind.REFUSED and not record.author and not record.n):
            return self._message(record, at_s)
        if record.kind is Kind.RESUMED:
            return Change(at_s, calms=True)
        happened = _happened(record)
        return Change(at_s, happened) if happened else None

    def _message(self, record: Record, at_s: float) -> Change | None:
        """Return the change by a message at the door; by more of its recipients, when it had several deliveries."""
        refused = {What.REFUSED: 1.0} if record.kind is Kind.REFUSED else {}
        verdict = record.verdict
        if verdict is None or verdict.traits is NO_TRAITS:
            sent = {What.SENT: 1.0} if verdict is not None else {}
            return Change(at_s, {**refused, **sent, What.RECIPIENTS: float(len(record.recipients))})
        self.remembered[record.id] = verdict.traits
        if len(self.remembered) > REMEMBERED_MAX:
            self.remembered.popitem(last=False)
        return Change(at_s, refused, sent_of(verdict.traits, record.id, record.recipients, at_s, self.hashes))


def _joined(records: Iterable[Record]) -> Iterator[Record]:
    """Yield the records, those about deliveries of one accepted message as one with all their recipients."""
    joined: dict[tuple[Kind, str], Record] = {}
    for number, record in enumerate(records):
        key = (record.kind, record.id if record.kind is Kind.ACCEPTED else f"{number}")
        before = joined.get(key)
        if before is not None:
            record = replace(  # noqa: PLW2901  (the two are one)
                before,
                recipients=before.recipients + record.recipients,
                verdict=before.verdict or record.verdict,
            )
        joined[key] = record
    yield from joined.values()


def _happened(record: Record) -> dict[What, float]:
    """Return what an event about earlier mail says: of a message, or of each recipient."""
    what = _what(record)
    if what is None:
        return {}
    return {what: 1.0 if what in _OF_MESSAGES else float(len(record.recipients))}


def _what(record: Record) -> What | None:
    if record.kind is Kind.HELD:
        return What.HELD if record.reason.startswith(HELD_BY_FILTER) else None
    if record.kind is Kind.RELEASED:
        return What.RELEASED if record.author else None
    if record.kind is Kind.FAILED:
        return _bounce(record.reply.enhanced) if record.host and record.reply is not None else None
    return _BY_KIND.get(record.kind)


def _bounce(enhanced: str) -> What | None:
    if enhanced in _NOBODY:
        return What.HARD_BOUNCES
    return What.POLICY_BOUNCES if enhanced.startswith(_POLICY) else None
