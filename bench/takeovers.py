"""Accounts with habits, some of them taken over: what the history catches, and how often it is wrong.

    python bench/takeovers.py [ACCOUNTS]

People, shops and newsletters send for six weeks by the hours of their week; some are taken over then and send
thirty unwanted messages. Content is drawn from distributions whose overlap is that of a small model on mail it does
not know. No mail and no real address is used; the seed is fixed.
"""

import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from paquebot.spamfilter.history.account import Account, newcomer
from paquebot.spamfilter.history.alarm import Assessment, watched
from paquebot.spamfilter.history.counts import What
from paquebot.spamfilter.history.sent import Sent
from paquebot.spamfilter.history.standing import Step

SEED = 20261126
WARM = 30  # messages before an account's are counted
SPAM = 30
DAY_S = 86_400.0
BEGIN_S = 20_000 * DAY_S
MESSAGES_MAX = 160


@dataclass(frozen=True, slots=True)
class Kind:
    """What kind of sender an account is."""

    name: str
    share: float
    per_day: tuple[float, float]
    level: tuple[float, float]  # its mean log-odds: mean and spread over accounts
    spread: float
    odd: float  # share of messages that read like unwanted ones
    strangers: tuple[float, float]
    travels: float  # a message from a new network
    links: float  # a message with a new link


KINDS = (
    Kind("people", 0.3, (1.0, 20.0), (-5.0, 1.0), 1.7, 0.004, (0.02, 0.2), 0.01, 0.15),
    Kind("shop", 0.3, (2.0, 60.0), (-4.0, 1.2), 1.2, 0.004, (0.3, 0.9), 0.0005, 0.002),
    Kind("marketing", 0.4, (0.5, 30.0), (-2.2, 1.2), 1.5, 0.01, (0.01, 0.3), 0.0005, 0.03),
)


@dataclass(frozen=True, slots=True)
class Moment:
    """One message and what was known after it. `taken` counts unwanted ones from 1; 0: it is its owner's."""

    account: int
    taken: int
    at_s: float
    logit: float
    before: Account
    after: Account
    found: Assessment


@dataclass(slots=True)
class Sender:
    """One simulated account."""

    number: int
    rng: random.Random
    kind: Kind
    level: float = 0.0
    strangers: float = 0.0
    per_day: float = 0.0
    friends: list[int] = field(default_factory=list)
    networks: list[int] = field(default_factory=list)
    agents: list[int] = field(default_factory=list)
    links: list[int] = field(default_factory=list)
    hours: list[float] = field(default_factory=list)
    count: int = 0

    @classmethod
    def make(cls, number: int, seed: int) -> "Sender":
        """Draw an account."""
        rng = random.Random(seed * 1_000_003 + number)  # noqa: S311  (nothing is secret here)
        kind = rng.choices(KINDS, [each.share for each in KINDS])[0]
        sender = cls(number, rng, kind)
        sender.level = rng.gauss(*kind.level)
        sender.strangers = rng.uniform(*kind.strangers)
        sender.per_day = rng.uniform(*kind.per_day)
        sender.friends = [rng.getrandbits(64) for _ in range(30 if kind.name == "people" else 300)]
        sender.networks = [rng.getrandbits(32) for _ in range(3 if kind.name == "people" else 1)]
        sender.agents = [rng.getrandbits(32) for _ in range(2 if kind.name == "people" else 1)]
        sender.links = [rng.getrandbits(32) for _ in range(3)]
        begin = rng.randrange(24)
        sender.hours = [1.0 if (hour - begin) % 24 < 10 else 0.05 for hour in range(24)]
        return sender

    def owners(self) -> Iterator[Sent]:
        """Yield what its owner sends, at the hours of its owner's week."""
        at_s = BEGIN_S + self.rng.uniform(0, DAY_S)
        template = self.rng.getrandbits(64)
        for number in range(MESSAGES_MAX):
            while True:
                at_s += self.rng.expovariate(self.per_day * 2.2 / DAY_S)
                weight = self.hours[int(at_s // 3600) % 24] * (0.2 if int(at_s // DAY_S + 3) % 7 > 4 else 1.0)
                if self.rng.random() < weight:
                    break
            if number % 10 == 0 or self.kind.name == "people":
                template = self.rng.getrandbits(64)
            yield self._own(at_s, template)

    def takers(self, at_s: float) -> Iterator[Sent]:
        """Yield what who took it over sends."""
        rng = self.rng
        network = rng.getrandbits(32) if rng.random() < 0.85 else self.networks[0]
        agent = rng.getrandbits(32) if rng.random() < 0.7 else self.agents[0]
        author = 8 if rng.random() < 0.2 else 7
        link, template = rng.getrandbits(32), rng.getrandbits(64)
        to_friends = rng.random() < 0.2
        pause_s = rng.choice((2.0, 20.0, 60.0, 300.0))
        for _ in range(SPAM):
            at_s += rng.expovariate(1 / pause_s)
            to = rng.choice(self.friends) if to_friends else rng.getrandbits(64)
            logit = rng.gauss(4.0, 1.8) if rng.random() < 0.45 else rng.gauss(-0.8, 1.6)
            yield Sent(self._ident(), at_s, logit, (to,), network, agent, author, (link,), template)

    def _own(self, at_s: float, template: int) -> Sent:
        rng, kind = self.rng, self.kind
        if rng.random() < kind.travels:
            self.networks.append(rng.getrandbits(32))
        if rng.random() < kind.links:
            self.links.append(rng.getrandbits(32))
        to = rng.getrandbits(64) if rng.random() < self.strangers else rng.choice(self.friends)
        logit = rng.gauss(0.5, 1.5) if rng.random() < kind.odd else rng.gauss(self.level, kind.spread)
        network = self.networks[-1] if rng.random() < 0.5 else rng.choice(self.networks)
        link = self.links[-1] if rng.random() < 0.3 else rng.choice(self.links)
        return Sent(self._ident(), at_s, logit, (to,), network, rng.choice(self.agents), 7, (link,), template)

    def _ident(self) -> int:
        self.count += 1
        return self.count


def simulate(accounts: int, taken: float = 0.3, seed: int = SEED) -> Iterator[Moment]:
    """Yield every message of all accounts."""
    for number in range(accounts):
        sender = Sender.make(number, seed)
        account = newcomer(BEGIN_S)
        at_s = BEGIN_S
        for sent in sender.owners():
            before, account, found = _sent(account, sent)
            at_s = sent.at_s
            yield Moment(number, 0, at_s, sent.logit, before, account, found)
        if sender.rng.random() >= taken:
            continue
        for k, sent in enumerate(sender.takers(at_s), 1):
            before, account, found = _sent(account, sent)
            yield Moment(number, k, sent.at_s, sent.logit, before, account, found)
            if sender.rng.random() < 0.15:
                account = account.heard({What.HARD_BOUNCES: 1.0}, sent.at_s + 5)


def _sent(account: Account, sent: Sent) -> tuple[Account, Account, Assessment]:
    after, found = watched(account.after(sent), sent.at_s)
    return account, after, found


CONTENT = ("own_content", "own_content_run")
WAYS = ("content alone", "above own level", "history of content", "all terms")


@dataclass(slots=True)
class Scores:
    """A way to decide: its numbers for owners' messages, and for each k-th unwanted one."""

    good: list[float] = field(default_factory=list)
    bad: dict[int, list[float]] = field(default_factory=dict)

    def caught(self, k: int, false_positives: float) -> float:
        """Return the share of k-th unwanted messages above the threshold that so many good ones are above."""
        ranked = sorted(self.good, reverse=True)
        threshold = ranked[int(len(ranked) * false_positives)]
        return sum(each > threshold for each in self.bad[k]) / len(self.bad[k])


@dataclass(slots=True)
class Figures:
    """What a simulation found."""

    ways: dict[str, Scores] = field(default_factory=lambda: {name: Scores() for name in WAYS})
    months: float = 0.0  # of accounts, before any was taken over
    false: dict[Step, int] = field(default_factory=lambda: dict.fromkeys(Step, 0))  # alarms of at least this step
    reached: dict[Step, list[int]] = field(default_factory=lambda: {step: [] for step in Step})  # at the k-th message

    def false_a_month(self, step: Step) -> float:
        """Return false alarms of at least this step for each account and month."""
        return self.false[step] / self.months

    def score(self, moment: Moment) -> None:
        """Take what each way says of a message."""
        content = sum(each.weight for each in moment.found.reasons if each.rule in CONTENT)
        level = moment.before.level.mean
        numbers = (moment.logit, moment.logit - level, content, moment.found.evidence)
        for scores, number in zip(self.ways.values(), numbers, strict=True):
            (scores.bad.setdefault(moment.taken, []) if moment.taken else scores.good).append(number)

    def follow(self, moment: Moment, alarm: int) -> int:
        """Take the alarm after a message, `alarm` being the one before it; return it."""
        now = int(moment.after.alarm.step) if moment.after.alarm else 0
        for step in Step:
            if not alarm < step <= now:
                continue
            if moment.taken:
                self.reached[step].append(moment.taken)
            else:
                self.false[step] += 1
        return max(alarm, now) if moment.taken else now


def measure(moments: Iterator[Moment]) -> Figures:
    """Account for a simulation; an account's first messages make its habits and count for nothing."""
    found = Figures()
    for _, account in groupby(moments, key=lambda moment: moment.account):
        counted = list(account)[WARM:]
        own = [moment for moment in counted if not moment.taken]
        found.months += (own[-1].at_s - own[0].at_s) / (30 * DAY_S)
        alarm = 0
        for moment in counted:
            found.score(moment)
            alarm = found.follow(moment, alarm)
    return found


def table(found: Figures) -> Sequence[str]:
    """Return the figures as lines."""
    accounts = len(found.ways["all terms"].bad[1])
    lines = [f"{found.months:.0f} months of accounts, {accounts} accounts taken over"]
    lines += ["recall of the k-th unwanted message        k=1    3     5     10    20"]
    for name, scores in found.ways.items():
        for rate in (0.001, 0.0001):
            caught = "  ".join(f"{scores.caught(k, rate):.2f}" for k in (1, 3, 5, 10, 20))
            lines.append(f"{name:20} at {rate:.2%} of good mail  {caught}")
    for step in Step:
        within = "  ".join(f"{_share(found, step, k):.2f}" for k in (1, 3, 5, 10, 20))
        lines.append(f"{step.name.lower():8} reached by k, {found.false_a_month(step):.4f} false a month  {within}")
    return lines


def _share(found: Figures, step: Step, k: int) -> float:
    return sum(each <= k for each in found.reached[step]) / len(found.ways["all terms"].bad[1])


if __name__ == "__main__":
    print("\n".join(table(measure(simulate(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)))))
