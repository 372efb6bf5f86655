"""Who lives in a sandbox: domains and hosts as values, and those that every sandbox has."""

from dataclasses import dataclass, field
from enum import StrEnum

from paquebot.mail.reply import Reply
from paquebot.sandbox.manner import (
    Act,
    Certificate,
    Handshake,
    Limits,
    Manner,
    Stage,
    Trouble,
    Wording,
)


class Dns(StrEnum):
    """What the DNS says of a domain."""

    MX = "MX"
    IMPLICIT = "Implicit"  # no MX but an address: the domain is its own host
    NULL = "NullMX"  # RFC 7505
    NO_DATA = "NoData"  # it exists, without MX and address
    NO_DOMAIN = "NoSuchDomain"
    FAILS = "ServFail"


class Fate(StrEnum):
    """What may become of a recipient in the end."""

    DELIVERED = "delivered"
    FAILED = "failed"
    WAITING = "waiting"


class Reach(StrEnum):
    """How a host is reached."""

    IPV4 = "IPv4"
    IPV6 = "IPv6"
    NOT = "Dead"  # it has an address where nobody listens


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain that mail is sent to. `mx` are (preference, host)."""

    name: str
    about: str
    mx: tuple[tuple[int, str], ...] = ()
    dns: Dns = Dns.MX
    fates: frozenset[Fate] = frozenset({Fate.DELIVERED})
    weight: int = 0  # in the demo


@dataclass(frozen=True, slots=True)
class Host:
    """A receiving host."""

    name: str
    manner: Manner = field(default_factory=Manner)
    reach: Reach = Reach.IPV4


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody; `seed` is of all chance in it, `patience` shortens the timeouts of deliverers that send to it."""

    domains: tuple[Domain, ...] = ()
    hosts: tuple[Host, ...] = ()
    seed: int = 1
    patience: float = 1.0

    def joined(self, other: "Cast") -> "Cast":
        """Return both; the other's numbers hold."""
        return Cast(self.domains + other.domains, self.hosts + other.hosts, other.seed, other.patience)


@dataclass(frozen=True, slots=True)
class Manners:
    """The numbers that the built-in manners turn on."""

    greylist_s: float = 5.0
    messages_per_connection_max: int = 20
    messages_per_second_max: int = 50


def built_in(numbers: Manners | None = None) -> Cast:
    """Return those that every sandbox has."""
    found = _plain_ones(numbers or Manners()) + _crippled_ones() + _troubled_ones() + _late_ones()
    domains = tuple(domain for domain, _manner in found)
    hosts = [
        Host(host, manner, Reach.IPV6 if domain.name == "sixonly.test" else Reach.IPV4)
        for domain, manner in found
        if manner is not None
        for host in _own_hosts(domain)
    ]
    dead = [Host(f"dead.{name}", Manner(), Reach.NOT) for name in ("firstdead.test", "dead.test")]
    return Cast(domains, (*hosts, *dead))


_Entry = tuple[Domain, Manner | None]
_FATES_OF_SOME = frozenset({Fate.DELIVERED, Fate.FAILED})
_FAILED = frozenset({Fate.FAILED})
_WAITING = frozenset({Fate.WAITING})


def _own_hosts(domain: Domain) -> tuple[str, ...]:
    if domain.dns is Dns.IMPLICIT:
        return (domain.name,)
    return tuple(host for _preference, host in domain.mx if not host.startswith("dead."))


def _at(
    name: str, about: str, manner: Manner, weight: int, fates: frozenset[Fate] = frozenset({Fate.DELIVERED})
) -> _Entry:
    """Return a domain with one host."""
    return Domain(name, about, ((20, f"mx.{name}"),), fates=fates, weight=weight), manner


def _plain_ones(numbers: Manners) -> list[_Entry]:
    """Return the everyday ones, and what DNS alone decides."""
    throttled = Limits(numbers.messages_per_connection_max, numbers.messages_per_second_max)
    full = Reply(452, "4.2.2", "Mailbox full")
    unliked = Reply(554, "5.7.1", "We do not like the content")
    first_dead = ((10, "dead.firstdead.test"), (20, "mx.firstdead.test"))
    return [
        _at("accept.test", "accepts, with STARTTLS", Manner(), 40),
        _at("plain.test", "accepts, without STARTTLS", Manner(frozenset({"STARTTLS"})), 15),
        (Domain("implicit.test", "accepts; has no MX record but an address", (), Dns.IMPLICIT, weight=5), Manner()),
        _at("greylist.test", "greylists: 451 at first, accepts later", Manner(greylist_s=numbers.greylist_s), 8),
        _at("throttle.test", "421 after some messages in a connection or a second", Manner(limits=throttled), 8),
        _at(
            "refuse.test",
            "550 for users that begin with `unknown`",
            Manner(unknown_prefix="unknown"),
            8,
            _FATES_OF_SOME,
        ),
        _at("full.test", "452 for everybody: mailbox full", _troubled(Stage.RCPT, full), 2, _WAITING),
        _at("spam.test", "554 for every content", _troubled(Stage.DOT, unliked), 2, _FAILED),
        (Domain("firstdead.test", "the first MX is dead, the second accepts", first_dead, weight=6), Manner()),
        (Domain("dead.test", "the only MX is dead", ((10, "dead.dead.test"),), Dns.MX, _WAITING, 2), None),
        (Domain("nullmx.test", "receives no mail at all: null MX", (), Dns.NULL, _FAILED, 2), None),
        (Domain("nodata.test", "exists, without MX and address", (), Dns.NO_DATA, _FAILED, 2), None),
        (Domain("servfail.test", "its DNS is broken: SERVFAIL", (), Dns.FAILS, _WAITING, 2), None),
        (Domain("nxdomain.test", "does not exist", (), Dns.NO_DOMAIN, _FAILED, 2), None),
        _at("sixonly.test", "accepts; has IPv6 alone", Manner(), 3),
    ]


def _crippled_ones() -> list[_Entry]:
    """Return those that know less than others, or word it differently."""
    no_ehlo = _troubled(Stage.EHLO, Reply(502, "", "What is EHLO?"))
    garbage, silence = Manner(handshake=Handshake.BROKEN), Manner(handshake=Handshake.SILENT)
    return [
        _at("no8bit.test", "without 8BITMIME: 8-bit content fails", _lacking("8BITMIME"), 4, _FATES_OF_SOME),
        _at("nopipelining.test", "without PIPELINING", _lacking("PIPELINING"), 3),
        _at("nosize.test", "without SIZE", _lacking("SIZE"), 3),
        _at("helo.test", "refuses EHLO, takes HELO: no extensions", no_ehlo, 3, _FATES_OF_SOME),
        _at("small.test", "takes no more than 100 kB: SIZE", Manner(size_max_bytes=100_000), 3, _FATES_OF_SOME),
        _at("toomany.test", "552 to the third recipient of a message", Manner(recipients_max=2), 3),
        _at("brokentls.test", "answers the TLS handshake with garbage", garbage, 3),
        _at("silenttls.test", "never answers the TLS handshake", silence, 2),
        _at("expired.test", "its certificate has expired", Manner(certificate=Certificate.EXPIRED), 3),
        _at("multiline.test", "answers on several lines", Manner(wording=Wording.MULTILINE), 3),
        _at("odd.test", "answers in odd but legal ways", Manner(wording=Wording.ODD), 3),
    ]


def _troubled_ones() -> list[_Entry]:
    """Return those that answer late, not at all, or when they like."""
    cut = _troubled(Stage.CONTENT, Act.HANG_UP, 1)
    silent = Manner(troubles=(Trouble(Stage.DOT, Act.SILENT, 1, keeps=True),))
    flaky = Manner(troubles=tuple(Trouble(stage, Act.HANG_UP, chance=0.06) for stage in Stage))
    big = Limits(
        messages_per_connection_max=10,
        messages_per_minute_max=30,
        connections_max=3,
        reply=Reply(421, "4.7.28", "Unusual rate of unsolicited mail from your IP address"),
        penalty_s=2.0,
        penalty_max_s=30.0,
    )
    busy = Limits(messages_per_second_max=2, reply=Reply(451, "4.7.500", "Server busy. Please try again later"))
    return [
        _at("slow.test", "trickles its replies", Manner(trickle_s=0.005), 3),
        _at("tarpit.test", "waits before each reply", Manner(delay_s=0.4), 2),
        _at("silent.test", "takes it, but is silent after the first final dot", silent, 2),
        _at("hangup.test", "hangs up in the middle of DATA, the first time", cut, 3),
        _at("flaky.test", "hangs up at random", flaky, 3),
        _at("bigmail.test", "hidden limits by address: 421 4.7.28, longer each time", Manner(limits=big), 4),
        _at("busy.test", "hidden limits: 451 4.7.500", Manner(limits=busy), 4),
    ]


def _late_ones() -> list[_Entry]:
    """Return a domain for each stage at which a host may say: not now. All take it the next time."""
    busy = {
        Stage.CONNECT: Reply(450, "", "Too busy to greet you"),
        Stage.EHLO: Reply(451, "4.3.0", "No time to be introduced"),
        Stage.MAIL: Reply(451, "4.3.0", "Local error in processing"),
        Stage.RCPT: Reply(450, "4.2.1", "Mailbox busy"),
        Stage.DATA: Reply(451, "4.3.0", "No room for content just now"),
        Stage.DOT: Reply(451, "4.3.0", "Local error after the content"),
    }
    return [
        _at(
            f"{stage.lower()}.later.test",
            f"{reply.code} at {stage.upper()}, the first time",
            _troubled(stage, reply, 1),
            2,
        )
        for stage, reply in busy.items()
    ]


def _lacking(keyword: str) -> Manner:
    return Manner(frozenset({keyword}))


def _troubled(at: Stage, answer: Reply | Act, tries: int = 0) -> Manner:
    return Manner(troubles=(Trouble(at, answer, tries),))


DOMAINS: dict[str, str] = {domain.name: domain.about for domain in built_in().domains}
# What the demo sends to, with weights: every fate that mail can have, most of it good.
DEMO_RECIPIENTS: tuple[tuple[str, int], ...] = tuple(
    (domain.name, domain.weight) for domain in built_in().domains if domain.weight
)
