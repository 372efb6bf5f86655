"""What concerns several objects: names taken twice, references that lead nowhere or are not allowed."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from paquebot.policy.cluster import ClusterIdentity
from paquebot.policy.faults import (
    DOMAIN_CONFLICT,
    DOMAIN_NOT_FOUND,
    POOL_NOT_FOUND,
    POOL_NOT_PERMITTED,
    Notes,
)
from paquebot.policy.kinds import (
    ANY_NAMESPACE,
    DeclaredCredential,
    DeclaredDestination,
    DeclaredDomain,
    DeclaredPool,
    DomainRef,
    PoolRef,
)
from paquebot.policy.route_fields import DeclaredRoute
from paquebot.policy.suppression import SuppressionList
from paquebot.policy.suppression_fields import DeclaredSuppression
from paquebot.policy.values import Limits, SMTPCredential

POOLS_MAX: Final = 20  # each has a stream set of its own
ANOTHER_DOMAIN: Final = "declare it, or name another of this namespace"


@dataclass(frozen=True, slots=True)
class Declared:
    """Every object that could be read, in the order given, with its faults in its notes."""

    pools: list[DeclaredPool] = field(default_factory=list)
    domains: list[DeclaredDomain] = field(default_factory=list)
    credentials: list[DeclaredCredential] = field(default_factory=list)
    destinations: list[DeclaredDestination] = field(default_factory=list)
    routes: list[DeclaredRoute] = field(default_factory=list)
    suppressions: list[DeclaredSuppression] = field(default_factory=list)
    clusters: list[ClusterIdentity] = field(default_factory=list)  # one, or none


@dataclass(frozen=True, slots=True)
class Settled:
    """What refers to other objects, with its references followed."""

    credentials: list[SMTPCredential]
    suppressions: list[SuppressionList]


def check(declared: Declared) -> Settled:
    """Write faults into the notes, and return what refers to others with senders, limits and domains settled."""
    pools = {entry.value.token: entry for entry in declared.pools}
    domains = {(entry.value.namespace, entry.value.name): entry for entry in declared.domains}
    owners = _domains_once(declared.domains)
    for extra in declared.pools[POOLS_MAX:]:
        extra.notes.fault("metadata.name", f"is one pool more than {POOLS_MAX}", "join pools")
    for domain in declared.domains:
        _pool_allowed(domain.notes, domain.pool, pools)
        _expiry_within(domain, pools)
        _keys_outlast_mail(domain, pools)
    for route in declared.routes:
        if route.pool is not None:
            _pool_allowed(route.notes, route.pool, pools)
    for credential in declared.credentials:
        if credential.pool is not None:
            _pool_allowed(credential.notes, credential.pool, pools)
    _accounts_apart(declared.credentials)
    _secrets_apart(declared.credentials)
    _destinations_apart(declared.destinations)
    return Settled(
        [_settled(credential, domains, owners) for credential in declared.credentials],
        [_applied(each, domains) for each in declared.suppressions],
    )


def _domains_once(domains: Sequence[DeclaredDomain]) -> dict[str, DeclaredDomain]:
    owners: dict[str, DeclaredDomain] = {}
    for entry in domains:
        first = owners.setdefault(entry.value.domain, entry)
        if entry.value.domain and first is not entry:
            text = f"{entry.value.domain} is claimed by {first.notes.place} already"
            entry.notes.fault("spec.domain", text, "remove one of the two", reason=DOMAIN_CONFLICT)
    return owners


def _pool_allowed(notes: Notes, wanted: PoolRef, pools: dict[str, DeclaredPool]) -> None:
    if not wanted.name:
        return  # its own fault is noted
    pool = pools.get(wanted.token)
    if pool is None:
        text = f"there is no SendingPool {wanted.namespace}/{wanted.name}"
        known = ", ".join(entry.notes.place for entry in pools.values()) or "none"
        notes.fault(wanted.path, text, f"declare it, or name another; known: {known}", reason=POOL_NOT_FOUND)
        return
    allowed = pool.value.allowed_namespaces
    if notes.namespace != wanted.namespace and notes.namespace not in allowed and ANY_NAMESPACE not in allowed:
        text = f"SendingPool {pool.notes.place} does not allow namespace {notes.namespace}"
        cure = "add it to the pool's spec.allowedNamespaces.names"
        notes.fault(wanted.path, text, cure, reason=POOL_NOT_PERMITTED)


def _applied(declared: DeclaredSuppression, domains: dict[tuple[str, str], DeclaredDomain]) -> SuppressionList:
    found: list[str] = []
    for name, path in declared.domains:
        domain = domains.get((declared.value.namespace, name))
        if domain is not None:
            found.append(domain.value.domain)
        elif name:
            text = f"there is no MailDomain {declared.value.namespace}/{name}"
            declared.notes.fault(path, text, ANOTHER_DOMAIN, reason=DOMAIN_NOT_FOUND)
    return replace(declared.value, domains=tuple(found))


def _expiry_within(domain: DeclaredDomain, pools: dict[str, DeclaredPool]) -> None:
    pool = pools.get(domain.pool.token)
    if pool is not None and domain.value.expiry_s > pool.value.retry.expiry_s:
        text = f"is longer than SendingPool {pool.notes.place} tries"
        domain.notes.fault("spec.expiry", text, "shorten it, or raise the pool's spec.retry.expiry")


def _keys_outlast_mail(domain: DeclaredDomain, pools: dict[str, DeclaredPool]) -> None:
    pool = pools.get(domain.pool.token)
    tried_s = domain.value.expiry_s or (pool.value.retry.expiry_s if pool is not None else 0)
    if domain.value.rotation.overlap_s < tried_s:
        text = "is shorter than mail is tried for, so the last of it could not be verified"
        domain.notes.fault("spec.dkim.rotation.overlap", text, "raise it, or give the domain a shorter `expiry`")


def _secrets_apart(credentials: Sequence[DeclaredCredential]) -> None:
    taken: dict[tuple[str, str], DeclaredCredential] = {}
    for entry in credentials:
        first = taken.setdefault((entry.value.namespace, entry.secret), entry)
        if entry.secret and first is not entry:
            text = f"{entry.secret} is the Secret of SMTPCredential {first.notes.place} already"
            entry.notes.fault("spec.secretName", text, "name another")


def _accounts_apart(credentials: Sequence[DeclaredCredential]) -> None:
    """Let each account use one credential: its token says who it is and no more."""
    taken: dict[tuple[str, str], DeclaredCredential] = {}
    for entry in credentials:
        for at, account in enumerate(entry.value.service_accounts):
            first = taken.setdefault((entry.value.namespace, account), entry)
            if account and first is not entry:
                text = f"{account} may use SMTPCredential {first.notes.place} already"
                entry.notes.fault(f"spec.serviceAccounts[{at}].name", text, "name it in one of the two")


def _destinations_apart(destinations: Sequence[DeclaredDestination]) -> None:
    taken: dict[tuple[str, str], DeclaredDestination] = {}
    for entry in destinations:
        for path, values in (("mxSuffixes", entry.value.mx_suffixes), ("domains", entry.value.domains)):
            for value in values:
                first = taken.setdefault((path, value), entry)
                if first is not entry:
                    text = f"{value} is matched by DestinationPolicy {first.value.name} already"
                    entry.notes.fault(f"spec.match.{path}", text, "match it in one of the two")


def _settled(
    credential: DeclaredCredential,
    domains: dict[tuple[str, str], DeclaredDomain],
    owners: dict[str, DeclaredDomain],
) -> SMTPCredential:
    senders: list[str] = []
    limits: list[Limits] = []
    for ref in credential.domains:
        domain = domains.get((credential.value.namespace, ref.name))
        if domain is not None:
            senders += _senders(credential.notes, ref, domain, owners)
            limits.append(domain.value.limits)
        elif ref.name:
            text = f"there is no MailDomain {credential.value.namespace}/{ref.name}"
            credential.notes.fault(f"{ref.path}.name", text, ANOTHER_DOMAIN, reason=DOMAIN_NOT_FOUND)
    # What a credential does not limit itself is limited as the strictest of its domains is.
    least = Limits(
        message_size_max_bytes=min(
            (each.message_size_max_bytes for each in limits), default=Limits().message_size_max_bytes
        ),
        recipients_max=min((each.recipients_max for each in limits), default=Limits().recipients_max),
    )
    return replace(
        credential.value,
        senders=tuple(dict.fromkeys(senders)),
        pool=credential.pool.token if credential.pool else "",
        limits=credential.limits.over(least),
    )


def _senders(
    notes: Notes, ref: DomainRef, domain: DeclaredDomain, owners: dict[str, DeclaredDomain]
) -> tuple[str, ...]:
    name = domain.value.domain
    if not ref.senders:
        return (f"*@{name}",)
    for sender in ref.senders:
        of = sender.rpartition("@")[2]
        path = f"{ref.path}.senders"
        if name and of != name and not of.endswith("." + name):
            notes.fault(path, f"{sender} is not in {name} nor below", f"write an address in {name}")
            continue
        owner = nearest(owners, of)
        if owner is not None and owner.value.namespace != notes.namespace:
            notes.fault(path, f"{sender} belongs to {owner.notes.place}", "take it out")
    return ref.senders


def nearest(owners: dict[str, DeclaredDomain], domain: str) -> DeclaredDomain | None:
    """Return who declared the domain or its nearest parent."""
    while domain and domain not in owners:
        domain = domain.partition(".")[2]
    return owners.get(domain)
