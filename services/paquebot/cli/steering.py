"""`paquebot queue hold|release|cancel|retry-now|requeue`: many deliveries at once, seen beforehand, and accounted for.

What is ready, or in a deliverer's hands, is steered by an order, which deliverers know before the rest is changed:
nothing slips through between the two.
"""

import asyncio
import contextlib
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace

import click
from rich.console import Console
from rich.progress import Progress

from paquebot.mail.order import Action, Order
from paquebot.mail.selector import DEFERRED, HELD, READY, Selector
from paquebot.mail.steering import carry_out
from paquebot.queue.bodies import BodyLostError
from paquebot.queue.events import EventWriter
from paquebot.queue.inspection import Waiting, walk
from paquebot.queue.jetstream import ApiError, FenceLostError, JetStream, QueueFullError, QueueUnavailableError
from paquebot.queue.moving import arrive, is_alone, move
from paquebot.queue.orders import TooManyOrdersError, give_order, known_everywhere, read_orders
from paquebot.queue.policystore import read_policy
from paquebot.queue.steer import MovingError, steer

SAMPLE = 5
MOVED_MAX = 1000  # of what moved under our hands, as many are looked for again
ROUNDS = 3
KNOWN_MAX_S = 15.0
ASIDE_MAX_S = 10.0
SLIPPED_MS = 300_000  # longer than what fires while we look needs to be touched, also after a crash

STATES_OF = {
    Action.HOLD: (READY, DEFERRED),
    Action.RELEASE: (HELD,),
    Action.REFUSE: (HELD,),
    Action.CANCEL: (READY, DEFERRED, HELD),
    Action.RETRY: (DEFERRED,),
    Action.REQUEUE: (READY, DEFERRED, HELD),
    Action.REROUTE: (READY, DEFERRED, HELD),
}


@dataclass(slots=True)
class Survey:
    """What would be steered: counts, and a few of them."""

    total: int = 0
    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # tenant, site, state
    sample: list[Waiting] = field(default_factory=list)
    alarmed: Counter[str] = field(default_factory=Counter)  # by credential: held while it did not act like itself

    @property
    def ready(self) -> int:
        """How many a deliverer has, or takes next."""
        return sum(count for (_, _, state), count in self.counts.items() if state == READY)


@dataclass(slots=True)
class Tally:
    """What became of it."""

    done: int = 0
    failed: int = 0
    ordered: int = 0
    elsewhere: int = 0  # fired, held or cancelled while we looked: an order holds for what is ready of it
    moved: list[str] = field(default_factory=list)
    order: str = ""
    faults: Counter[str] = field(default_factory=Counter)


def narrowed(order: Order) -> Order:
    """Return an order whose selector names only states that its action changes; refuse one that has none left."""
    possible = STATES_OF[order.action]
    states = tuple(state for state in order.selector.states or possible if state in possible)
    if not states:
        raise click.UsageError(f"{order.action} changes what is {' or '.join(possible)}: --status leaves nothing")
    return replace(order, selector=replace(order.selector, states=states))


async def survey(js: JetStream, order: Order) -> Survey:
    """Count what an order would change."""
    found = Survey()
    async for batch in _walk(js, order.selector, order.given_ms):
        for waiting in batch:
            delivery = waiting.delivery
            found.counts[delivery.tenant, delivery.site, waiting.state] += 1
            if delivery.held and delivery.alarmed:
                found.alarmed[f"{delivery.tenant}.{delivery.credential}"] += 1
            if len(found.sample) < SAMPLE:
                found.sample.append(waiting)
        found.total += len(batch)
    return found


Before = Callable[[Waiting], Awaitable[None]]


async def carry_out_all(js: JetStream, order: Order, expected: Survey, before: Before | None = None) -> Tally:
    """Steer all that matches: an order for what is ready, then one by one what waits, each told `before` it is."""
    tally = Tally()
    if await _needs_order(js, order, expected):
        lasting = order if expected.ready else replace(order, ends_ms=order.given_ms + SLIPPED_MS)
        await _give(js, lasting, tally)
        tally.ordered = expected.ready
    events = EventWriter(js)
    selector = replace(order.selector, states=tuple(each for each in order.selector.states if each != READY))
    if selector.states:
        with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
            task = progress.add_task(str(order.action), total=expected.total - expected.ready)
            async for batch in _walk(js, selector, order.given_ms):
                if before is not None:
                    await asyncio.gather(*map(before, batch))
                await asyncio.gather(*(_one(js, events, order, waiting, tally) for waiting in batch))
                progress.update(task, completed=tally.done + tally.failed)
        await _moved_again(js, events, replace(order, selector=selector), tally)
    if order.action is Action.REROUTE:
        await _set_aside(js, events, replace(order, selector=selector), tally)
        await _arrivals(js, events, order, tally)
    if tally.elsewhere and not tally.order and READY in order.selector.states:
        await _give(js, order, tally)
    return tally


async def _needs_order(js: JetStream, order: Order, expected: Survey) -> bool:
    """Say whether deliverers have to be told: names that all wait need no order, a release only after a hold."""
    if order.action is Action.RELEASE:
        return any(each.action is Action.HOLD for each in await read_orders(js, order.given_ms))
    if READY not in order.selector.states:
        return False
    return bool(expected.ready) or not order.selector.names


async def _give(js: JetStream, order: Order, tally: Tally) -> None:
    """Tell the deliverers. They act on what is ready, whatever its state was when it was looked for."""
    try:
        seq = await give_order(js, replace(order, selector=replace(order.selector, states=())))
    except TooManyOrdersError as error:
        raise click.ClickException(str(error)) from error
    tally.order = order.id
    if not await known_everywhere(js, seq, KNOWN_MAX_S):
        tally.faults["a deliverer does not follow the orders yet: what it has in hand may still be tried"] += 1


async def _one(js: JetStream, events: EventWriter, order: Order, waiting: Waiting, tally: Tally) -> None:
    try:
        if order.action is Action.REROUTE:
            await move(js, events, order, waiting)
        else:
            await steer(js, events, waiting, carry_out(order, waiting.delivery, order.given_ms))
    except FenceLostError:
        tally.moved.append(waiting.delivery.name)
    except (QueueUnavailableError, QueueFullError, ApiError, BodyLostError, MovingError) as error:
        tally.failed += 1
        tally.faults[str(error)] += 1
    else:
        tally.done += 1


async def _moved_again(js: JetStream, events: EventWriter, order: Order, tally: Tally) -> None:
    """Look again for what somebody else changed meanwhile; what is ready by now follows the order."""
    for _ in range(ROUNDS):
        names, tally.moved = tuple(tally.moved[:MOVED_MAX]), tally.moved[MOVED_MAX:]
        if not names:
            return
        left = set(names)
        async for batch in _walk(js, replace(order.selector, names=names), order.given_ms):
            left -= {waiting.delivery.name for waiting in batch}
            await asyncio.gather(*(_one(js, events, order, waiting, tally) for waiting in batch))
        tally.elsewhere += len(left)


async def _set_aside(js: JetStream, events: EventWriter, order: Order, tally: Tally) -> None:
    """Move what deliverers set aside because of the order, as far as they do so soon."""
    end = asyncio.get_running_loop().time() + ASIDE_MAX_S
    while tally.ordered and asyncio.get_running_loop().time() < end:
        await asyncio.sleep(0.2)
        before = tally.done
        async for batch in _walk(js, replace(order.selector, states=(DEFERRED, HELD)), order.given_ms):
            aside = (waiting for waiting in batch if waiting.delivery.moving_to)
            await asyncio.gather(*(_one(js, events, order, waiting, tally) for waiting in aside))
        tally.ordered = max(0, tally.ordered - (tally.done - before))


async def _arrivals(js: JetStream, events: EventWriter, order: Order, tally: Tally) -> None:
    """End moves that were cut short when only the last step was left."""
    selector = replace(order.selector, pools=(order.pool,), states=(DEFERRED, HELD))
    async for batch in _walk(js, selector, order.given_ms):
        for waiting in batch:
            if waiting.delivery.moving_from and await is_alone(js, waiting):
                with contextlib.suppress(FenceLostError):  # somebody else ends it
                    await arrive(js, events, order, waiting)
                    tally.done += 1


async def _walk(js: JetStream, selector: Selector, now_ms: int) -> AsyncIterator[list[Waiting]]:
    policy = await read_policy(js)
    for pool in policy.pools if policy else ():
        if not selector.pools or pool in selector.pools:
            async for batch in walk(js, pool, selector, now_ms):
                yield batch
