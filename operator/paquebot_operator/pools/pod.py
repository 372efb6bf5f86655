"""A deliverer's pod: its environment, its files, and what a pool's `spec.template` changes. Pure.

Nothing but a changed setting, image or pool makes the template differ, so nothing else rolls pods: certificates and
policy are followed while they run.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from paquebot.policy.faults import Unfit
from paquebot.policy.scalars import duration_s
from paquebot.policy.values import SendingPool
from paquebot_operator.pools.naming import DELIVERER, FAMILY, selector, workload_name_of
from paquebot_operator.pools.settings import PoolSettings
from paquebot_operator.tls.identities import identity_secret

GRACE_S: Final = 660  # SMTP waits 10 minutes for the answer to the final dot (RFC 5321 §4.5.3.2.6)
AFTER_DRAIN_S: Final = 20  # of the grace: what is written and closed once mail has been let go
DRAIN_MIN_S: Final = 5
USER: Final = 65532
ADMIN_PORT: Final = 9090
GRPC_PORT: Final = 4000
FILES: Final = "/var/run/paquebot"
SECRET_MODE: Final = 0o440
RESOURCES: Final[Mapping[str, Mapping[str, str]]] = {
    "requests": {"cpu": "250m", "memory": "256Mi"},
    "limits": {"memory": "1Gi"},
}


def grace_s(pool: Mapping[str, Any]) -> int:
    """Return how long a pod may take to end. A duration that cannot be read is as if it were not given."""
    given = (pool["spec"].get("drain") or {}).get("gracePeriod")
    try:
        return GRACE_S if given is None else duration_s(given)
    except Unfit:
        return GRACE_S


def pod_template(pool: Mapping[str, Any], settings: PoolSettings) -> dict[str, Any]:
    """Return the pod template of a pool's Deployment."""
    wanted = pool["spec"].get("template") or {}
    own = selector(pool["metadata"]["namespace"], pool["metadata"]["name"])
    metadata: dict[str, Any] = {"labels": {**(wanted.get("podLabels") or {}), **FAMILY, **own}}
    if wanted.get("podAnnotations"):
        metadata["annotations"] = dict(wanted["podAnnotations"])
    spec: dict[str, Any] = {
        "serviceAccountName": workload_name_of(pool, settings.namespace),
        "automountServiceAccountToken": False,
        # Kubernetes would say in PAQUEBOT_… variables where our Services are, and settings are read from such.
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": grace_s(pool),
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(pool, settings, wanted.get("resources") or {})],
        "volumes": _volumes(settings),
        "topologySpreadConstraints": _spread(wanted.get("topologySpreadConstraints") or (), own),
    }
    for name in ("nodeSelector", "tolerations"):
        if wanted.get(name):
            spec[name] = wanted[name]
    if settings.pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in settings.pull_secrets]
    return {"metadata": metadata, "spec": spec}


def _container(pool: Mapping[str, Any], settings: PoolSettings, resources: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": DELIVERER,
        "image": settings.image,
        "imagePullPolicy": settings.pull_policy,
        "args": [DELIVERER],
        "env": _environment(pool, settings),
        "ports": [{"name": "grpc", "containerPort": GRPC_PORT}, {"name": "admin", "containerPort": ADMIN_PORT}],
        "livenessProbe": {**_probe("/livez"), "periodSeconds": 10, "failureThreshold": 6},
        "readinessProbe": {**_probe("/readyz"), "periodSeconds": 5},
        "resources": {
            kind: {**RESOURCES.get(kind, {}), **(resources.get(kind) or {})}
            for kind in dict.fromkeys((*RESOURCES, *resources))
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "identity", "mountPath": f"{FILES}/identity", "readOnly": True},
            {"name": "suppression", "mountPath": f"{FILES}/suppression", "readOnly": True},
            {"name": "smarthosts", "mountPath": f"{FILES}/smarthosts", "readOnly": True},
            {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108  (a volume of the pod's own)
        ],
    }


def _environment(pool: Mapping[str, Any], settings: PoolSettings) -> list[dict[str, Any]]:
    metadata = pool["metadata"]
    plain = {
        "ADMIN_LISTEN": f"0.0.0.0:{ADMIN_PORT}",
        "GRPC_LISTEN": f"0.0.0.0:{GRPC_PORT}",
        "POOL": SendingPool(metadata["namespace"], metadata["name"], "").token,
        "NATS_URL": settings.nats_url,
        "SUBMISSION_TARGET": settings.submission_target,
        "HOSTNAME": settings.hostname,
        "IDENTITY_DIR": f"{FILES}/identity",
        "SUPPRESSION_KEY": f"{FILES}/suppression/suppression.key",
        "SMARTHOST_DIR": f"{FILES}/smarthosts",
        "DRAIN_S": str(max(DRAIN_MIN_S, grace_s(pool) - AFTER_DRAIN_S)),
        **settings.world,
    }
    named = {"name": "PAQUEBOT_POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    return [named, *({"name": f"PAQUEBOT_{name}", "value": value} for name, value in plain.items())]


def _volumes(settings: PoolSettings) -> list[dict[str, Any]]:
    mode = {"defaultMode": SECRET_MODE}
    return [
        {"name": "identity", "secret": {"secretName": identity_secret(DELIVERER), **mode}},
        {"name": "suppression", "secret": {"secretName": settings.suppression_secret, **mode}},
        {"name": "smarthosts", "secret": {"secretName": settings.smarthost_secret, "optional": True, **mode}},
        {"name": "scratch", "emptyDir": {"sizeLimit": "64Mi"}},
    ]


def _spread(wanted: Sequence[Mapping[str, Any]], own: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return where pods should keep apart: as wanted, else by zone and by node. Who names no pods means the pool's."""
    selected = {"labelSelector": {"matchLabels": dict(own)}, "matchLabelKeys": ["pod-template-hash"]}
    if wanted:
        return [dict(each) if each.get("labelSelector") else {**selected, **each} for each in wanted]
    return [
        {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "ScheduleAnyway", **selected}
        for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    ]


def _probe(path: str) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": "admin"}, "timeoutSeconds": 5}
