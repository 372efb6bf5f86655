"""The history of one account: its counters, its own level of content, its habits, and its last messages. Pure.

What an account does now is compared with what it did before: so a message enters the level only after
`BEFORE_LEVEL` more, and never when it came while the account's mail was held.
"""

import math
from dataclasses import dataclass, field, replace

from paquebot.spamfilter.history.counts import Counts, What, unseen
from paquebot.spamfilter.history.habit import Habit
from paquebot.spamfilter.history.sent import Sent
from paquebot.spamfilter.history.sketch import Sketch
from paquebot.spamfilter.history.standing import Step

RECENT_MAX = 24
BEFORE_LEVEL = 8
KNOWN_MAX = 48  # of each kind: those used last stay
PRIOR_MEAN = -4.0  # log-odds of content, of an account of which nothing is known
PRIOR_VARIANCE = 4.0
PRIOR_WEIGHT = 6.0  # messages
SPREAD_MIN = 1.5  # what happens to be alike for a while is no promise
APART_MAX = 6.0
LEVEL_WEIGHT_MAX = 200.0  # messages: older ones fade
NOVELTY_FIRST = 0.2  # how often a newcomer is taken to use something new
STRANGENESS_FIRST = 0.5


# What of a message its account had never used before, as bits: an IntFlag costs ten times as much.
NEW_NETWORK, NEW_AGENT, NEW_AUTHOR, NEW_LINK = KINDS = (1, 2, 4, 8)


@dataclass(frozen=True, slots=True)
class Recent:
    """One of the last messages.

    `apart`: by how many standard deviations its content was above the account's level then. `new` holds the bits of
    KINDS. `quiet`: its account was so when it came.
    """

    ident: int
    at_s: float
    logit: float
    apart: float
    new: int
    recipients: int
    strangers: int
    template: int
    quiet: bool = True


@dataclass(frozen=True, slots=True)
class Level:
    """Mean and variance of the content's log-odds, and how many messages they stand for."""

    mean: float = PRIOR_MEAN
    variance: float = PRIOR_VARIANCE
    weight: float = PRIOR_WEIGHT

    def after(self, logit: float) -> "Level":
        """Return the level with one more message."""
        weight = min(self.weight + 1, LEVEL_WEIGHT_MAX)
        apart = logit - self.mean
        mean = self.mean + apart / weight
        return Level(mean, self.variance + (apart * (logit - mean) - self.variance) / weight, weight)


@dataclass(frozen=True, slots=True)
class Alarm:
    """An account that does not act like itself: the highest step so far, since when, and when it last showed."""

    step: Step
    since_s: float
    at_s: float


@dataclass(frozen=True, slots=True)
class Account:
    """All of it. Begin with `newcomer`."""

    counts: Counts
    recipients: Sketch
    level: Level = field(default_factory=Level)
    habit: Habit = field(default_factory=Habit)
    networks: tuple[int, ...] = ()  # used last stands last
    agents: tuple[int, ...] = ()
    authors: tuple[int, ...] = ()
    links: tuple[int, ...] = ()
    novelty: tuple[float, ...] = (NOVELTY_FIRST,) * len(KINDS)  # how often it uses something new, of each kind
    strangeness: float = STRANGENESS_FIRST  # the share of its recipients that are new to it
    recent: tuple[Recent, ...] = ()
    alarm: Alarm | None = None

    def after(self, sent: Sent) -> "Account":
        """Return the history with one more message."""
        strangers = sum(not self.recipients.knows(each) for each in sent.recipients)
        recent = Recent(
            sent.ident,
            sent.at_s,
            sent.logit,
            self.apart(sent.logit),
            self._new_of(sent),
            len(sent.recipients),
            strangers,
            sent.template,
            self.is_quiet,
        )
        happened = {What.SENT: 1.0, What.RECIPIENTS: float(len(sent.recipients)), What.STRANGERS: float(strangers)}
        return replace(
            self._learned(recent),
            counts=self.counts.after(happened, sent.at_s),
            recipients=self.recipients.after(sent.recipients, sent.at_s),
            habit=self.habit.after(sent.at_s),
            networks=_used(self.networks, (sent.network,)),
            agents=_used(self.agents, (sent.agent,)),
            authors=_used(self.authors, (sent.author,)),
            links=_used(self.links, sent.links),
        )

    def heard(self, happened: dict[What, float], now_s: float) -> "Account":
        """Return the history after something that is no message of its own: a bounce, a complaint, a release."""
        return replace(self, counts=self.counts.after(happened, now_s))

    def calmed(self) -> "Account":
        """Return the history after a person has looked: what raised the alarm is forgotten."""
        return replace(self, alarm=None, recent=())

    @property
    def is_quiet(self) -> bool:
        """True while what it sends may be learned as its own: until mail is held for it."""
        return self.alarm is None or self.alarm.step < Step.HOLD

    def apart(self, logit: float) -> float:
        """Return by how many standard deviations content is above the level; what is below counts for less."""
        spread = math.sqrt(max(self.level.variance, SPREAD_MIN**2))
        return max(-1.0, min(APART_MAX, (logit - self.level.mean) / spread))

    def _new_of(self, sent: Sent) -> int:
        new = 0
        if sent.network and sent.network not in self.networks:
            new |= NEW_NETWORK
        if sent.agent and sent.agent not in self.agents:
            new |= NEW_AGENT
        if sent.author and sent.author not in self.authors:
            new |= NEW_AUTHOR
        if any(link not in self.links for link in sent.links):
            new |= NEW_LINK
        return new

    def _learned(self, recent: Recent) -> "Account":
        """Return the history with a message among the recent, and what is old enough in the level and habits."""
        kept = (*self.recent, recent)
        level, novelty, strangeness = self.level, self.novelty, self.strangeness
        if len(kept) > BEFORE_LEVEL and (old := kept[-1 - BEFORE_LEVEL]).quiet and self.is_quiet:
            level = level.after(old.logit)
            share = 1 / level.weight
            novelty = tuple(
                rate + share * (bool(old.new & kind) - rate) for rate, kind in zip(novelty, KINDS, strict=True)
            )
            if old.recipients:
                strangeness += share * (old.strangers / old.recipients - strangeness)
        return replace(self, level=level, novelty=novelty, strangeness=strangeness, recent=kept[-RECENT_MAX:])


def newcomer(now_s: float) -> Account:
    """Return the history of an account that is seen for the first time."""
    return Account(unseen(now_s), Sketch(now_s))


def _used(known: tuple[int, ...], used: tuple[int, ...]) -> tuple[int, ...]:
    """Return what is known with what was used now at its end; 0 is nothing."""
    fresh = tuple(each for each in dict.fromkeys(used) if each)
    if not fresh or known[-len(fresh) :] == fresh:
        return known
    return (*(each for each in known if each not in fresh), *fresh)[-KNOWN_MAX:]
