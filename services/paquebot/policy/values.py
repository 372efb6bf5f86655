"""The compiled policy: what custom resources mean, as frozen values. Seconds, milliseconds, octets."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from paquebot.mail.delivery import Lane
from paquebot.mail.doubt import InDoubt
from paquebot.mail.retry import Retry as Retry  # noqa: PLC0414  (a policy is read with its retry schedule)
from paquebot.mail.verdict import Levels as Levels  # noqa: PLC0414  (the same)
from paquebot.policy.cluster import ClusterIdentity
from paquebot.policy.content import OnHoldExpiry as OnHoldExpiry  # noqa: PLC0414
from paquebot.policy.content import OnUnavailable as OnUnavailable  # noqa: PLC0414
from paquebot.policy.content import Thresholds as Thresholds  # noqa: PLC0414
from paquebot.policy.idempotency import Idempotency
from paquebot.policy.pace import Adaptive, Pattern
from paquebot.policy.publication import Publication, Rotation
from paquebot.policy.route import Routes
from paquebot.policy.scaling import Scaling
from paquebot.policy.suppression import SuppressionLists
from paquebot.policy.takeover import DEFAULT_ACTION, Takeover, TakeoverAction
from paquebot.policy.window import Window

REVISION_NONE = ""


class EightBit(StrEnum):
    """Whether 8-bit content is passed as it is or encoded to 7 bits before it is signed."""

    PASS = "Pass"  # noqa: S105  (a word of the API)
    ENCODE = "Encode"


class TLSMinimum(StrEnum):
    """The least a connection to an MX must have."""

    OPPORTUNISTIC = "Opportunistic"
    ENCRYPTED = "Encrypted"
    VERIFIED = "Verified"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a domain or credential may send. 0 messages an hour: unlimited."""

    messages_per_hour: int = 0
    message_size_max_bytes: int = 26_214_400
    recipients_max: int = 100


@dataclass(frozen=True, slots=True)
class MailDomain:
    """A domain that a tenant sends from."""

    namespace: str
    name: str
    domain: str
    pool: str  # token of the SendingPool
    suspend: bool = False
    return_path: str = ""  # a domain below `domain`, or empty
    dkim_algorithms: tuple[str, ...] = ("RSA2048", "Ed25519")
    signing: tuple[str, ...] | None = None  # DKIM selectors that may sign, newest first; None: any that has a key
    rotation: Rotation = field(default_factory=Rotation)
    revoked: tuple[str, ...] = ()  # selectors whose keys have leaked
    publication: Publication = field(default_factory=Publication)
    limits: Limits = field(default_factory=Limits)
    content: Thresholds = field(default_factory=Thresholds)
    eight_bit: EightBit = EightBit.PASS
    expiry_s: int = 0  # how long its mail is tried; 0: as the pool says
    windows: tuple[Window, ...] = ()  # when its mail may go out; none: at any time
    takeover: Takeover = field(default_factory=Takeover)

    @property
    def place(self) -> str:
        """`<namespace>/<name>`: how people are told of it."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class SendingPool:
    """A group of deliverers with one egress identity and a stream set of its own."""

    namespace: str
    name: str
    helo_hostname: str
    paused: bool = False
    draining: bool = False  # gone from the manifests: nothing new comes in, what waits goes out
    replicas: int | None = None  # deliverers; None: who runs them decides
    allowed_namespaces: tuple[str, ...] = ()  # empty: its own only; "*": all
    sessions_per_replica: int = 200
    messages_per_session: int = 50
    retry: Retry = field(default_factory=Retry)
    in_doubt: InDoubt = InDoubt.RETRY
    tenant_weights: dict[str, int] = field(default_factory=dict)  # turns that namespaces take; 1 where none is given
    scaling: Scaling = field(default_factory=Scaling)
    grace_s: int = 660  # a deliverer may take to end: more than a host may take to decide (RFC 5321 §4.5.3.2.6)

    @property
    def token(self) -> str:
        """`<namespace>_<name>`: the pool's name in streams and subjects."""
        return f"{self.namespace}_{self.name}"

    @property
    def place(self) -> str:
        """`<namespace>/<name>`: how people are told of it."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class SMTPCredential:
    """A submission identity. The username is `<namespace>.<name>`; the password's hash lives elsewhere."""

    namespace: str
    name: str
    senders: tuple[str, ...] = ()
    any_sender: bool = False
    pool: str = ""  # for any_sender credentials: the pool of mail whose domain is not declared
    limits: Limits = field(default_factory=Limits)
    lane: Lane = Lane.NORMAL  # of its messages, which may wish for a lower one
    suspend: bool = False
    expires_at_ms: int = 0  # 0: never
    service_accounts: tuple[str, ...] = ()  # of its namespace: whose tokens are as good as its password
    idempotency: Idempotency = field(default_factory=Idempotency)
    takeover: Takeover = field(default_factory=Takeover)

    @property
    def username(self) -> str:
        """What the client gives as user name."""
        return f"{self.namespace}.{self.name}"


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long a throttled site rests."""

    initial_s: int = 300
    max_s: int = 14_400
    multiplier: float = 2.0


@dataclass(frozen=True, slots=True)
class DestinationPolicy:
    """Limits towards a group of destinations. `mx_suffixes` and `domains` are A-labels, lower case."""

    name: str
    mx_suffixes: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    connections_max: int = 10
    messages_per_connection_max: int = 100
    rate_per_s: float = 0.0  # 0: unlimited
    slots: int = 1
    backoff: Backoff = field(default_factory=Backoff)
    tls_minimum: TLSMinimum = TLSMinimum.OPPORTUNISTIC
    allow_private: bool = False  # deliver to loopback and private addresses
    adaptive: Adaptive = field(default_factory=Adaptive)
    patterns: tuple[Pattern, ...] = ()

    def share(self, slot: int) -> "DestinationPolicy":
        """Return what holds for one slot: all slots together never go beyond the limits; 10 connections are 3+3+2+2."""
        if self.slots == 1 and slot == 0:
            return self
        connections, over = divmod(self.connections_max, self.slots)
        here = connections + (slot < over) if slot < self.slots else 0
        adaptive = replace(self.adaptive, least_per_s=self.adaptive.least_per_s / self.slots)
        return replace(self, connections_max=here, rate_per_s=self.rate_per_s / self.slots, adaptive=adaptive)


DEFAULT_DESTINATION = DestinationPolicy(name="other")
_DEFAULT_CONTENT = Thresholds()


@dataclass(frozen=True, slots=True)
class Policy:
    """All of it, at one revision. Keys: domain name, pool token, username, DestinationPolicy name."""

    revision: str = REVISION_NONE
    domains: dict[str, MailDomain] = field(default_factory=dict)
    pools: dict[str, SendingPool] = field(default_factory=dict)
    credentials: dict[str, SMTPCredential] = field(default_factory=dict)
    destinations: dict[str, DestinationPolicy] = field(default_factory=dict)
    routes: Routes = field(default_factory=Routes)
    suppression: SuppressionLists = field(default_factory=SuppressionLists)
    cluster: ClusterIdentity | None = None  # None: tokens are not taken

    def domain_of(self, domain: str) -> MailDomain | None:
        """Return the MailDomain for a sender's domain: declared itself, or its nearest declared parent."""
        while domain:
            if domain in self.domains:
                return self.domains[domain]
            domain = domain.partition(".")[2]
        return None

    def content_of(self, *domains: str) -> Thresholds:
        """Return what the MailDomain of the first declared of these sender's domains wants done, else the default."""
        declared = self.first_of(*domains)
        return declared.content if declared else _DEFAULT_CONTENT

    def first_of(self, *domains: str) -> MailDomain | None:
        """Return the MailDomain of the first declared of these sender's domains."""
        return next(filter(None, map(self.domain_of, domains)), None)

    def takeover_of(self, username: str, *domains: str) -> TakeoverAction:
        """Return what may be done by itself about a credential: as it says, or its sender's domain."""
        credential, domain = self.credentials.get(username), self.first_of(*domains)
        if credential is not None and credential.any_sender:
            # A relay has no one owner that it could be unlike: who wants it stopped must say so of the relay itself.
            return credential.takeover.action or TakeoverAction.OBSERVE
        said = [each.takeover.action for each in (credential, domain) if each is not None]
        return next((action for action in said if action is not None), DEFAULT_ACTION)

    def destination(self, domain: str, hosts: tuple[str, ...]) -> DestinationPolicy:
        """Return the DestinationPolicy for a domain and its MX hosts; domains win over MX suffixes."""
        for policy in self.destinations.values():
            if domain in policy.domains:
                return policy
        for policy in self.destinations.values():
            if any(_below(host, suffix) for host in hosts for suffix in policy.mx_suffixes):
                return policy
        return DEFAULT_DESTINATION


def _below(host: str, suffix: str) -> bool:
    return host == suffix or host.endswith("." + suffix)
