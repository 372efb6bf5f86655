"""A site explained: how its hosts are served, what waits for it, and what sets its limits. Pure."""

from collections.abc import Iterable

from paquebot.cli.explain.facts import Around, Explanation, Sentence, SiteFacts, do, explained, what, when, why
from paquebot.cli.explain.later import lookup
from paquebot.cli.explain.limits import of_destination
from paquebot.cli.explain.ordered import hindrances, resume
from paquebot.cli.explain.waiting import backlog
from paquebot.cli.explain.words import ago, ahead, count, listed, rate, span
from paquebot.dns.resolver import MxKind
from paquebot.mail.delivery import Lane
from paquebot.policy.values import DEFAULT_DESTINATION, DestinationPolicy
from paquebot.wire.deliverer import DelivererState, SiteState

ORDER = ("SUSPENDED", "THROTTLED", "READY")  # the worst first: it names the state of all
SHARES_MAX = 6


def site(facts: SiteFacts, around: Around) -> Explanation:
    """Return what is told about a site."""
    known = around.sites(facts.site)
    destination = around.destination(facts.group)
    state = min((each.state for _deliverer, each in known), key=ORDER.index, default="quiet")
    sentences = [
        *_what(facts, destination),
        *(sentence for deliverer, each in known for sentence in _at(deliverer, each, destination, around.now_ms)),
    ]
    if not known:
        sentences.append(why("No deliverer has it in memory: nothing was sent there of late."))
    ordered = around.suspensions(sites=facts.site, groups=facts.group, domains=facts.domain)
    sentences += hindrances(ordered)
    sentences += backlog(facts.backlogs, around)
    state = "SUSPENDED" if ordered else state
    cures = [do(resume(order)) for order in ordered] or [do(_cure(facts, state, destination))]
    return explained(facts.domain or facts.site, state.lower(), [*sentences, *cures])


def _what(facts: SiteFacts, destination: DestinationPolicy) -> Iterable[Sentence]:
    if facts.domain and facts.answer is not None:
        if facts.answer.kind in {MxKind.MX, MxKind.IMPLICIT}:
            yield what(f"{lookup(facts.domain, facts.answer)} Its mail belongs to the site {facts.site}.")
        else:
            yield what(lookup(facts.domain, facts.answer))
    limits = f"{count(destination.connections_max, 'connection')}, {_rate(destination)}"
    rests = f"rests of {span(1000 * destination.backoff.initial_s)} to {span(1000 * destination.backoff.max_s)}"
    if destination is DEFAULT_DESTINATION:
        yield what(f"No DestinationPolicy matches, so the defaults hold: {limits}, {rests}.")
        return
    members = listed((*destination.domains, *(f"hosts below {suffix}" for suffix in destination.mx_suffixes)))
    shared = f", shared by {destination.slots} slots" if destination.slots > 1 else ""
    yield what(f"DestinationPolicy {destination.name} ({members}) allows {limits}{shared}; {rests}.")


def _rate(destination: DestinationPolicy) -> str:
    return rate(destination.rate_per_s) if destination.rate_per_s else "any number of messages a second"


def _at(deliverer: DelivererState, each: SiteState, destination: DestinationPolicy, now_ms: int) -> Iterable[Sentence]:
    """Tell how one deliverer serves it, or one slot of it."""
    most = destination.share(each.slot).connections_max
    slot = f", slot {each.slot}," if each.slot else ""
    yield why(f"At {deliverer.pod}, {each.site}{slot} is {each.state}{': ' * bool(each.reason)}{each.reason}.")
    allowed = count(each.pace.connections_allowed, "connection")
    narrowed = f" (of {most})" if each.pace.connections_allowed < most else ""
    observed = rate(round(each.pace.observed_per_s, 2)) if each.pace.observed_per_s else "no message"
    yield why(f"{each.in_flight} of {allowed}{narrowed} are busy; {observed} in the last 10 s.")
    if each.pace.slowed_by:
        slower = f"{rate(each.pace.allowed_per_s)}, slower than it may be after: {each.pace.slowed_by}"
        yield why(f"Its pace is kept to {slower}.")
    if each.waiting:
        yield why(f"{count(each.waiting, 'delivery is', 'deliveries are')} in line: {_shares(each)}.")
    told = each.counts
    yield why(f"Recipients so far: {told.delivered:,} delivered, {told.deferred:,} deferred, {told.failed:,} failed.")
    for said in each.said:
        yield why(f"Last {said.kind} {ago(said.at_ms, now_ms)}: {said.host}{' said ' * bool(said.host)}{said.text}.")
    if each.until_ms > now_ms and each.state != "READY":
        yield when(f"Its hosts are tried again {ahead(each.until_ms, now_ms)}.")


def _shares(each: SiteState) -> str:
    told = [f"{share.waiting:,} of {share.tenant} ({Lane(share.lane).name.lower()})" for share in each.shares]
    return listed(tuple(told), SHARES_MAX)


def _cure(facts: SiteFacts, state: str, destination: DestinationPolicy) -> str:
    domain = facts.domain or facts.site
    match state:
        case "SUSPENDED":
            return f"What suspends it is set by {of_destination(destination, domain, 'patterns')}."
        case "THROTTLED":
            return f"Nothing is needed. The rests are set by {of_destination(destination, domain, 'backoff')}."
        case _:
            return f"Connections and pace are set by {of_destination(destination, domain, 'limits')}."
