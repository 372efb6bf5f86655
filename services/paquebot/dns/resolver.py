"""MX and addresses, from the resolver, with a bounded cache: positive, negative, and stale when the resolver fails.

A failure of DNS never says that a domain does not exist (RFC 5321 §5.1): what names hosts outlives its time while
the resolver fails, for a day; what says that there are none does not.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain, zip_longest
from typing import Any, Generic, TypeVar

import dns.asyncresolver
import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver

LIFETIME_S = 2.0  # of one question, from when it is asked
QUESTIONS_MAX = 100  # under way; with many more at once each would wait longer for the others than it lives
CACHE_MAX = 20_000
TTL_MIN_S = 30.0
TTL_MAX_S = 3600.0
NEGATIVE_S = 60.0
UNKNOWN_S = 5.0
STALE_S = 86_400.0

T = TypeVar("T")


class MxKind(StrEnum):
    """What a domain's MX question was answered with."""

    MX = "mx"
    IMPLICIT = "implicit"  # no MX record, but an address (RFC 5321 §5.1)
    NULL = "null"  # MX 0 . (RFC 7505)
    NONE = "none"  # the domain does not exist, or has neither MX nor address
    UNKNOWN = "unknown"  # the resolver failed


@dataclass(frozen=True, slots=True)
class MxAnswer:
    """The hosts of a domain with their preferences, in no particular order."""

    kind: MxKind
    hosts: tuple[tuple[int, str], ...] = ()
    reason: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The hosts' names."""
        return tuple(name for _preference, name in self.hosts)


@dataclass(frozen=True, slots=True)
class Addresses:
    """A host's addresses, both families. `known` is False when the resolver failed."""

    addresses: tuple[str, ...]
    known: bool = True


@dataclass(frozen=True, slots=True)
class _Family:
    """A host's addresses of one family; that there are none holds as long as the other family's."""

    addresses: tuple[str, ...] = ()
    known: bool = True
    ttl_s: float = TTL_MAX_S


@dataclass(slots=True)
class _Cache(Generic[T]):
    """Answers by name, fresh until and of some use until; the least recently used go first."""

    entries: "OrderedDict[str, tuple[float, float, T]]" = field(default_factory=OrderedDict)
    asked: "dict[str, asyncio.Task[T]]" = field(default_factory=dict)

    def fresh(self, name: str, now: float) -> T | None:
        entry = self.entries.get(name)
        if entry is None or entry[0] < now:
            return None
        self.entries.move_to_end(name)
        return entry[2]

    def stale(self, name: str, now: float) -> T | None:
        """Return what named hosts once, and put off the next question."""
        entry = self.entries.get(name)
        if entry is None or entry[1] < now:
            return None
        self.entries[name] = (now + UNKNOWN_S, entry[1], entry[2])
        return entry[2]

    def keep(self, name: str, answer: T, until: float, *, stale_s: float) -> None:
        self.entries[name] = (until, until + stale_s, answer)
        self.entries.move_to_end(name)
        while len(self.entries) > CACHE_MAX:
            self.entries.popitem(last=False)

    async def once(self, name: str, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask once for all who wait for the same name."""
        task = self.asked.get(name)
        if task is None:
            task = self.asked[name] = asyncio.ensure_future(ask())
            task.add_done_callback(lambda _task: self.asked.pop(name, None))
        return await asyncio.shield(task)


class Resolver:
    """Asks one name server (host, port), or the system's."""

    def __init__(self, nameserver: tuple[str, int] | None = None) -> None:
        self._resolver = dns.asyncresolver.Resolver(configure=nameserver is None)
        if nameserver is not None:
            self._resolver.nameservers = [nameserver[0]]
            self._resolver.port = nameserver[1]
        self._resolver.lifetime = LIFETIME_S
        self._turn = asyncio.Semaphore(QUESTIONS_MAX)
        self._asking = 0
        self._mx: _Cache[MxAnswer] = _Cache()
        self._addresses: _Cache[Addresses] = _Cache()

    def fullness(self) -> dict[str, tuple[float, float]]:
        """Return how much of its limits is in use, and the limits; beyond that questions wait, and old answers go."""
        answers = max(len(self._mx.entries), len(self._addresses.entries))
        return {
            "questions to the resolver": (self._asking, QUESTIONS_MAX),
            "answers of the resolver": (answers, CACHE_MAX),
        }

    def cached_mx(self, domain: str) -> MxAnswer | None:
        """Return a fresh answer without asking, None when there is none."""
        return self._mx.fresh(domain, time.monotonic())

    async def mx(self, domain: str) -> MxAnswer:
        """Return where a domain's mail goes."""
        return self.cached_mx(domain) or await self._mx.once(domain, lambda: self._ask_mx(domain))

    async def addresses(self, host: str) -> Addresses:
        """Return a host's addresses."""
        fresh = self._addresses.fresh(host, time.monotonic())
        return fresh or await self._addresses.once(host, lambda: self._ask_addresses(host))

    async def _ask_mx(self, domain: str) -> MxAnswer:
        now = time.monotonic()
        try:
            answer = await self._resolve(domain, dns.rdatatype.MX)
        except dns.resolver.NXDOMAIN:
            result, ttl = MxAnswer(MxKind.NONE, reason=f"the domain {domain} does not exist"), NEGATIVE_S
        except dns.resolver.NoAnswer:
            result, ttl = await self._implicit(domain)
        except (dns.exception.DNSException, OSError, ValueError) as error:
            result, ttl = _unknown(f"looking up {domain} failed: {_short(error)}")
        else:
            hosts = tuple((record.preference, _name(record.exchange)) for record in answer)
            result, ttl = _explicit(domain, hosts), _ttl(answer)
        stale = self._mx.stale(domain, now) if result.kind is MxKind.UNKNOWN else None
        if stale is not None:
            return stale
        self._mx.keep(domain, result, now + ttl, stale_s=STALE_S if result.hosts else 0)
        return result

    async def _implicit(self, domain: str) -> tuple[MxAnswer, float]:
        found = await self.addresses(domain)
        if found.addresses:
            return MxAnswer(MxKind.IMPLICIT, ((0, domain),)), TTL_MIN_S
        if not found.known:
            return _unknown(f"the addresses of {domain} cannot be looked up")
        return MxAnswer(MxKind.NONE, reason=f"{domain} has neither MX nor address records"), NEGATIVE_S

    async def _ask_addresses(self, host: str) -> Addresses:
        now = time.monotonic()
        four, six = await asyncio.gather(self._ask(host, dns.rdatatype.A), self._ask(host, dns.rdatatype.AAAA))
        in_turn = chain.from_iterable(zip_longest(six.addresses, four.addresses))  # a family may have no route
        found = Addresses(tuple(address for address in in_turn if address), known=four.known and six.known)
        if not found.addresses and not found.known:
            stale = self._addresses.stale(host, now)
            if stale is None:
                self._addresses.keep(host, found, now + UNKNOWN_S, stale_s=0)
            return stale or found
        ttl, stale_s = (min(four.ttl_s, six.ttl_s), STALE_S) if found.addresses else (NEGATIVE_S, 0)
        self._addresses.keep(host, found, now + ttl, stale_s=stale_s)
        return found

    async def _ask(self, host: str, kind: Any) -> "_Family":
        try:
            answer = await self._resolve(host, kind)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return _Family()
        except (dns.exception.DNSException, OSError, ValueError):
            return _Family(known=False, ttl_s=TTL_MIN_S)
        return _Family(tuple(record.address for record in answer), ttl_s=_ttl(answer))

    async def _resolve(self, name: str, kind: Any) -> dns.resolver.Answer:
        self._asking += 1
        try:
            async with self._turn:
                return await self._resolver.resolve(name, kind, search=False)
        finally:
            self._asking -= 1


def _unknown(reason: str) -> tuple[MxAnswer, float]:
    return MxAnswer(MxKind.UNKNOWN, reason=reason), UNKNOWN_S


def _explicit(domain: str, hosts: tuple[tuple[int, str], ...]) -> MxAnswer:
    """Return the answer for MX records; a lone `.` is a null MX, and beside others it is no host."""
    real = tuple((preference, name) for preference, name in hosts if name)
    if not real:
        return MxAnswer(MxKind.NULL, reason=f"{domain} does not accept mail: its MX is null")
    return MxAnswer(MxKind.MX, real)


def _name(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower() if name != dns.name.root else ""


def _ttl(answer: dns.resolver.Answer) -> float:
    ttl = answer.rrset.ttl if answer.rrset is not None else TTL_MIN_S
    return min(TTL_MAX_S, max(TTL_MIN_S, ttl))


def _short(error: Exception) -> str:
    return str(error).partition("\n")[0][:200] or type(error).__name__
