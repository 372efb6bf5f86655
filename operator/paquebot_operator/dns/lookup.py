"""The door to the DNS: one name and type, asked at every server of its zone, then at resolvers. Short and bounded.

Resolvers are asked when the zone's servers all have an answer, and not before: asked too early they would remember for
long that there is none. For the same reason they hear only names that exist while the servers are looked for.
`paquebot.dns` cannot serve here: it asks one resolver, and keeps what it hears.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import dns.asyncquery
import dns.asyncresolver
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.resolver

from paquebot_operator.dns.verify import Answer, Look

QUERY_S: Final = 2.0  # of one question to one server
LOOK_S: Final = 15.0  # of all about one name
SERVERS_MAX: Final = 8  # of a zone
RESOLVERS_MAX: Final = 2
HOPS_MAX: Final = 4  # aliases and delegations followed from the name that was asked for
AT_ONCE_MAX: Final = 20  # names looked at


@dataclass(frozen=True, slots=True, order=True)
class Question:
    """What is looked at: a name, a type (TXT or CNAME), and a name at or above it that is known to exist."""

    name: str
    type: str
    within: str


@dataclass(frozen=True, slots=True)
class _Server:
    name: str
    address: str
    authoritative: bool


class Lookup:
    """Asks for records. `resolvers` are addresses, the system's when none is given; `port` is another in tests."""

    def __init__(self, resolvers: Sequence[str] = (), port: int = 53) -> None:
        self._resolver = dns.asyncresolver.Resolver(configure=not resolvers)
        if resolvers:
            self._resolver.nameservers = list(resolvers)
        self._resolver.port = port
        self._resolver.lifetime = QUERY_S
        self._port = port
        self._at_once = asyncio.Semaphore(AT_ONCE_MAX)

    async def looks(self, questions: Iterable[Question]) -> dict[Question, Look]:
        """Ask all at once; what fails is told in the Look."""
        wanted = tuple(dict.fromkeys(questions))
        found = await asyncio.gather(*(self.look(question) for question in wanted))
        return dict(zip(wanted, found, strict=True))

    async def look(self, question: Question) -> Look:
        """Ask the servers of the name's zone, and when all have it the resolvers."""
        at_s = int(time.time())
        async with self._at_once:
            try:
                async with asyncio.timeout(LOOK_S):
                    own = await self._authoritative(question, HOPS_MAX)
                    if any(not answer.values for answer in own):
                        return Look(at_s, own)
                    return Look(at_s, (*own, *await self._ask_all(question, self._resolvers())))
            except TimeoutError:
                return Look(at_s, failure=f"{question.name} took longer than {LOOK_S:g} s to look up")
            except (dns.exception.DNSException, OSError, ValueError) as error:
                return Look(at_s, failure=f"the servers of {question.name} cannot be found: {_short(error)}")

    async def _authoritative(self, question: Question, hops_left: int) -> tuple[Answer, ...]:
        """Return what the zone's servers say; where they send us on, what those say to whom they do."""
        servers = await self._servers_of(dns.name.from_text(question.within))
        answers = await self._ask_all(question, servers)
        alias = next((answer.alias for answer in answers if answer.alias), "") if question.type != "CNAME" else ""
        zone = next((answer.zone for answer in answers if answer.zone), "")
        if not alias and not zone:
            return answers
        if not hops_left:
            raise ValueError(f"more than {HOPS_MAX} aliases and delegations lead from one to the next")
        onward = Question(alias, question.type, _above(alias)) if alias else replace(question, within=zone)
        behind = await self._authoritative(onward, hops_left - 1)
        return (*(answer for answer in answers if not answer.alias and not answer.zone), *behind)

    async def _servers_of(self, name: dns.name.Name) -> list[_Server]:
        """Return the servers of the nearest zone above a name, as its NS records tell."""
        while True:
            try:
                found = await self._resolver.resolve(name, dns.rdatatype.NS, search=False)
                break
            except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
                name = name.parent()  # the root's has none: NoParent is a DNSException
        hosts = sorted(record.target.to_text(omit_final_dot=True).lower() for record in found)[:SERVERS_MAX]
        addresses = await asyncio.gather(*(self._address(host) for host in hosts))
        return [_Server(host, address, authoritative=True) for host, address in zip(hosts, addresses, strict=True)]

    async def _address(self, host: str) -> str:
        """Return one address of a server, "" when it has none that can be found."""
        for kind in (dns.rdatatype.A, dns.rdatatype.AAAA):
            try:
                answer = await self._resolver.resolve(host, kind, search=False)
                return str(answer[0].address)
            except (dns.exception.DNSException, OSError):
                continue
        return ""

    def _resolvers(self) -> list[_Server]:
        named = [str(address) for address in self._resolver.nameservers][:RESOLVERS_MAX]
        return [_Server(address, address, authoritative=False) for address in named]

    async def _ask_all(self, question: Question, servers: Sequence[_Server]) -> tuple[Answer, ...]:
        return tuple(await asyncio.gather(*(self._ask(question, server) for server in servers)))

    async def _ask(self, question: Question, server: _Server) -> Answer:
        if not server.address:
            return Answer(server.name, server.authoritative, failure="its address cannot be found")
        query = dns.message.make_query(question.name, question.type)
        if server.authoritative:
            query.flags &= ~dns.flags.RD
        try:
            response, _by_tcp = await dns.asyncquery.udp_with_fallback(
                query, server.address, QUERY_S, self._port, ignore_unexpected=True
            )
        except (dns.exception.DNSException, OSError) as error:
            return Answer(server.name, server.authoritative, failure=_short(error))
        return _answer(question, server, response)


def _answer(question: Question, server: _Server, response: dns.message.Message) -> Answer:
    if response.rcode() not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
        return Answer(server.name, server.authoritative, failure=dns.rcode.to_text(response.rcode()))
    if server.authoritative and not response.flags & dns.flags.AA:
        below = [rrset.name for rrset in response.authority if rrset.rdtype == dns.rdatatype.NS]
        zone = below[0].to_text(omit_final_dot=True).lower() if below else ""
        onward = zone if len(zone) > len(question.within) and question.name.endswith(zone) else ""
        return Answer(server.name, server.authoritative, failure="is no authority for the name", zone=onward)
    kind = dns.rdatatype.from_text(question.type)
    chosen = [rrset for rrset in response.answer if rrset.rdtype == kind]
    aliases = [rrset for rrset in response.answer if rrset.rdtype == dns.rdatatype.CNAME]
    values = tuple(_value(record) for rrset in chosen for record in rrset)
    target = aliases[-1][0].target.to_text(omit_final_dot=True).lower() if aliases and not values else ""
    ttls = [rrset.ttl for rrset in (*chosen, *aliases)] or [_negative_ttl_s(response)]
    return Answer(server.name, server.authoritative, values, ttl_s=max(ttls), alias=target)


def _above(name: str) -> str:
    """Return the name above all labels that are not of hosts, such as `_domainkey`; at least the next one above."""
    labels = name.split(".")
    last = max((at for at, label in enumerate(labels) if label.startswith("_")), default=0)
    return ".".join(labels[last + 1 :])


def _negative_ttl_s(response: dns.message.Message) -> int:
    """Return for how long the absence of a record may be remembered (RFC 2308 §5)."""
    soas = [rrset for rrset in response.authority if rrset.rdtype == dns.rdatatype.SOA]
    return min(soas[0].ttl, soas[0][0].minimum) if soas else 0


def _value(record: object) -> str:
    strings = getattr(record, "strings", None)
    if strings is None:
        return record.target.to_text(omit_final_dot=True).lower()  # type: ignore[attr-defined,no-any-return]
    return b"".join(strings).decode("ascii", "backslashreplace")


def _short(error: Exception) -> str:
    if isinstance(error, dns.exception.Timeout):
        return "no answer in time"
    return str(error).partition("\n")[0][:200] or type(error).__name__
