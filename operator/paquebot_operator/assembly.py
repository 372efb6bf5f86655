"""Putting the operator together: which function looks after which kind, and what a change concerns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from paquebot.policy.values import Policy
from paquebot_operator.cluster import CLUSTER, Cluster
from paquebot_operator.credentials.reconcile import SWEEP as CREDENTIAL_SWEEP
from paquebot_operator.credentials.reconcile import Credentials
from paquebot_operator.credentials.secret import Place
from paquebot_operator.credentials.suspensions import ORDERS, Suspensions
from paquebot_operator.dkim.advance import Platform
from paquebot_operator.dns.lookup import Lookup
from paquebot_operator.domains.leavings import Leavings
from paquebot_operator.domains.reconcile import SWEEP as DOMAIN_SWEEP
from paquebot_operator.domains.reconcile import Domains
from paquebot_operator.domains.shards import KIND as DKIM_SHARD
from paquebot_operator.domains.shards import Shards
from paquebot_operator.engine import Engine
from paquebot_operator.identity import IDENTITY, Identities
from paquebot_operator.kube.client import Kube
from paquebot_operator.kube.events import Recorder
from paquebot_operator.kube.lease import Leadership
from paquebot_operator.kube.store import Store, key_of
from paquebot_operator.kube.watch import Watch, kubeconfig_from_environment
from paquebot_operator.names import (
    MAIL_DOMAIN,
    NAMESPACE,
    OPERATOR,
    OURS,
    OURS_BY_NAME,
    SENDING_POOL,
    SMTP_CREDENTIAL,
    Key,
)
from paquebot_operator.outdated import SCHEMAS, Schemas
from paquebot_operator.policy.publish import GATHER_S, POLICY, Publishing, matters
from paquebot_operator.pools.reconcile import POOLS, Pools
from paquebot_operator.pools.settings import pool_settings
from paquebot_operator.pools.workloads import Workloads
from paquebot_operator.queue_link import QueueLink
from paquebot_operator.scaling.scaler import Scaler
from paquebot_operator.settings import Settings, TLSMode
from paquebot_operator.status import PolicyStatus, StatusWriter
from paquebot_operator.times import written
from paquebot_operator.tls.certificates import CERTIFICATES, Foreign, SelfManaged
from paquebot_operator.tls.identities import leaves, smtp_leaf
from paquebot_operator.work import Reconcile, Work

WATCHED = (*OURS, NAMESPACE)
STANDING = (CERTIFICATES, CLUSTER, IDENTITY, POLICY, POOLS, CREDENTIAL_SWEEP, ORDERS, DOMAIN_SWEEP, SCHEMAS)

Now = Callable[[], datetime]


@dataclass(slots=True)
class Operator:
    """The engine, and what must be let go of at the end."""

    engine: Engine
    queue: QueueLink

    async def close(self) -> None:
        """Let another lead at once, and let go of every connection."""
        self.engine.watch.stop()
        await self.engine.leadership.release()
        await self.queue.close()
        self.engine.kube.close()


@dataclass(slots=True)
class Parts:
    """What all who look after something stand on; each adds itself to `reconcilers`."""

    pod: str
    settings: Settings
    now: Now
    kubeconfig: Path | None
    kube: Kube = field(init=False)
    store: Store = field(default_factory=Store)
    reconcilers: dict[str, Reconcile] = field(default_factory=dict)
    queue: QueueLink = field(init=False)
    work: Work = field(init=False)
    writer: StatusWriter = field(init=False)

    def __post_init__(self) -> None:
        self.kube = Kube.login(self.kubeconfig)
        self.queue = QueueLink(self.settings.nats_url, self.settings.identity_dir)
        self.work = Work(self.reconcilers, STANDING)
        recorder = Recorder(self.kube, self.pod, self.settings.namespace)
        self.writer = StatusWriter(self.kube, self.store, recorder, lambda: written(self.now().timestamp()))


def assemble(pod: str, settings: Settings, now: Now) -> Operator:
    """Return an operator that is ready to run. Raises KubeError when there is no cluster to log in at."""
    parts = Parts(pod, settings, now, kubeconfig_from_environment())
    cluster = Cluster(parts.kube, settings.namespace, settings.audience, partial(_cluster_changed, parts))
    publishing = look_after_policy(parts, cluster)
    look_after_domains(parts, publishing)
    look_after_credentials(parts, publishing, cluster)
    parts.reconcilers[CLUSTER.kind] = cluster.reconcile
    parts.reconcilers[SCHEMAS.kind] = Schemas(parts.kube).reconcile
    parts.reconcilers[IDENTITY.kind] = Identities(parts.kube, settings.namespace, settings.identity_dir).reconcile
    certificates = certificates_of(parts.kube, settings, now)
    parts.reconcilers[CERTIFICATES.kind] = certificates.reconcile
    look_after_pools(parts, publishing, certificates)
    leadership = Leadership(parts.kube, settings.namespace, OPERATOR, pod, now=now)
    watch = Watch(parts.kube, WATCHED, parts.kubeconfig)
    engine = Engine(parts.kube, WATCHED, parts.store, parts.work, watch, leadership, concerned)
    return Operator(engine, parts.queue)


def look_after_policy(parts: Parts, cluster: Cluster) -> Publishing:
    """Have all kinds published, and those told of it that are policy and nothing else."""
    settings = parts.settings
    publishing = Publishing(
        parts.store, parts.queue, settings.namespace, parts.work.add, cluster.entries, settings.stream_replicas
    )
    parts.reconcilers[POLICY.kind] = publishing.reconcile
    for kind in OURS:
        parts.reconcilers[kind.name] = PolicyStatus(parts.writer, publishing.report).reconcile
    return publishing


def look_after_domains(parts: Parts, publishing: Publishing) -> None:
    """Have MailDomains' keys made, published and looked up."""
    settings, shards = parts.settings, Shards(parts.kube, parts.settings.namespace)
    lookup = Lookup([settings.resolver.host], settings.resolver.port) if settings.resolver else Lookup()
    platform = Platform(settings.namespace, settings.dkim_zones, settings.spf_include)
    in_force = partial(_in_force, publishing)
    domains = Domains(
        parts.writer, shards, lookup, platform, publishing.report, in_force, parts.work.add, Leavings(parts.kube)
    )
    parts.reconcilers[MAIL_DOMAIN.name] = domains.reconcile
    parts.reconcilers[DOMAIN_SWEEP.kind] = domains.sweep
    parts.reconcilers[DKIM_SHARD] = shards.reconcile


def look_after_pools(parts: Parts, publishing: Publishing, certificates: SelfManaged | Foreign) -> None:
    """Have SendingPools' deliverers run, sized, and ended."""
    workloads = Workloads(parts.kube, pool_settings(parts.settings))
    scaler = Scaler(parts.queue.connected)
    pools = Pools(workloads, publishing, scaler, parts.queue, parts.writer, lambda: certificates.condition, parts.now)
    parts.reconcilers[SENDING_POOL.name] = pools.reconcile
    parts.reconcilers[POOLS.kind] = pools.reconcile_all


def look_after_credentials(parts: Parts, publishing: Publishing, cluster: Cluster) -> None:
    """Have SMTPCredentials' passwords made and replaced."""
    place = partial(_place, parts.settings, cluster)
    suspensions = Suspensions(parts.queue.connected, parts.work.add)
    credentials = Credentials(
        parts.kube,
        parts.queue,
        parts.writer,
        publishing.report,
        place,
        parts.settings.namespace,
        suspensions.report,
    )
    parts.reconcilers[ORDERS.kind] = suspensions.look
    parts.reconcilers[SMTP_CREDENTIAL.name] = credentials.reconcile
    parts.reconcilers[CREDENTIAL_SWEEP.kind] = credentials.sweep


def concerned(before: Mapping[str, Any] | None, entry: Mapping[str, Any]) -> list[tuple[Key, float]]:
    """Return what to look at after a change, and in how many seconds."""
    keys = [(key_of(entry), 0.0)] if entry["kind"] in OURS_BY_NAME else []
    if matters(before, entry):
        keys.append((POLICY, GATHER_S))
    return keys


def certificates_of(kube: Kube, settings: Settings, now: Now) -> SelfManaged | Foreign:
    """Return who looks after the certificates: the operator makes them, or sees that others have."""
    own = leaves(settings.namespace)
    if settings.tls_mode is TLSMode.SELF_MANAGED:
        smtp = smtp_leaf(settings.namespace, settings.hostname)
        return SelfManaged(kube, settings.namespace, (*own, smtp), now)
    return Foreign(kube, settings.namespace, own, now, settings.tls_mode is TLSMode.CERT_MANAGER)


def _in_force(publishing: Publishing) -> Policy | None:
    return publishing.accepted.policy if publishing.accepted else None


def _cluster_changed(parts: Parts) -> None:
    """Have looked at what tells of the cluster: the policy, and the Secrets of credentials."""
    for key in (POLICY, *parts.store.keys("SMTPCredential")):
        parts.work.add(key)


def _place(settings: Settings, cluster: Cluster) -> Place:
    """Return what tenants' programs are told of where the platform is."""
    return Place(settings.hostname, settings.smtp_port, str(settings.submission_target), cluster.ca)
