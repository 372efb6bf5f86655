"""A pool's workload as manifests. Pure: a pool and settings in, manifests out.

No child has an owner reference: deleting a pool in the foreground, as Argo CD does, would take its deliverers away
before their mail has gone. They are found by their labels, and deleted when the pool has drained.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from paquebot_operator.names import (
    DEPLOYMENT,
    DISRUPTION_BUDGET,
    NETWORK_POLICY,
    PART_OF,
    POD_MONITOR,
    SERVICE_ACCOUNT,
    Kind,
)
from paquebot_operator.pools.naming import labels, selector, workload_name_of
from paquebot_operator.pools.pod import ADMIN_PORT, GRPC_PORT, pod_template
from paquebot_operator.pools.settings import PoolSettings

NATS_PORT: Final = 4222
DNS_PORT: Final = 53
HISTORY: Final = 3  # old ReplicaSets to roll back to
STARTS_WITHIN_S: Final = 600

Manifest = dict[str, Any]


def children(pool: Mapping[str, Any], settings: PoolSettings) -> list[Manifest]:
    """Return what a pool needs in the platform's namespace, in the order in which it is applied.

    The Deployment names no replicas: they are written through its scale subresource alone.
    """
    wanted = [_service_account(pool, settings), _network_policy(pool, settings), _disruption_budget(pool, settings)]
    if settings.pod_monitors:
        wanted.append(_pod_monitor(pool, settings))
    return [*wanted, _deployment(pool, settings)]


def _deployment(pool: Mapping[str, Any], settings: PoolSettings) -> Manifest:
    spec = {
        "revisionHistoryLimit": HISTORY,
        "progressDeadlineSeconds": STARTS_WITHIN_S,
        "selector": {"matchLabels": selector(pool["metadata"]["namespace"], pool["metadata"]["name"])},
        # A new pod takes its share of partitions when it is ready; no old one ends before: mail always has an owner.
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}},
        "template": pod_template(pool, settings),
    }
    return _child(DEPLOYMENT, pool, settings, {"spec": spec})


def _service_account(pool: Mapping[str, Any], settings: PoolSettings) -> Manifest:
    return _child(SERVICE_ACCOUNT, pool, settings, {"automountServiceAccountToken": False})


def _disruption_budget(pool: Mapping[str, Any], settings: PoolSettings) -> Manifest:
    spec = {
        "maxUnavailable": "25%",
        "selector": {"matchLabels": selector(pool["metadata"]["namespace"], pool["metadata"]["name"])},
        "unhealthyPodEvictionPolicy": "AlwaysAllow",  # a pod that cannot start keeps nobody's node from being drained
    }
    return _child(DISRUPTION_BUDGET, pool, settings, {"spec": spec})


def _network_policy(pool: Mapping[str, Any], settings: PoolSettings) -> Manifest:
    """Return who may talk to deliverers, and whom they reach: mail hosts anywhere, names, the queue, submission."""
    platform = {"podSelector": {"matchLabels": {PART_OF: "paquebot"}}}
    spec = {
        "podSelector": {"matchLabels": selector(pool["metadata"]["namespace"], pool["metadata"]["name"])},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [
            {"ports": [_port(ADMIN_PORT)]},  # figures only; who may scrape is where the monitoring is, which varies
            {"from": [platform], "ports": [_port(GRPC_PORT)]},
        ],
        "egress": [
            {"ports": [_port(port) for port in settings.smtp_ports]},
            {"ports": [_port(DNS_PORT, "UDP"), _port(DNS_PORT)]},
            {"ports": [_port(urlsplit(settings.nats_url).port or NATS_PORT)]},  # it may be outside of the cluster
            {"to": [platform], "ports": [_port(GRPC_PORT)]},
        ],
    }
    return _child(NETWORK_POLICY, pool, settings, {"spec": spec})


def _pod_monitor(pool: Mapping[str, Any], settings: PoolSettings) -> Manifest:
    spec = {
        "selector": {"matchLabels": selector(pool["metadata"]["namespace"], pool["metadata"]["name"])},
        "podMetricsEndpoints": [{"port": "admin", "path": "/metrics"}],
    }
    return _child(POD_MONITOR, pool, settings, {"spec": spec})


def _child(kind: Kind, pool: Mapping[str, Any], settings: PoolSettings, rest: Mapping[str, Any]) -> Manifest:
    metadata = {
        "name": workload_name_of(pool, settings.namespace),
        "namespace": settings.namespace,
        "labels": labels(pool),
    }
    return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata, **rest}


def _port(number: int, protocol: str = "TCP") -> Manifest:
    return {"port": number, "protocol": protocol}
