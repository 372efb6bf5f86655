"""TransportRoutes: which mail takes another way than its recipients' MX hosts, is held, or refused. Pure.

Routes are asked in order: the higher priority first, among equals by namespace and name. The first that matches
decides; a hold only delays, and the next one that matches decides on the way.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from paquebot.mail.delivery import Delivery
from paquebot.mail.reply import Reply

HOLD_LOOK_MS: Final = 600_000  # between two looks at whether a route still holds
IMPLICIT_TLS_PORT: Final = 465  # RFC 8314 §3.3


class SmarthostTLS(StrEnum):
    """What the connection to a smarthost must have. Require also verifies the certificate for the host's name."""

    OPPORTUNISTIC = "Opportunistic"
    REQUIRE_UNVERIFIED = "RequireUnverified"
    REQUIRE = "Require"


@dataclass(frozen=True, slots=True)
class Smarthost:
    """A host that takes mail for others. `secret` is `<namespace>.<name>` of its login, "" for none."""

    host: str
    port: int = 587
    tls: SmarthostTLS = SmarthostTLS.REQUIRE
    secret: str = ""


@dataclass(frozen=True, slots=True)
class ToPool:
    """Another SendingPool sends it."""

    pool: str  # token


@dataclass(frozen=True, slots=True)
class Hold:
    """It waits, once in its life and at most so long."""

    reason: str
    for_s: int


@dataclass(frozen=True, slots=True)
class Reject:
    """It is refused."""

    reply: Reply


Action = Smarthost | ToPool | Hold | Reject


@dataclass(frozen=True, slots=True)
class Match:
    """What mail a route is for: all fields must fit, one entry of each is enough, an empty one fits all.

    Domains are A-labels; `*.example` is every domain below it.
    """

    recipient_domains: tuple[str, ...] = ()
    mx_suffixes: tuple[str, ...] = ()
    sender_domains: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def needs_more(self) -> bool:
        """Say whether the envelope alone cannot decide."""
        return bool(self.mx_suffixes or self.tags)


@dataclass(frozen=True, slots=True)
class TransportRoute:
    """One route. `trusted`: it is the platform's own, not a tenant's."""

    namespace: str
    name: str
    match: Match
    action: Action
    priority: int = 100
    trusted: bool = False

    @property
    def place(self) -> str:
        """`namespace/name`, as deliveries and reasons name it."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Passage:
    """What routes look at. `hosts`: the MX hosts, None while nobody knows them; `route`: the one that took it before.

    `hold_until_ms`: see Delivery. `report`: it is a report of ours, which no route refuses or gives another pool.
    """

    tenant: str
    sender_domain: str
    domain: str
    tags: Mapping[str, str] = field(default_factory=dict)
    hosts: tuple[str, ...] | None = None
    route: str = ""
    hold_until_ms: int = 0
    report: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What routes want: hold it until then, and let `route` (Smarthost, ToPool or Reject) decide on its way."""

    route: TransportRoute | None = None
    hold: TransportRoute | None = None
    until_ms: int = 0

    @property
    def hold_reason(self) -> str:
        """Say who holds it and why."""
        action = self.hold.action if self.hold else None
        return (
            f"held by TransportRoute {self.hold.place}: {action.reason}"
            if self.hold and isinstance(action, Hold)
            else ""
        )

    @property
    def smarthost_route(self) -> str:
        """The place of the route whose smarthost takes it, "" when its MX hosts do."""
        return self.route.place if self.route and isinstance(self.route.action, Smarthost) else ""


NOTHING: Final = Decision()


@dataclass(frozen=True, slots=True)
class Routes:
    """All routes in their order, with an index that makes no difference to what they say. Make it with `of`."""

    ordered: tuple[TransportRoute, ...] = ()
    by_place: dict[str, TransportRoute] = field(default_factory=dict)
    by_domain: dict[str, tuple[int, ...]] = field(default_factory=dict)  # of recipients, or `*.` and a parent
    by_namespace: dict[str, tuple[int, ...]] = field(default_factory=dict)
    others: tuple[int, ...] = ()
    asks_hosts: bool = False  # some route looks at MX hosts

    @classmethod
    def of(cls, routes: Iterable[TransportRoute]) -> "Routes":
        """Put routes in order and index each under what it names: recipients' domains, else namespaces."""
        ordered = tuple(sorted(routes, key=lambda each: (-each.priority, each.namespace, each.name)))
        by_domain: dict[str, tuple[int, ...]] = {}
        by_namespace: dict[str, tuple[int, ...]] = {}
        others: list[int] = []
        for position, route in enumerate(ordered):
            match = route.match
            table, keys = (
                (by_domain, match.recipient_domains) if match.recipient_domains else (by_namespace, match.namespaces)
            )
            for key in dict.fromkeys(keys):
                table[key] = (*table.get(key, ()), position)
            if not keys:
                others.append(position)
        return cls(
            ordered,
            {each.place: each for each in ordered},
            by_domain,
            by_namespace,
            tuple(others),
            any(each.match.mx_suffixes for each in ordered),
        )

    def decide(self, passage: Passage, now_ms: int) -> Decision:
        """Return what is to be done with a delivery now."""
        hold: TransportRoute | None = None
        until_ms = 0
        for route in self._fitting(passage):
            match route.action:
                case Hold():
                    until = passage.hold_until_ms or now_ms + route.action.for_s * 1000
                    if hold is None and now_ms < until:
                        hold, until_ms = route, until
                case Reject() | ToPool() if passage.report:
                    continue
                case Reject() if hold is not None:
                    break  # not before the hold is over
                case _:
                    return Decision(route, hold, until_ms)
        return Decision(None, hold, until_ms) if hold else NOTHING

    def refusal(self, passage: Passage) -> Reply | None:
        """Return the reply that refuses a recipient whatever the message will be, None when that is not sure."""
        for route in self._candidates(passage):
            if not _fits_envelope(route.match, passage):
                continue
            return route.action.reply if isinstance(route.action, Reject) and not route.match.needs_more else None
        return None

    def _fitting(self, passage: Passage) -> Iterator[TransportRoute]:
        for route in self._candidates(passage):
            if _fits_envelope(route.match, passage) and _fits_rest(route, passage):
                yield route

    def _candidates(self, passage: Passage) -> Iterable[TransportRoute]:
        if not self.ordered:
            return ()
        found = [*self.others, *self.by_namespace.get(passage.tenant, ()), *self.by_domain.get(passage.domain, ())]
        parent = passage.domain.partition(".")[2] if self.by_domain else ""
        while parent:
            found += self.by_domain.get(f"*.{parent}", ())
            parent = parent.partition(".")[2]
        return [self.ordered[position] for position in sorted(set(found))]


def passage_of(delivery: Delivery, hosts: tuple[str, ...] | None) -> Passage:
    """Return what routes look at of a delivery whose MX hosts are these."""
    return Passage(
        delivery.tenant,
        delivery.reverse_path.rpartition("@")[2],
        delivery.domain,
        delivery.tags,
        hosts,
        delivery.route,
        delivery.hold_until_ms,
        not delivery.credential,
    )


def _fits_envelope(match: Match, passage: Passage) -> bool:
    """Say whether what is known at RCPT fits."""
    return (
        (not match.namespaces or passage.tenant in match.namespaces)
        and (not match.recipient_domains or _among(passage.domain, match.recipient_domains))
        and (not match.sender_domains or _among(passage.sender_domain, match.sender_domains))
    )


def _fits_rest(route: TransportRoute, passage: Passage) -> bool:
    """Say whether tags and hosts fit. Where hosts are not known, what they said before stays."""
    match = route.match
    if any(passage.tags.get(name) != value for name, value in match.tags):
        return False
    if not match.mx_suffixes:
        return True
    if passage.hosts is None:
        return passage.route == route.place
    return any(host == suffix or host.endswith(f".{suffix}") for host in passage.hosts for suffix in match.mx_suffixes)


def _among(domain: str, patterns: tuple[str, ...]) -> bool:
    if domain in patterns:
        return True
    return any(pattern.startswith("*.") and domain.endswith(pattern[1:]) for pattern in patterns)
