"""Gathers the facts that explanations are told from: queue, events, policy, deliverers, DNS."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from paquebot.cli.explain.cause import Cause, cause_of
from paquebot.cli.explain.facts import Around, Kept, MessageFacts
from paquebot.cli.explain.gone import FINAL
from paquebot.cli.live import Deliverers
from paquebot.cli.place import Place, Running
from paquebot.dns.resolver import MxAnswer, Resolver
from paquebot.mail.ident import accepted_ms
from paquebot.mail.record import Kind, Record
from paquebot.policy.values import Policy
from paquebot.queue.admission import Admission
from paquebot.queue.events import read_about
from paquebot.queue.finding import Found, find_ready, find_waiting
from paquebot.queue.jetstream import JetStream
from paquebot.queue.members import members
from paquebot.queue.orders import read_orders
from paquebot.queue.policystore import read_policy
from paquebot.queue.provision import EVENTS_AGE_S
from paquebot.runtime.settings import Address
from paquebot.wire.deliverer import StateRequest

EARLIER_MS = 60_000  # clocks differ; events are read from a little before the id's own time
RECORDS_S = 3.0  # events are read for so long, ready items too
RECORDS_MAX = 10_000  # of one message
READY_S = 3.0
LOOKUP_S = 1.0
LOOKUPS_MAX = 20
UUID_BY_TIME = 7


@dataclass(frozen=True, slots=True)
class Sources:
    """What facts are gathered from."""

    js: JetStream
    deliverers: Deliverers
    resolver: Resolver


@contextlib.asynccontextmanager
async def sources(place: Place, running: Running) -> AsyncIterator[Sources]:
    """Connect to a running platform as admin."""
    js = await JetStream.connect(running.nats_url, place.identity("admin"), "cli")
    deliverers = Deliverers.of(place, running)
    server = Address.parse(running.resolver) if running.resolver else None
    try:
        yield Sources(js, deliverers, Resolver((server.host, server.port) if server else None))
    finally:
        await deliverers.close()
        await js.close()


async def gather_around(source: Sources, request: StateRequest) -> Around:
    """Return what holds for all mail now; `request` says what of the deliverers' state is wanted."""
    js, now_ms = source.js, _now_ms()
    found, alive, live, orders = await asyncio.gather(
        read_policy(js), members(js), source.deliverers.ask(request), read_orders(js, now_ms)
    )
    policy = found or Policy()
    return Around(now_ms, policy, live, tuple(alive), await _full(js, policy), orders)


async def gather_message(source: Sources, around: Around, ident: str, n: int) -> MessageFacts:
    """Return all that is known of a message, or of one delivery of it when `n` is not 0."""
    made_ms = accepted_ms(ident) if UUID(ident).version == UUID_BY_TIME else 0
    waiting, (records, until_ms) = await asyncio.gather(
        find_waiting(source.js, around.policy.pools, ident), _records(source.js, ident, made_ms)
    )
    found = {each.delivery.n: each for each in waiting}
    if not made_ms and records:  # a report's id tells no time, its record does
        made_ms = records[0].at_ms
    missing = _not_gone(records) - found.keys()
    if missing or not (found or records):
        since_ms = _since_ms(records, made_ms)
        found |= {each.delivery.n: each for each in await _ready(source, around, ident, since_ms)}
    kept = tuple(_kept(each) for each in found.values() if n in {0, each.delivery.n})
    return MessageFacts(ident, n, made_ms, kept, records, await _answers(source, kept), until_ms)


async def _records(js: JetStream, ident: str, made_ms: int) -> tuple[tuple[Record, ...], int]:
    """Return what happened to a message, and up to when that was read; 0: to the end, or beyond the message's."""
    since_ms = made_ms - EARLIER_MS if made_ms else _now_ms() - EVENTS_AGE_S * 1000
    records: list[Record] = []
    end = time.monotonic() + RECORDS_S
    async with contextlib.aclosing(read_about(js, ident, since_ms)) as stretches:
        async for stretch in stretches:
            records += stretch.records
            is_over = bool(records) and not _not_gone(records) and not stretch.records
            if is_over or len(records) > RECORDS_MAX:
                break
            if time.monotonic() > end:
                return tuple(sorted(records, key=lambda record: record.at_ms)), stretch.until_ms
    return tuple(sorted(records, key=lambda record: record.at_ms)), 0


def _not_gone(records: Iterable[Record]) -> set[int]:
    """Return the deliveries that have recipients without a last word, by what is known."""
    open_pairs = {(each.n, recipient) for each in records for recipient in each.recipients if not each.report_of}
    open_pairs -= {(each.n, recipient) for each in records for recipient in each.recipients if each.kind in FINAL}
    return {n for n, _recipient in open_pairs}


def _since_ms(records: Iterable[Record], made_ms: int) -> int:
    """Return since when an item may lie ready: its acceptance, or the time that its last record told."""
    return min([made_ms, *(each.next_ms for each in records if each.kind is Kind.DEFERRED)])


async def _ready(source: Sources, around: Around, ident: str, since_ms: int) -> list[Found]:
    try:
        async with asyncio.timeout(READY_S):
            return await find_ready(source.js, around.policy.pools, ident, since_ms)
    except TimeoutError:
        return []


def _kept(found: Found) -> Kept:
    state = "ready" if found.ready else "held" if found.delivery.held else "deferred"
    return Kept(found.delivery, state, found.split)


async def _answers(source: Sources, kept: Iterable[Kept]) -> Mapping[str, MxAnswer]:
    """Ask DNS about the domains whose hosts or names made trouble."""
    asked = {each.delivery.domain for each in kept if cause_of(each.delivery) in {Cause.DNS, Cause.HOST}}
    domains = sorted(asked)[:LOOKUPS_MAX]
    answers = await asyncio.gather(*(look_up(source, domain) for domain in domains))
    return {domain: answer for domain, answer in zip(domains, answers, strict=True) if answer is not None}


async def look_up(source: Sources, domain: str) -> MxAnswer | None:
    """Return what DNS says about a domain, None when it says nothing in time."""
    try:
        async with asyncio.timeout(LOOKUP_S):
            return await source.resolver.mx(domain)
    except TimeoutError:
        return None


async def _full(js: JetStream, policy: Policy) -> str:
    """Return why nothing new is taken, "" when there is room."""
    admission = Admission(js)
    await admission.look(policy.pools)
    refusals = (admission.check(pool) for pool in ("", *policy.pools))
    return next((reply.text for reply in refusals if reply is not None), "")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
