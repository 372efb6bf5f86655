"""Looking at a pool's queue from outside: what waits, batch by batch, whatever its number."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

import structlog

from paquebot.mail.delivery import Delivery
from paquebot.mail.selector import DEFERRED, HELD, READY, Selector
from paquebot.queue.jetstream import JetStream, Message
from paquebot.queue.payload import UnknownFormatError, content_of, decode_head
from paquebot.queue.scan import pick, scan
from paquebot.queue.subjects import SLICES, deferred_filters, ready_filters, stream_name
from paquebot.wire.method import WireError

AT_ONCE = 256  # handed over: whoever steers them does so at once, and each must be answered in time
LOG = structlog.get_logger()
EVERYTHING = Selector()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A stored delivery: `state` is ready, deferred or held; `seq` its place, good for compare-and-set only."""

    delivery: Delivery
    state: str
    subject: str
    seq: int
    payload: bytes

    @property
    def content(self) -> bytes:
        """What travels with it; empty when it is stored apart."""
        return content_of(self.payload)


async def walk(js: JetStream, pool: str, selector: Selector, now_ms: int) -> AsyncIterator[list[Waiting]]:
    """Yield what waits in a pool and matches, at most AT_ONCE at a time, deferred and held before ready.

    What is in a deliverer's hands counts as ready. What comes, or is changed, after the walk began is passed over.
    """
    missing = set(selector.names)
    marks = _marks(selector)
    narrow = selector.names or selector.sites
    for filters in _stages(selector):
        read = pick if narrow and filters is deferred_filters else scan
        if selector.names and not missing:
            return  # found by their names before: no need to read all that is ready
        for number in range(SLICES):
            for subjects in filters(pool, number, selector):
                async for batch in read(js, stream_name(pool, number), subjects):
                    marked = (each for each in batch if _is_marked(each.payload, marks))
                    waiting = (each for message in marked for each in waiting_in(message))
                    found = [each for each in waiting if selector.matches(each.delivery, each.state, now_ms)]
                    missing -= {each.delivery.name for each in found}
                    for start in range(0, len(found), AT_ONCE):
                        yield found[start : start + AT_ONCE]


async def list_waiting(
    js: JetStream, pool: str, limit: int = 10_000, selector: Selector = EVERYTHING, now_ms: int = 0
) -> list[Waiting]:
    """Return at most `limit` of what waits in a pool and matches, deferred and held before ready.

    What is just being put back lies in both places for a moment: it is told once, as what it becomes.
    """
    found: dict[str, Waiting] = {}
    async for batch in walk(js, pool, selector, now_ms):
        for each in batch:
            found.setdefault(each.delivery.name, each)
        if len(found) >= limit:
            break
    return list(found.values())[:limit]


async def find(js: JetStream, pool: str, ident: str, n: str = "*") -> list[Waiting]:
    """Return the waiting deliveries of a message, deferred and held ones at once, ready ones by a scan."""
    name = ident if n == "*" else f"{ident}.{n}"
    return await list_waiting(js, pool, selector=Selector(names=(name,)))


def _stages(selector: Selector) -> Iterator[Callable[[str, int, Selector], list[str]]]:
    if set(selector.states) != {READY}:
        yield deferred_filters
    if not selector.states or READY in selector.states:
        yield ready_filters


def _marks(selector: Selector) -> list[tuple[bytes, ...]]:
    """Return octets of which one of each must stand in what matches: where one is missing nothing is decoded."""
    values = (selector.domains, selector.tenants, selector.sites, selector.groups)
    return [tuple(value.encode() for value in each) for each in values if each]


def _is_marked(payload: bytes, marks: list[tuple[bytes, ...]]) -> bool:
    return all(any(mark in payload for mark in one) for one in marks)


def waiting_in(message: Message) -> Iterator[Waiting]:
    """Yield an item's deliveries; one that another release wrote must not hide all others."""
    try:
        item = decode_head(message.payload)
    except (UnknownFormatError, WireError) as error:
        LOG.warning("an item cannot be read", subject=message.subject, seq=message.seq, error=str(error))
        return
    is_ready = message.subject.split(".")[3] == "r"
    for delivery in item.deliveries:
        state = READY if is_ready else (HELD if delivery.held else DEFERRED)
        yield Waiting(delivery, state, message.subject, message.seq, message.payload)
