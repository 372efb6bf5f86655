"""A tenant explained: what it may send, what it sent of late, and what of it waits. Pure."""

from collections.abc import Iterable

from paquebot.cli.explain.facts import Around, Explanation, Sentence, TenantFacts, do, explained, what, why
from paquebot.cli.explain.ordered import hindrances, resume
from paquebot.cli.explain.waiting import reasons
from paquebot.cli.explain.words import ago, clock, count, listed, pool_name
from paquebot.mail.record import Kind
from paquebot.policy.values import Limits, MailDomain, SMTPCredential

_TOLD = (Kind.ACCEPTED, Kind.DELIVERED, Kind.DEFERRED, Kind.FAILED)


def tenant(facts: TenantFacts, around: Around) -> Explanation:
    """Return what is told about a tenant."""
    domains = [each for each in around.policy.domains.values() if each.namespace == facts.tenant]
    credentials = [each for each in around.policy.credentials.values() if each.namespace == facts.tenant]
    ordered = around.suspensions(tenants=facts.tenant)
    obstacles = [*hindrances(ordered), *_obstacles(domains, credentials, around)]
    sentences = [
        what(_what(domains, credentials)),
        *obstacles,
        *(sentence for each in credentials for sentence in _quota(each, facts, around)),
        *_happened(facts, around),
        *_waiting(facts, around),
    ]
    state = "hindered" if obstacles else "sending" if credentials else "unable to send"
    cures = [do(resume(order)) for order in ordered] or [do(_CURES[state])]
    return explained(facts.tenant, state, [*sentences, *cures])


def _what(domains: list[MailDomain], credentials: list[SMTPCredential]) -> str:
    froms = listed(tuple(f"{each.domain} (pool {pool_name(each.pool)})" for each in domains)) or "no domain of its own"
    names = listed(tuple(each.username for each in credentials)) or "no credential"
    return f"The tenant sends from {froms}, with {names}."


def _obstacles(domains: list[MailDomain], credentials: list[SMTPCredential], around: Around) -> Iterable[Sentence]:
    for domain in domains:
        if domain.suspend:
            field = f"`spec.suspend` of MailDomain {domain.namespace}/{domain.name}"
            yield why(f"{domain.domain} is suspended, so new mail from it is refused: {field} is true.")
        pool = around.pool(domain.pool)
        if pool is not None and pool.paused:
            yield why(f"The pool of {domain.domain} is paused: `spec.paused` of SendingPool {pool.place} is true.")
    for credential in credentials:
        place = f"SMTPCredential {credential.namespace}/{credential.name}"
        if credential.suspend:
            yield why(f"{credential.username} is suspended: `spec.suspend` of {place} is true.")
        if 0 < credential.expires_at_ms <= around.now_ms:
            yield why(f"{credential.username} expired {ago(credential.expires_at_ms, around.now_ms)}: see {place}.")


def _quota(credential: SMTPCredential, facts: TenantFacts, around: Around) -> Iterable[Sentence]:
    limit = credential.limits.messages_per_hour
    if limit == Limits().messages_per_hour:
        return
    used = facts.happened.get((credential.name, Kind.ACCEPTED), 0)
    since = clock(facts.since_ms, around.now_ms)
    yield why(f"{credential.username} may send {limit:,} messages an hour; {used:,} were accepted since {since}.")


def _happened(facts: TenantFacts, around: Around) -> Iterable[Sentence]:
    totals = {kind: sum(number for (_who, each), number in facts.happened.items() if each is kind) for kind in _TOLD}
    told = ", ".join(f"{number:,} {kind}" for kind, number in totals.items())
    yield why(f"Since {clock(facts.since_ms, around.now_ms)}: {told} (deliveries, once for each outcome).")


def _waiting(facts: TenantFacts, around: Around) -> Iterable[Sentence]:
    sites = [
        (each, share.waiting)
        for state in around.live.states
        for each in state.sites
        for share in each.shares
        if share.tenant == facts.tenant
    ]
    if sites:
        in_line = sum(number for _site, number in sites)
        names = listed(tuple(dict.fromkeys(each.site for each, _number in sites)))
        yield why(f"{count(in_line, 'delivery is', 'deliveries are')} in line at deliverers, for {names}.")
    deliveries = [each for backlog in facts.backlogs for each in backlog.sample if each.tenant == facts.tenant]
    yield why(f"{count(len(deliveries), 'delivery waits for its', 'deliveries wait for their')} time or for a person.")
    yield from reasons(deliveries, around.now_ms)
    read = sum(len(each.sample) for each in facts.backlogs)
    later = sum(each.depth.later for each in facts.backlogs)
    if read < later:
        yield why(f"That is out of {read:,} that were looked at; {later:,} of all tenants wait.")


_CURES = {
    "hindered": "Mend what is named above in the manifest, and apply it.",
    "unable to send": "To let it send, declare an SMTPCredential in its namespace.",
    "sending": "Nothing is needed. `paquebot explain` tells more of one message, by its id, or of one destination.",
}
