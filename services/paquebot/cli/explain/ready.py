"""Why a delivery that may be tried now is not tried yet. Pure: ordered rules, the first that speaks tells."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from paquebot.cli.explain.facts import Around, Kept, Sentence, do, when, why
from paquebot.cli.explain.limits import of_destination, of_pool
from paquebot.cli.explain.ordered import ordered
from paquebot.cli.explain.words import ago, ahead, count, pool_name, rate, span
from paquebot.mail.delivery import Delivery
from paquebot.wire.deliverer import DelivererState, InHand, SiteState

EXPANDED_MS = 10_000  # a message is turned into its deliveries sooner


@dataclass(frozen=True, slots=True)
class Case:
    """A ready delivery and everything around it."""

    kept: Kept
    around: Around

    @property
    def delivery(self) -> Delivery:
        """The delivery."""
        return self.kept.delivery

    def in_hand(self) -> tuple[DelivererState, InHand] | None:
        """Return which deliverer has it in hand, and where."""
        for state in self.around.deliverers(self.delivery.pool):
            for found in state.found:
                if found.name == self.delivery.name:
                    return state, found
        return None


Rule = Callable[[Case], Iterable[Sentence] | None]


def ready(case: Case) -> tuple[Sentence, ...]:
    """Return why a ready delivery is not tried yet, and what would change that."""
    for rule in _RULES:
        told = rule(case)
        if told is not None:
            return tuple(told)
    return ()


def _paused(case: Case) -> Iterable[Sentence] | None:
    pool = case.around.pool(case.delivery.pool)
    if pool is None or not pool.paused:
        return None
    return (
        why(f"The pool {pool_name(pool.token)} is paused: it keeps its mail and sends none."),
        do(f"To let it send, set {of_pool(pool, 'paused')} to false and apply the manifest."),
    )


def _ordered(case: Case) -> Iterable[Sentence] | None:
    return ordered(case.delivery, case.around) or None


def _nobody(case: Case) -> Iterable[Sentence] | None:
    """Speak when no deliverer of the pool is alive."""
    delivery, around = case.delivery, case.around
    if around.alive(delivery.pool) or around.deliverers(delivery.pool):
        return None
    name, pool = pool_name(delivery.pool), around.pool(delivery.pool)
    if pool is not None and pool.replicas == 0:
        return (
            why(f"The pool {name} is asleep: it has no deliverers, so nobody takes its mail."),
            do(f"To let it send, raise {of_pool(pool, 'replicas')} and apply the manifest."),
        )
    return (
        why(f"No deliverer of the pool {name} is alive, so nobody takes its mail. The queue keeps it."),
        do(f"Look why it ended: the log of deliverer-{delivery.pool}-0 says. `paquebot up` starts what crashes again."),
    )


def _together(case: Case) -> Iterable[Sentence] | None:
    """Speak of a message that its owner has not turned into deliveries yet."""
    if not case.kept.split:
        return None
    age_ms = case.around.now_ms - case.delivery.accepted_ms
    told = why("The message goes to several domains and is still one item: its owner makes a delivery for each first.")
    rest = (do("Nothing is needed: that takes moments."),) if age_ms < EXPANDED_MS else tuple(_owner(case))
    return told, *rest


def _at_work(case: Case) -> Iterable[Sentence] | None:
    """Speak of an attempt under way, or of one that is being recorded."""
    found = case.in_hand()
    if found is None or found[1].stage == "line":
        return None
    state, place = found
    if place.stage == "settling":
        return (why(f"{state.pod} has just tried it and records what came of it."), do("Nothing is needed: ask again."))
    return (
        why(f"{state.pod} is trying it: this attempt began {ago(place.since_ms, case.around.now_ms)}."),
        do("Nothing is needed. An attempt may take minutes: hosts have so long for each answer (RFC 5321 §4.5.3.2)."),
    )


def _in_line(case: Case) -> Iterable[Sentence] | None:
    found = case.in_hand()
    if found is None:
        return None
    state, place = found
    site = next((each for each in state.sites if (each.site, each.slot) == (place.site, place.slot)), None)
    if site is None:
        return (why(f"It is in line at {state.pod} for {place.site}."), do("Nothing is needed: its turn comes."))
    position = _position(place, site, state)
    return position, *_line_moves(case, state, site)


def _position(place: InHand, site: SiteState, state: DelivererState) -> Sentence:
    if site.waiting <= 1:
        return why(f"It is next for {site.site} at {state.pod}.")
    before = f"{place.ahead:,} of its tenant and lane before it" if place.ahead else "first of its tenant and lane"
    waiting = count(site.waiting, "delivery", "deliveries")
    return why(f"It is in line at {state.pod}: {waiting} wait for {site.site}, {before}.")


def _line_moves(case: Case, state: DelivererState, site: SiteState) -> Iterable[Sentence]:
    """Say what a line waits for: a rest, the pace, connections of the site or of the process."""
    around, delivery = case.around, case.delivery
    destination, pool = around.destination(site.group), around.pool(delivery.pool)
    if site.until_ms > around.now_ms and site.reason:
        yield why(f"{site.site} is {site.state}: {site.reason}.")
        yield when(f"Its hosts are tried again {ahead(site.until_ms, around.now_ms)}.")
        field = "patterns" if site.state == "SUSPENDED" else "backoff"
        yield do(f"The rests are set by {of_destination(destination, delivery.domain, field)}.")
    elif site.pace.connections_allowed and site.in_flight >= site.pace.connections_allowed:
        allowed = count(site.pace.connections_allowed, "connection")
        narrowed = _narrowed(site, destination.share(site.slot).connections_max)
        yield why(f"All of the {allowed} allowed to {site.site} are busy{narrowed}.")
        yield _pace_so_far(site)
        yield do(f"More at once: raise {of_destination(destination, delivery.domain, 'limits.maxConnections')}.")
    elif pool is not None and state.load.connections >= pool.sessions_per_replica:
        busy = count(pool.sessions_per_replica, "connection")
        yield why(f"All of the {busy} that {state.pod} may open are in use.")
        yield do(f"Raise {of_pool(pool, 'concurrency.sessionsPerReplica')}, or run more deliverers.")
    elif site.pace.allowed_per_s:
        slower = f", slower than it may be after: {site.pace.slowed_by}" if site.pace.slowed_by else ""
        yield why(f"The pace to {site.site} is {rate(site.pace.allowed_per_s)}{slower}.")
        yield _pace_so_far(site)
        field = "adaptive" if slower else "limits.rate"
        yield do(f"The pace is set by {of_destination(destination, delivery.domain, field)}.")
    else:
        yield do("Nothing is needed: its turn comes as soon as a connection is free.")


def _narrowed(site: SiteState, most: int) -> str:
    if site.pace.connections_allowed >= most:
        return ""
    return f" (it may have {most}, fewer since its hosts asked us to slow down)"


def _pace_so_far(site: SiteState) -> Sentence:
    """Estimate how long the line is, from the pace of late."""
    pace = site.pace.observed_per_s
    if not pace:
        return when("No attempt began in the last 10 s, so there is no estimate of its turn.")
    return when(
        f"At {rate(round(pace, 2))}, as of late, the whole line takes about {span(1000 * site.waiting / pace)}."
    )


def _owner(case: Case) -> Iterable[Sentence]:
    """Speak of what lies ready in the queue, in nobody's hands."""
    delivery, around = case.delivery, case.around
    owner = around.owner(delivery.pool, delivery.partition)
    if owner is not None:
        yield why(f"It lies ready in partition {delivery.partition}; {owner.pod} owns that and takes from it.")
        yield do(f"Nothing is needed; {owner.pod} has {count(owner.load.in_hand, 'delivery', 'deliveries')} in hand.")
        return
    yield why(f"It lies ready in partition {delivery.partition}, and no deliverer that answers owns that now.")
    if around.live.silent:
        yield why(f"These deliverers do not answer: {', '.join(around.live.silent)}.")
    yield when("After a crash another deliverer takes the partition over within 75 s.")
    yield do("If it stays so, look at the log of the pool's deliverers.")


_RULES: tuple[Rule, ...] = (_at_work, _paused, _nobody, _ordered, _in_line, _together, _owner)
