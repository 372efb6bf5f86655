"""How full a deliverer is: each limit that can be reached, beside what is used of it."""

from paquebot.deliverer.dispatch import SITES_MAX, Dispatcher
from paquebot.deliverer.line import LINE_MAX
from paquebot.queue.hand import ITEMS_MAX


def fullness(dispatcher: Dispatcher) -> dict[str, tuple[float, float]]:
    """Return what is used of each limit, and the limit."""
    sites, sessions = dispatcher.sites.values(), dispatcher.sessions
    return {
        "deliveries in hand": (dispatcher.settler.queue.in_hand, sum(ITEMS_MAX.values())),
        "sessions": (sessions.taken, sessions.most()),
        "sites in memory": (len(sites), SITES_MAX),
        "deliveries in line for a site": (max((len(site.line) for site in sites), default=0), LINE_MAX),
        **dispatcher.settler.queue.events.fullness(),
        **dispatcher.world.resolver.fullness(),
    }
