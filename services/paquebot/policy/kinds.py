"""The fields of each kind, read into values, one object at a time. What concerns several is in `check`."""

from dataclasses import dataclass
from typing import Final

from paquebot.mail.delivery import Lane
from paquebot.mail.doubt import InDoubt
from paquebot.policy import names, scalars
from paquebot.policy.binding import secret_name
from paquebot.policy.content import thresholds
from paquebot.policy.faults import Notes, Unfit
from paquebot.policy.idempotency import idempotency
from paquebot.policy.labels import selector
from paquebot.policy.pace import adaptive, patterns
from paquebot.policy.publication import publication, revoked, rotation
from paquebot.policy.scaling import REPLICAS_MAX, Mode, scaling
from paquebot.policy.section import Section
from paquebot.policy.takeover import takeover
from paquebot.policy.values import (
    Backoff,
    DestinationPolicy,
    EightBit,
    Limits,
    MailDomain,
    Retry,
    SendingPool,
    SMTPCredential,
    TLSMinimum,
)
from paquebot.policy.window import windows
from paquebot.policy.workload import grace_s, look_at_template

DKIM_ALGORITHMS: Final = ("RSA2048", "Ed25519")
ANY_NAMESPACE: Final = "*"
DEFAULT_POOL: Final = "default"

_MESSAGES_PER_HOUR_MAX: Final = 1_000_000_000
_MESSAGE_SIZE_MAX_BYTES: Final = 100 << 20
_RECIPIENTS_MAX: Final = 1000
_CONNECTIONS_MAX: Final = 10_000
_SLOTS_MAX: Final = 16  # no more than a pool's partitions
_QUICK_MAX: Final = 10  # quick retries
_MULTIPLIER_MAX: Final = 100.0
_WEIGHT_MAX: Final = 1000
_SERVICE_ACCOUNTS_MAX: Final = 50  # of one credential
_DOMAIN_REFS_MAX: Final = 30  # the same
_SENDERS_MAX: Final = 50  # of one of these


@dataclass(frozen=True, slots=True)
class PoolRef:
    """Which pool an object wants, and the field that says so."""

    namespace: str
    name: str
    path: str

    @property
    def token(self) -> str:
        """The pool's name in streams and subjects."""
        return SendingPool(self.namespace, self.name, "").token


@dataclass(frozen=True, slots=True)
class DomainRef:
    """A MailDomain a credential may send from, and as whom; no senders: as anyone in the domain."""

    name: str
    senders: tuple[str, ...]
    path: str


@dataclass(frozen=True, slots=True)
class GivenLimits:
    """Limits as written; None where nothing is."""

    messages_per_hour: int | None
    message_size_max_bytes: int | None
    recipients_max: int | None

    def over(self, default: Limits) -> Limits:
        """Return these limits, and `default` where nothing is given."""
        return Limits(
            default.messages_per_hour if self.messages_per_hour is None else self.messages_per_hour,
            self.message_size_max_bytes or default.message_size_max_bytes,
            self.recipients_max or default.recipients_max,
        )


@dataclass(frozen=True, slots=True)
class DeclaredPool:
    """A SendingPool with its notes."""

    notes: Notes
    value: SendingPool


@dataclass(frozen=True, slots=True)
class DeclaredDomain:
    """A MailDomain with its notes and reference."""

    notes: Notes
    value: MailDomain
    pool: PoolRef


@dataclass(frozen=True, slots=True)
class DeclaredCredential:
    """An SMTPCredential with its notes and references; senders and limits are settled in `check`."""

    notes: Notes
    value: SMTPCredential
    limits: GivenLimits
    domains: tuple[DomainRef, ...]
    pool: PoolRef | None
    secret: str  # that its password is written to in a cluster; "": none


@dataclass(frozen=True, slots=True)
class DeclaredDestination:
    """A DestinationPolicy with its notes."""

    notes: Notes
    value: DestinationPolicy


def pool(spec: Section) -> DeclaredPool:
    """Read the spec of a SendingPool."""
    spec.later("egress", "tls")
    look_at_template(spec.section("template"))
    concurrency, fairness = spec.section("concurrency"), spec.section("fairness")
    default = SendingPool("", "", "")
    value = SendingPool(
        namespace=spec.notes.namespace,
        name=spec.notes.name,
        helo_hostname=spec.need("heloHostname", names.domain, ""),
        paused=spec.read("paused", scalars.boolean, default=False),
        replicas=spec.read("replicas", scalars.integer(0, REPLICAS_MAX), None),
        allowed_namespaces=_allowed_namespaces(spec.section("allowedNamespaces")),
        sessions_per_replica=concurrency.read(
            "sessionsPerReplica", scalars.integer(1, _CONNECTIONS_MAX), default.sessions_per_replica
        ),
        messages_per_session=concurrency.read(
            "messagesPerSession", scalars.integer(1, _CONNECTIONS_MAX), default.messages_per_session
        ),
        retry=_retry(spec.section("retry")),
        in_doubt=spec.read("inDoubt", scalars.choice(InDoubt), default.in_doubt),
        tenant_weights=fairness.table("tenantWeights", names.label, scalars.integer(1, _WEIGHT_MAX)),
        scaling=scaling(spec.section("scaling")),
        grace_s=grace_s(spec.section("drain"), default.grace_s),
    )
    if spec.has("replicas") and value.scaling.mode is Mode.DRAIN_TIME:
        cure = "set scaling.minReplicas and scaling.maxReplicas, or set scaling.mode to Manual or External"
        spec.fault("replicas", "is for a pool that does not size itself", cure)
    concurrency.finish()
    fairness.finish()
    spec.finish()
    return DeclaredPool(spec.notes, value)


def _allowed_namespaces(section: Section) -> tuple[str, ...]:
    selector(section.section("selector"))
    allowed = section.entries("names", lambda value: ANY_NAMESPACE if value == ANY_NAMESPACE else names.label(value))
    section.finish()
    return (ANY_NAMESPACE,) if ANY_NAMESPACE in allowed else allowed


def _retry(section: Section) -> Retry:
    default = Retry()
    quick = section.entries("quick", scalars.duration_s)
    section.at_most("quick", _QUICK_MAX)
    retry = Retry(
        quick_s=quick if section.has("quick") else default.quick_s,
        initial_s=section.read("initial", scalars.duration_s, default.initial_s),
        max_s=section.read("max", scalars.duration_s, default.max_s),
        multiplier=section.read("multiplier", scalars.number(1.0, _MULTIPLIER_MAX), default.multiplier),
        expiry_s=section.read("expiry", scalars.duration_s, default.expiry_s),
        delay_notice_s=section.read("delayNotice", scalars.duration_or_never_s, default.delay_notice_s),
    )
    if retry.initial_s > retry.max_s:
        section.fault("initial", "is longer than `max`", "raise `max`, or lower `initial`")
    section.finish()
    return retry


def mail_domain(spec: Section, status: Section, platform_namespace: str) -> DeclaredDomain:
    """Read a MailDomain: its spec, and of its status which DKIM keys have been seen in DNS and may sign."""
    spec.later("returnPath", "deletionPolicy")
    wanted, dkim = _pool_ref(spec, platform_namespace), spec.section("dkim")
    value = MailDomain(
        namespace=spec.notes.namespace,
        name=spec.notes.name,
        domain=spec.need("domain", names.domain, ""),
        pool=wanted.token,
        suspend=spec.read("suspend", scalars.boolean, default=False),
        dkim_algorithms=_algorithms(dkim),
        signing=_signing(status.section("dkim")),
        rotation=rotation(dkim.section("rotation")),
        revoked=revoked(dkim),
        publication=publication(spec.section("dns")),
        limits=_limits(spec.section("limits")).over(Limits()),
        content=thresholds(spec.section("content")),
        eight_bit=spec.read("eightBit", scalars.choice(EightBit), EightBit.PASS),
        expiry_s=spec.read("expiry", scalars.duration_s, 0),
        windows=windows(spec),
        takeover=takeover(spec.section("takeover")),
    )
    dkim.later("existingSecretRef")
    dkim.finish()
    spec.finish()
    return DeclaredDomain(spec.notes, value, wanted)


def _pool_ref(spec: Section, platform_namespace: str) -> PoolRef:
    section = spec.section("poolRef")
    namespace = section.read("namespace", names.label, platform_namespace)
    name = section.need("name", names.label, "") if spec.has("poolRef") else DEFAULT_POOL
    section.finish()
    return PoolRef(namespace, name, section.path)


def _algorithms(section: Section) -> tuple[str, ...]:
    algorithms = section.entries("algorithms", _algorithm)
    section.each_once("algorithms", algorithms)
    if section.is_empty("algorithms"):
        section.fault("algorithms", "is empty", f"name some of {', '.join(DKIM_ALGORITHMS)}, or leave it out")
    return algorithms or DKIM_ALGORITHMS


def _signing(section: Section) -> tuple[str, ...] | None:
    """Return the selectors that may sign; None where nobody says."""
    return section.entries("signing", names.selector) if section.has("signing") else None


def _algorithm(value: object) -> str:
    if isinstance(value, str) and value in DKIM_ALGORITHMS:
        return value
    raise Unfit(f"{scalars.shown(value)} is not known", f"write one of {', '.join(DKIM_ALGORITHMS)}")


def _limits(section: Section) -> GivenLimits:
    if section.read("messagesPerHour", lambda value: value, None) == 0:
        # 0 would read as "nothing" to one and as "no limit" to another.
        section.fault("messagesPerHour", "is 0", "leave it out for no limit; `suspend: true` stops mail")
        per_hour = None
    else:
        per_hour = section.read("messagesPerHour", scalars.integer(1, _MESSAGES_PER_HOUR_MAX), None)
    size = section.read("maxMessageSize", scalars.size_bytes, None)
    if size is not None and size > _MESSAGE_SIZE_MAX_BYTES:
        section.fault("maxMessageSize", "is more than we take", f"give at most {_MESSAGE_SIZE_MAX_BYTES >> 20}Mi")
    recipients = section.read("maxRecipients", scalars.integer(1, _RECIPIENTS_MAX), None)
    section.finish()
    return GivenLimits(per_hour, size, recipients)


def credential(spec: Section, platform_namespace: str) -> DeclaredCredential:
    """Read the spec of an SMTPCredential."""
    spec.later("protocols")
    any_sender = spec.read("anySender", scalars.boolean, default=False)
    value = SMTPCredential(
        namespace=spec.notes.namespace,
        name=spec.notes.name,
        any_sender=any_sender,
        lane=_lane(spec, platform_namespace),
        suspend=spec.read("suspend", scalars.boolean, default=False),
        expires_at_ms=spec.read("expiresAt", scalars.time_ms, 0),
        service_accounts=_service_accounts(spec),
        idempotency=idempotency(spec.section("idempotency")),
        takeover=takeover(spec.section("takeover")),
    )
    wanted = _pool_ref(spec, platform_namespace)
    if any_sender and value.namespace != platform_namespace:
        spec.fault("anySender", f"is only for namespace {platform_namespace}", "name `domainRefs` instead")
    if spec.has("poolRef") and not any_sender:
        spec.fault("poolRef", "is only for `anySender`", "set the pool in the MailDomain")
    domains = tuple(_domain_ref(section) for section in spec.sections("domainRefs"))
    spec.at_most("domainRefs", _DOMAIN_REFS_MAX)
    spec.each_once("domainRefs", [each.name for each in domains])
    if not domains and not any_sender:
        spec.fault("domainRefs", "names no domain, so it may send as nobody", "name a MailDomain of this namespace")
    limits, secret = _limits(spec.section("limits")), secret_name(spec)
    spec.finish()
    return DeclaredCredential(spec.notes, value, limits, domains, wanted if any_sender else None, secret)


def _service_accounts(spec: Section) -> tuple[str, ...]:
    accounts: list[str] = []
    for section in spec.sections("serviceAccounts"):
        accounts.append(section.need("name", names.object_name, ""))
        section.finish()
    spec.at_most("serviceAccounts", _SERVICE_ACCOUNTS_MAX)
    spec.each_once("serviceAccounts", accounts)
    return tuple(accounts)


def _lane(spec: Section, platform_namespace: str) -> Lane:
    lane = spec.read("lane", scalars.lane, Lane.NORMAL)
    if lane is Lane.URGENT and spec.notes.namespace != platform_namespace:
        spec.fault("lane", f"Urgent is only for namespace {platform_namespace}", "write Normal or Bulk")
    return lane


def _domain_ref(section: Section) -> DomainRef:
    ref = DomainRef(
        name=section.need("name", names.object_name, ""),
        senders=section.entries("senders", names.sender),
        path=section.path,
    )
    section.at_most("senders", _SENDERS_MAX)
    if section.is_empty("senders"):
        section.fault("senders", "names nobody", "name mailboxes, or leave it out for the whole domain")
    section.finish()
    return ref


def destination(spec: Section) -> DeclaredDestination:
    """Read the spec of a DestinationPolicy."""
    match, limits, tls = spec.section("match"), spec.section("limits"), spec.section("tls")
    limits.later("scope")
    default = DestinationPolicy("")
    connections = scalars.integer(1, _CONNECTIONS_MAX)
    rate_per_s = limits.read("rate", scalars.rate_per_s, default.rate_per_s)
    value = DestinationPolicy(
        name=spec.notes.name,
        mx_suffixes=match.entries("mxSuffixes", names.suffix),
        domains=match.entries("domains", names.domain),
        connections_max=limits.read("maxConnections", connections, default.connections_max),
        messages_per_connection_max=limits.read(
            "messagesPerConnection", connections, default.messages_per_connection_max
        ),
        rate_per_s=rate_per_s,
        slots=spec.read("slots", scalars.integer(1, _SLOTS_MAX), default.slots),
        backoff=_backoff(spec.section("backoff")),
        tls_minimum=tls.read("minimum", scalars.choice(TLSMinimum), default.tls_minimum),
        allow_private=spec.read("allowPrivateAddresses", scalars.boolean, default=False),
        adaptive=adaptive(spec.section("adaptive"), rate_per_s),
        patterns=patterns(spec),
    )
    if value.slots > value.connections_max:
        text = f"are {value.slots} for {value.connections_max} connections, so some would have none"
        spec.fault("slots", text, f"lower them, or raise limits.maxConnections to at least {value.slots}")
    if not any(match.has(name) and not match.is_empty(name) for name in ("mxSuffixes", "domains")):
        spec.fault("match", "matches nothing", "give `mxSuffixes` or `domains`")
    for section in (match, limits, tls, spec):
        section.finish()
    return DeclaredDestination(spec.notes, value)


def _backoff(section: Section) -> Backoff:
    default = Backoff()
    backoff = Backoff(
        initial_s=section.read("initial", scalars.duration_s, default.initial_s),
        max_s=section.read("max", scalars.duration_s, default.max_s),
        multiplier=section.read("multiplier", scalars.number(1.0, _MULTIPLIER_MAX), default.multiplier),
    )
    if backoff.initial_s > backoff.max_s:
        section.fault("initial", "is longer than `max`", "raise `max`, or lower `initial`")
    section.finish()
    return backoff
