"""Putting the operator together: which function looks after which kind, and what a change concerns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from paquebot_operator.cluster import CLUSTER, Cluster
from paquebot_operator.credentials.reconcile import SWEEP, Credentials
from paquebot_operator.credentials.secret import Place
from paquebot_operator.engine import Engine
from paquebot_operator.identity import IDENTITY, Identities
from paquebot_operator.kube.client import Kube
from paquebot_operator.kube.events import Recorder
from paquebot_operator.kube.lease import Leadership
from paquebot_operator.kube.store import Store, key_of
from paquebot_operator.kube.watch import Watch, kubeconfig_from_environment
from paquebot_operator.names import NAMESPACE, OPERATOR, OURS, OURS_BY_NAME, Key
from paquebot_operator.policy.publish import GATHER_S, POLICY, Publishing, matters
from paquebot_operator.queue_link import QueueLink
from paquebot_operator.settings import Settings, TLSMode
from paquebot_operator.status import PolicyStatus, StatusWriter
from paquebot_operator.tls.certificates import CERTIFICATES, Foreign, SelfManaged
from paquebot_operator.tls.identities import leaves, smtp_leaf
from paquebot_operator.work import Reconcile, Work

WATCHED = (*OURS, NAMESPACE)


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


def assemble(pod: str, settings: Settings, now: Callable[[], datetime]) -> Operator:
    """Return an operator that is ready to run. Raises KubeError when there is no cluster to log in at."""
    kubeconfig = kubeconfig_from_environment()
    kube = Kube.login(kubeconfig)
    store = Store()
    queue = QueueLink(settings.nats_url, settings.identity_dir)
    reconcilers: dict[str, Reconcile] = {}
    work = Work(reconcilers, (CERTIFICATES, CLUSTER, IDENTITY, POLICY, SWEEP))
    cluster = Cluster(kube, settings.namespace, settings.audience, partial(_cluster_changed, store, work))
    publishing = Publishing(store, queue, settings.namespace, work.add, cluster.entries, settings.stream_replicas)
    recorder = Recorder(kube, pod, settings.namespace)
    writer = StatusWriter(kube, store, recorder, lambda: now().strftime("%Y-%m-%dT%H:%M:%SZ"))
    reconcilers[POLICY.kind] = publishing.reconcile
    reconcilers[IDENTITY.kind] = Identities(kube, settings.namespace, settings.identity_dir).reconcile
    reconcilers[CERTIFICATES.kind] = certificates_of(kube, settings, now).reconcile
    for kind in OURS:
        reconcilers[kind.name] = PolicyStatus(writer, publishing.report).reconcile
    reconcilers[CLUSTER.kind] = cluster.reconcile
    place = partial(_place, settings, cluster)
    credentials = Credentials(kube, queue, writer, publishing.report, place, settings.namespace)
    reconcilers["SMTPCredential"] = credentials.reconcile
    reconcilers[SWEEP.kind] = credentials.sweep
    leadership = Leadership(kube, settings.namespace, OPERATOR, pod, now=now)
    watch = Watch(kube, WATCHED, kubeconfig)
    engine = Engine(kube, WATCHED, store, work, watch, leadership, concerned)
    return Operator(engine, queue)


def _cluster_changed(store: Store, work: Work) -> None:
    """Have looked at what tells of the cluster: the policy, and the Secrets of credentials."""
    for key in (POLICY, *store.keys("SMTPCredential")):
        work.add(key)


def _place(settings: Settings, cluster: Cluster) -> Place:
    """Return what tenants' programs are told of where the platform is."""
    return Place(settings.hostname, settings.smtp_port, str(settings.submission_target), cluster.ca)


def concerned(before: Mapping[str, Any] | None, entry: Mapping[str, Any]) -> list[tuple[Key, float]]:
    """Return what to look at after a change, and in how many seconds."""
    keys = [(key_of(entry), 0.0)] if entry["kind"] in OURS_BY_NAME else []
    if matters(before, entry):
        keys.append((POLICY, GATHER_S))
    return keys


def certificates_of(kube: Kube, settings: Settings, now: Callable[[], datetime]) -> SelfManaged | Foreign:
    """Return who looks after the certificates: the operator makes them, or sees that others have."""
    own = leaves(settings.namespace)
    if settings.tls_mode is TLSMode.SELF_MANAGED:
        smtp = smtp_leaf(settings.namespace, settings.hostname)
        return SelfManaged(kube, settings.namespace, (*own, smtp), now)
    return Foreign(kube, settings.namespace, own, now, settings.tls_mode is TLSMode.CERT_MANAGER)
