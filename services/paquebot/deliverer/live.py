"""The live state of a deliverer as a value: what is asked for, out of what it has in memory."""

from collections.abc import Iterable

from paquebot.deliverer.dispatch import Dispatcher
from paquebot.deliverer.site import Site
from paquebot.queue.taken import Taken
from paquebot.wire.deliverer import DelivererState, InHand, Load, SiteState, StateRequest

SITES_MAX = 1000  # of one answer: the busiest


def live_state(dispatcher: Dispatcher, request: StateRequest, now: float, now_ms: int) -> DelivererState:
    """Return the state that a request asks for; `now` is the event loop's time in seconds, `now_ms` Unix time."""
    queue = dispatcher.settler.queue
    found = tuple(_found(dispatcher, request.message, now, now_ms)) if request.message else ()
    about = {each.site for each in found} if request.message else None
    sites = [site.state(now, now_ms) for site in dispatcher.sites.values() if _is_wanted(site, request, about)]
    sites_max = min(request.sites_max or SITES_MAX, SITES_MAX)
    return DelivererState(
        queue.pod,
        queue.pool,
        queue.partitions,
        tuple(sorted(sites, key=_load, reverse=True)[:sites_max]),
        draining=queue.draining,
        load=Load(queue.in_hand, queue.hand.held_bytes, len(dispatcher.sites), dispatcher.sessions.taken),
        revision=dispatcher.policy.revision,
        counts=dispatcher.tally.totals(),
        at_ms=now_ms,
        found=found,
    )


def _is_wanted(site: Site, request: StateRequest, about: set[str] | None) -> bool:
    if about is not None and site.name not in about:
        return False
    if request.site and request.site not in {site.name, site.group}:
        return False
    return not request.tenant or any(
        taken.delivery.tenant == request.tenant for mail in (site.trying, site.line) for taken in mail
    )


def _load(site: SiteState) -> tuple[int, int]:
    return site.in_flight + site.waiting, site.connections


def _found(dispatcher: Dispatcher, ident: str, now: float, now_ms: int) -> Iterable[InHand]:
    """Yield where a message's deliveries are, of those in hand."""
    for partition in dispatcher.settler.queue.owned.values():
        for taken in partition.in_hand.values():
            if taken.delivery.id == ident:
                yield _place(dispatcher, taken, now, now_ms)


def _place(dispatcher: Dispatcher, taken: Taken, now: float, now_ms: int) -> InHand:
    for site in dispatcher.sites.values():
        began = site.trying.get(taken)
        if began is not None:
            return InHand(taken.name, site.name, "attempt", since_ms=now_ms - int((now - began) * 1000), slot=site.slot)
        if taken.delivery.site != site.name:
            continue
        ahead = _ahead(site, taken)
        if ahead is not None:
            return InHand(taken.name, site.name, "line", ahead, slot=site.slot)
    return InHand(taken.name, taken.delivery.site, "settling")


def _ahead(site: Site, wanted: Taken) -> int | None:
    """Return how many of its lane and tenant stand before an item in a site's line, None when it is not there."""
    ahead = 0
    for taken in site.line:
        if taken is wanted:
            return ahead
        delivery = taken.delivery
        ahead += (delivery.lane, delivery.tenant) == (wanted.delivery.lane, wanted.delivery.tenant)
    return None
