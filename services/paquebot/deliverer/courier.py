"""One worker of a site: holds a connection and takes deliveries over it, one after the other.

It finds the hosts, goes to the next when one fails, and returns an outcome for every recipient.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from paquebot.deliverer.connection import Connection, LeaseLostError, Warrant
from paquebot.deliverer.logins import Logins
from paquebot.deliverer.opening import Way, open_connection
from paquebot.deliverer.verdicts import broken, outcomes_of
from paquebot.deliverer.wheel import DeadlineWheel
from paquebot.dns.resolver import Addresses, MxAnswer, MxKind, Resolver
from paquebot.dns.sites import in_order, literal, refusal_of
from paquebot.mail.delivery import RECIPIENTS_MAX, Delivery
from paquebot.mail.header import split
from paquebot.mail.outcome import IN_DOUBT, Kind, Outcome, Scope, Stage, of_conclusion, of_failure, of_relay
from paquebot.smtp.client import BrokenSession, Transaction, TransactionResult
from paquebot.smtp.limits import peer_limits

T = TypeVar("T")
BROKEN_OFF = "broken off before the final dot"
TRIES_MAX = 6  # addresses connected to in one attempt


@dataclass(frozen=True, slots=True)
class World:
    """How this deliverer sees the world."""

    wheel: DeadlineWheel
    resolver: Resolver
    chance: random.Random
    allow_private: bool = False  # connect to loopback and private addresses: the sandbox's
    logins: Logins = field(default_factory=Logins)


@dataclass(frozen=True, slots=True)
class Attempted:
    """What an attempt gathered: an outcome for each recipient, and who answered last."""

    outcomes: dict[str, Outcome]
    host: str = ""
    tls: str = ""
    took_s: float = 0.0
    dsn_passed: bool = False  # who took it has taken over the duty to report as well


@dataclass(slots=True, eq=False)
class Courier:
    """Delivers over at most one connection at a time."""

    world: World
    messages_max: int
    connection: Connection | None = None
    way: Way | None = None  # the open connection's
    is_cut: bool = False
    _waits: "asyncio.Future[Any] | None" = None  # a look-up, or a connection that opens
    used_up: bool = False  # the host would take more over a new connection

    async def attempt(self, delivery: Delivery, content: bytes, way: Way, warrant: Warrant) -> Attempted:
        """Try a delivery; raise LeaseLostError when nothing is delivered and we may not go on, or are cut off."""
        answer = await self._lookup(delivery.domain, way)
        conclusion = _concluded(answer)
        if conclusion is not None:
            return Attempted(dict.fromkeys(delivery.recipients, conclusion))
        undecided = delivery.recipients
        outcomes: dict[str, Outcome] = {}
        host = tls = ""
        reporting: list[bool] = []  # for each host that took over: whether it reports
        try:
            async with contextlib.aclosing(self._connections(delivery, answer, way)) as connections:  # else: a task
                async for opened in connections:
                    if isinstance(opened, Outcome):
                        outcomes |= {each: _milder(outcomes.get(each), opened) for each in undecided}
                        if opened.scope is not Scope.HOST:
                            break
                        continue
                    host, tls = opened.where, opened.tls
                    told = await self._send(opened, delivery.to(undecided), content, warrant)
                    outcomes |= {each: _milder(outcomes.get(each), outcome) for each, outcome in told.items()}
                    if any(outcome.kind is Kind.DELIVERED for outcome in told.values()):
                        reporting.append("DSN" in opened.session.extensions)
                    slow_down = any(outcomes[each].scope is Scope.SITE for each in undecided)
                    undecided = tuple(each for each in undecided if outcomes[each].scope is Scope.HOST)
                    if slow_down or not undecided:
                        break
                    _stop_unless(warrant.may_go_on)  # before another host is bothered
        except LeaseLostError:
            if not reporting:  # nobody took it over yet: the next owner has it untouched
                raise
        for recipient in delivery.recipients:
            outcomes.setdefault(recipient, of_failure(Stage.LOOKUP, f"no host of {delivery.domain} could be tried"))
        return Attempted(outcomes, host, tls, dsn_passed=bool(reporting) and all(reporting))

    def cut(self) -> None:
        """Break off what is under way; the attempt ends as `attempt` says, and none begins any more."""
        self.is_cut = True
        if self._waits is not None:
            self._waits.cancel()
        elif self.connection is not None:
            self.connection.break_off()

    @property
    def is_committed(self) -> bool:
        """True while the answer to a final dot is waited for."""
        return self.connection is not None and self.connection.committed

    async def leave(self) -> None:
        """Say goodbye, and see the connection end."""
        if self.connection is not None:
            connection, self.connection = self.connection, None
            await connection.leave()

    async def _lookup(self, domain: str, way: Way) -> MxAnswer:
        if way.smarthost:
            return MxAnswer(MxKind.IMPLICIT, ((0, way.smarthost),))
        if literal(domain):
            return MxAnswer(MxKind.IMPLICIT, ((0, domain),))
        known = self.world.resolver.cached_mx(domain)  # most times: a task for it would cost more than the answer
        return known if known is not None else await self._uncut(self.world.resolver.mx(domain))

    async def _connections(
        self, delivery: Delivery, answer: MxAnswer, way: Way
    ) -> AsyncGenerator[Connection | Outcome, None]:
        """Yield the open connection if it serves this domain, then new ones, host by host, address by address."""
        own = "" if way.smarthost else way.helo_hostname  # whoever names a smarthost means it
        hosts = in_order(answer, own, self.world.chance)
        if not hosts:
            loop = f"all hosts of {delivery.domain} are ourselves: mail would go in a circle"
            yield of_conclusion(Kind.FAILED, 554, "5.4.6", loop)
            return
        first, address_first = _asked_first(delivery, hosts)
        if first:
            hosts = (first, *(host for host in hosts if host != first))
        if self._serves((first,) if first else hosts, way, delivery.domain):
            assert self.connection is not None  # noqa: S101  (it serves)
            yield self.connection
        tries = 0
        for host in hosts:
            found = Addresses((literal(host),)) if literal(host) else await self._addresses(host)
            if not found.addresses and not found.known:
                yield of_failure(Stage.LOOKUP, f"the addresses of {host} cannot be looked up")
            for address in sorted(found.addresses, key=lambda each: each != address_first):
                self.used_up = True
                while self.used_up:
                    self.used_up = False
                    tries += 1
                    if tries > TRIES_MAX:
                        return
                    yield await self._open(host, address, way)

    async def _open(self, host: str, address: str, way: Way) -> Connection | Outcome:
        await self.leave()
        refusal = refusal_of(address)
        if refusal and not (way.allow_private or self.world.allow_private):
            return of_failure(Stage.CONNECT, f"{host}: {refusal}, mail is not sent there")
        opened = await self._uncut(open_connection(self.world.wheel, host, address, way))
        if isinstance(opened, Connection):
            self.connection, self.way = opened, way
        return opened

    async def _addresses(self, host: str) -> Addresses:
        return await self._uncut(self.world.resolver.addresses(host))

    async def _uncut(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what the work returns; raise LeaseLostError when we are cut off meanwhile, or were before."""
        self._waits = waits = asyncio.ensure_future(work)
        if self.is_cut:
            waits.cancel()
        try:
            return await waits
        except asyncio.CancelledError:
            if self.is_cut and waits.cancelled():
                raise LeaseLostError(BROKEN_OFF) from None
            raise
        finally:
            self._waits = None

    async def _send(
        self, connection: Connection, delivery: Delivery, content: bytes, warrant: Warrant
    ) -> dict[str, Outcome]:
        """Send in as many transactions as the host's limits ask for (RFC 9422 §4); what is left waits for the next."""
        share_max = peer_limits(connection.session.extensions).recipients_max or RECIPIENTS_MAX
        left, outcomes = delivery.recipients, dict[str, Outcome]()
        while left:
            share = delivery.to(left[:share_max])
            try:
                told = await self._transact(connection, share, content, warrant)
            except LeaseLostError:
                if not outcomes:
                    raise
                told = dict.fromkeys(share.recipients, of_failure(Stage.RCPT, BROKEN_OFF))  # others may have it already
            outcomes |= told
            went = any(outcome.kind is Kind.DELIVERED for outcome in told.values())
            # RFC 5321 §4.5.3.1.10: whoever was one too many is sent to in a transaction of its own.
            left = tuple(each for each in told if went and _too_many(told[each])) + left[share_max:]
            settled = next(filter(_settles_others, told.values()), None)
            if settled is not None:
                return outcomes | dict.fromkeys(left, settled)
            if left and not (connection.reusable and self._room(connection)):
                self.used_up = went
                late = of_failure(Stage.RCPT, f"{connection.where} takes no more mail in this session")
                return outcomes | dict.fromkeys(left, late)
        return outcomes

    async def _transact(
        self, connection: Connection, delivery: Delivery, content: bytes, warrant: Warrant
    ) -> dict[str, Outcome]:
        transaction = Transaction(
            delivery.return_path,
            delivery.recipients,
            content,
            delivery.prefix,
            delivery.eight_bit,
            delivery.utf8 and not split(content)[0].isascii(),
            delivery.envelope_id,
            delivery.ret,
            delivery.wishes,
        )
        connection.messages += 1
        if self.is_cut:
            raise LeaseLostError(BROKEN_OFF)
        connection.domains.add(delivery.domain)
        try:
            result: TransactionResult = await connection.run(connection.session.transaction(transaction), warrant)
        except BrokenSession as error:
            warrant.answered(())
            return broken(transaction, error.reason, connection.where)
        except LeaseLostError:
            warrant.answered(())
            raise
        outcomes = outcomes_of(transaction, result, connection.where)
        if not result.in_doubt:
            warrant.answered(tuple(each for each, told in outcomes.items() if told.kind is Kind.DELIVERED))
        return {each: of_relay(outcome) for each, outcome in outcomes.items()} if self._relays else outcomes

    @property
    def _relays(self) -> bool:
        return self.way is not None and bool(self.way.smarthost)

    def _serves(self, hosts: tuple[str, ...], way: Way, domain: str) -> bool:
        """Say whether the open connection may be used: it must be as secure as a new one would be."""
        connection = self.connection
        if connection is None or self.way != way or not connection.reusable or connection.host not in hosts:
            return False
        domains_max = peer_limits(connection.session.extensions).domains_max
        known = domain in connection.domains or domains_max is None or len(connection.domains) < domains_max
        return known and self._room(connection)

    def _room(self, connection: Connection) -> bool:
        """Say whether another MAIL may be sent over a connection, by our limit and the host's."""
        theirs = peer_limits(connection.session.extensions).mails_max or self.messages_max
        return connection.messages < min(theirs, self.messages_max)


def _asked_first(delivery: Delivery, hosts: tuple[str, ...]) -> tuple[str, str]:
    """Return host and address that may have a delivery in doubt, and would know it again; "" where there is none."""
    host, _, address = delivery.last_host.partition(" ")
    in_doubt = delivery.reason.startswith(IN_DOUBT) and host in hosts
    return (host, address.strip("[]")) if in_doubt else ("", "")


def _stop_unless(may_go_on: Callable[[], bool]) -> None:
    if not may_go_on():
        raise LeaseLostError(BROKEN_OFF)


def _too_many(outcome: Outcome) -> bool:
    reply = outcome.reply
    return reply is not None and (reply.code, reply.enhanced) in {(452, "4.5.3"), (552, "5.5.3")}


def _settles_others(outcome: Outcome) -> bool:
    """Say whether what was told about one transaction holds for the next one of the same message."""
    return outcome.scope in {Scope.MESSAGE, Scope.SITE} and not outcome.reason.startswith(IN_DOUBT)


def _milder(before: Outcome | None, now: Outcome) -> Outcome:
    """Return what counts when host after host fails.

    One that never wants mail (RFC 7504), or cannot take this message, does not speak for others.
    """
    worse = now.kind is Kind.FAILED and now.scope is Scope.HOST
    return before if before is not None and before.kind is Kind.DEFERRED and worse else now


def _concluded(answer: MxAnswer) -> Outcome | None:
    """Return the outcome that the lookup alone decides."""
    match answer.kind:
        case MxKind.NULL:
            return of_conclusion(Kind.FAILED, 556, "5.1.10", answer.reason)  # RFC 7505 §4.1
        case MxKind.NONE:
            return of_conclusion(Kind.FAILED, 550, "5.1.2", answer.reason)
        case MxKind.UNKNOWN:
            return of_failure(Stage.LOOKUP, answer.reason)
        case _:
            return None
