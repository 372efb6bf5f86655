"""The histories that this process has in memory, and what they say about a message. It never waits.

A key that is not here counts as unknown and is wished for: whoever follows the store brings it for the next
message. What this process judged itself it knows at once; when the store tells of the same message, it counts once.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from paquebot.spamfilter.facts import Facts
from paquebot.spamfilter.history.account import RECENT_MAX, Account, newcomer
from paquebot.spamfilter.history.alarm import watched
from paquebot.spamfilter.history.codec import decode_account, decode_counts
from paquebot.spamfilter.history.counts import Counts, unseen
from paquebot.spamfilter.history.keys import ACCOUNT, Hashes, account_key, other_keys, sent_of, traits_of
from paquebot.spamfilter.history.reputation import is_trusted, reputation
from paquebot.spamfilter.history.sent import Sent
from paquebot.spamfilter.history.standing import Standing

ACCOUNTS_MAX = 10_000
OTHERS_MAX = 50_000
WISHES_MAX = 10_000
OWN_MAX = 500  # messages of one account that the store has not told of yet
OWN_S = 600.0  # it will not tell of them any more: they were refused elsewhere


@dataclass(slots=True, eq=False)
class _Seen:
    """An account as the store has it, and with what this process saw since."""

    stored: Account
    now: Account
    own: dict[int, Sent] = field(default_factory=dict)  # by id


@dataclass(slots=True, eq=False)
class Histories:
    """Make it with the key of the hashes, which all replicas share."""

    hashes: Hashes
    accounts: "OrderedDict[str, _Seen]" = field(default_factory=OrderedDict)
    others: "OrderedDict[str, Counts | None]" = field(default_factory=OrderedDict)
    wishes: dict[str, None] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Histories {len(self.accounts)} accounts, {len(self.others)} others, {len(self.wishes)} wished for>"

    def standing(self, facts: Facts, opinion_logit: float, now_s: float) -> Standing:
        """Return what is known of a message's sender, the message included: it counts from now on."""
        origin = facts.origin
        traits = traits_of(facts, opinion_logit, self.hashes)
        sent = sent_of(traits, origin.id, facts.envelope.recipients, now_s, self.hashes)
        seen = self._account(account_key(origin.tenant, origin.credential), now_s)
        before = seen.now.alarm
        now, found = watched(seen.now.after(sent), now_s)
        if sent.ident not in seen.own:
            seen.now = now
            seen.own[sent.ident] = sent
            if len(seen.own) > OWN_MAX:
                del seen.own[next(iter(seen.own))]
        keys = other_keys(origin.tenant, origin.credential, traits)
        known = [(kind, counts) for key in keys if (counts := self._other(key)) for kind in (key.partition(".")[0],)]
        alarm = now.alarm
        return Standing(
            reputation=reputation([(ACCOUNT, now.counts), *known], now_s),
            behaviour=found.reasons,
            trusted=alarm is None and is_trusted(now.counts, now_s),
            alarm=alarm.step if alarm else None,
            since_s=alarm.since_s if alarm else 0.0,
            risen=alarm is not None and (before is None or before.step < alarm.step),
            traits=traits,
        )

    def learn(self, key: str, encoded: bytes | None, now_s: float) -> None:
        """Take what the store has of a key, None for nothing. What is not in memory is not kept."""
        if key.partition(".")[0] != ACCOUNT:
            if key in self.others:
                self.others[key] = decode_counts(encoded) if encoded else unseen(now_s)
            return
        seen = self.accounts.get(key)
        stored = decode_account(encoded) if encoded else None
        if seen is not None and stored is not None:
            seen.stored = stored
            told = {each.ident for each in stored.recent}
            untold = (each for each in seen.own.values() if each.ident not in told)
            seen.own = {each.ident: each for each in untold if _may_be_told(each, stored, now_s)}
            quiet = stored.alarm is None and seen.now.alarm is None
            seen.now = _after(stored, seen.own.values()) if quiet else _watched(stored, seen.own.values())

    def wished(self, most: int) -> Iterable[str]:
        """Return up to `most` keys that should be read, and forget that they were wished for."""
        keys = list(self.wishes)[:most]
        for key in keys:
            del self.wishes[key]
        return keys

    def _account(self, key: str, now_s: float) -> _Seen:
        seen = self.accounts.get(key)
        if seen is not None:
            self.accounts.move_to_end(key)
            return seen
        self._wish(key)
        seen = self.accounts[key] = _Seen(newcomer(now_s), newcomer(now_s))
        if len(self.accounts) > ACCOUNTS_MAX:
            self.accounts.popitem(last=False)
        return seen

    def _other(self, key: str) -> Counts | None:
        if key in self.others:
            self.others.move_to_end(key)
            return self.others[key]
        self._wish(key)
        self.others[key] = None
        if len(self.others) > OTHERS_MAX:
            self.others.popitem(last=False)
        return None

    def _wish(self, key: str) -> None:
        if len(self.wishes) < WISHES_MAX:
            self.wishes[key] = None


def _may_be_told(sent: Sent, stored: Account, now_s: float) -> bool:
    """Say whether the store may still tell of a message, and has not: it may have come and gone among the recent."""
    passed = len(stored.recent) == RECENT_MAX and sent.at_s < stored.recent[0].at_s
    return not passed and now_s - sent.at_s < OWN_S


def _after(stored: Account, own: Iterable[Sent]) -> Account:
    """Count messages that were assessed when they were judged; the next one's assessment sees them all again."""
    account = stored
    for sent in own:
        account = account.after(sent)
    return account


def _watched(stored: Account, own: Iterable[Sent]) -> Account:
    """Count messages while there is an alarm: what is learned of an account depends on it at each step."""
    account = stored
    for sent in own:
        account, _ = watched(account.after(sent), sent.at_s)
    return account
