"""What all pools' workloads have in common: the operator's own settings, and what it found in the cluster."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """Everything a workload needs that its pool does not say."""

    namespace: str  # the platform's, where deliverers run whatever namespace their pool is in
    image: str
    nats_url: str
    submission_target: str
    hostname: str  # the platform's, which reports name
    pull_policy: str = "IfNotPresent"
    pull_secrets: tuple[str, ...] = ()
    suppression_secret: str = "paquebot-suppression-key"  # noqa: S105  (a Secret's name)
    smarthost_secret: str = "paquebot-smarthosts"  # noqa: S105  (a Secret's name)
    world: Mapping[str, str] = field(default_factory=dict)  # a sandbox's RESOLVER, MX_PORT …, without the prefix
    smtp_ports: tuple[int, ...] = (25, 465, 587)  # and those of the smarthosts that routes name
    pod_monitors: bool = False  # the cluster knows PodMonitors
