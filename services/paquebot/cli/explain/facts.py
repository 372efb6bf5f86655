"""What an explanation is made of: facts that were gathered, as values, and the sentences that come of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from paquebot.cli.live import Live
from paquebot.dns.resolver import MxAnswer
from paquebot.mail.delivery import Delivery
from paquebot.mail.order import Action, Order, target
from paquebot.mail.record import Kind, Record
from paquebot.policy.route import Smarthost
from paquebot.policy.values import DEFAULT_DESTINATION, DestinationPolicy, Policy, SendingPool
from paquebot.queue.depth import Depth
from paquebot.queue.members import Member
from paquebot.wire.deliverer import DelivererState, SiteState


class Part(StrEnum):
    """What a sentence is about."""

    WHAT = "what"
    WHY = "why"
    WHEN = "when"
    DO = "do"


@dataclass(frozen=True, slots=True)
class Sentence:
    """One thing that people are told."""

    part: Part
    text: str


def what(text: str) -> Sentence:
    """Say what it is."""
    return Sentence(Part.WHAT, text)


def why(text: str) -> Sentence:
    """Say why it stands as it does."""
    return Sentence(Part.WHY, text)


def when(text: str) -> Sentence:
    """Say when something happens next."""
    return Sentence(Part.WHEN, text)


def do(text: str) -> Sentence:
    """Say what would change it."""
    return Sentence(Part.DO, text)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is told about one subject: its name, its state in a word, and the sentences in order."""

    name: str
    state: str
    sentences: tuple[Sentence, ...]


def explained(name: str, state: str, sentences: Iterable[Sentence]) -> Explanation:
    """Return an explanation with its sentences in the order of what they are about."""
    order = list(Part)
    return Explanation(name, state, tuple(sorted(sentences, key=lambda sentence: order.index(sentence.part))))


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored delivery: `state` is ready, deferred or held; `split`: still one item with the message's others."""

    delivery: Delivery
    state: str
    split: bool = False


@dataclass(frozen=True, slots=True)
class Around:
    """What holds for all mail now."""

    now_ms: int
    policy: Policy = field(default_factory=Policy)
    live: Live = field(default_factory=Live)
    members: tuple[Member, ...] = ()
    full: str = ""  # why nothing new is taken; empty: there is room
    orders: tuple[Order, ...] = ()  # in force

    def pool(self, token: str) -> SendingPool | None:
        """Return a pool's policy, None when no manifest declares it any more."""
        return self.policy.pools.get(token)

    def destination(self, group: str) -> DestinationPolicy:
        """Return the limits of a destination group."""
        return self.policy.destinations.get(group, DEFAULT_DESTINATION)

    def suspensions(self, **named: str) -> list[Order]:
        """Return the suspensions of something: `suspensions(tenants="shop")`."""
        standing = (each for each in self.orders if each.action is Action.SUSPEND)
        return [each for each in standing if target(each.selector) in named.items()]

    def smarthost(self, delivery: Delivery) -> Smarthost | None:
        """Return the smarthost that takes a delivery, None when its hosts do, or its route is gone."""
        route = self.policy.routes.by_place.get(delivery.route)
        return route.action if route is not None and isinstance(route.action, Smarthost) else None

    def deliverers(self, pool: str) -> tuple[DelivererState, ...]:
        """Return the deliverers of a pool that answer."""
        return tuple(state for state in self.live.states if state.pool == pool)

    def owner(self, pool: str, partition: int) -> DelivererState | None:
        """Return the deliverer that says it owns a partition."""
        return next((state for state in self.deliverers(pool) if partition in state.partitions), None)

    def alive(self, pool: str) -> tuple[str, ...]:
        """Return the deliverers of a pool that are written down as alive."""
        return tuple(each.pod for each in self.members if each.service == "deliverer" and each.pool == pool)

    def sites(self, site: str) -> list[tuple[DelivererState, SiteState]]:
        """Return where a site, or the sites of a group, are in memory."""
        return [(state, each) for state in self.live.states for each in state.sites if site in {each.site, each.group}]


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """All that is known of a message, or of one delivery of it (`n` is not 0)."""

    id: str
    n: int
    accepted_ms: int  # by its id; 0: the id tells no time
    kept: tuple[Kept, ...] = ()
    records: tuple[Record, ...] = ()
    answers: Mapping[str, MxAnswer] = field(default_factory=dict)  # by domain
    read_until_ms: int = 0  # events after this were not read; 0: all were


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits of one pool: all of it counted, and a sample of what waits for its time or is held."""

    pool: str
    depth: Depth = field(default_factory=Depth)
    sample: tuple[Delivery, ...] = ()


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """All that is known of a site, or of the one that a domain's mail goes to (`domain` is not empty then)."""

    site: str
    group: str
    domain: str = ""
    answer: MxAnswer | None = None
    backlogs: tuple[Backlog, ...] = ()


@dataclass(frozen=True, slots=True)
class TenantFacts:
    """All that is known of a tenant. `happened` counts the records since `since_ms` by credential and kind."""

    tenant: str
    since_ms: int
    backlogs: tuple[Backlog, ...] = ()
    happened: Mapping[tuple[str, Kind], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """All that is known of a pool."""

    pool: str
    backlog: Backlog
