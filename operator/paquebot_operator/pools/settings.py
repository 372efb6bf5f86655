"""What all pools' workloads have in common: the operator's own settings, and what it found in the cluster."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from paquebot_operator.settings import Settings


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
    suppression_secret: str = "paquebot-suppression"  # noqa: S105  (a Secret's name)
    smarthost_secret: str = "paquebot-smarthosts"  # noqa: S105  (a Secret's name)
    world: Mapping[str, str] = field(default_factory=dict)  # a sandbox's RESOLVER, MX_PORT …, without the prefix
    smtp_ports: tuple[int, ...] = (25, 465, 587)  # and those of the smarthosts that routes name
    pod_monitors: bool = False  # the cluster knows PodMonitors


def pool_settings(settings: Settings) -> PoolSettings:
    """Return what the workloads of pools take over from the operator's own settings."""
    world = {}
    if settings.sandbox:
        world = {"SANDBOX": "true", "MX_PORT": str(settings.mx_port), "PATIENCE": str(settings.patience)}
        world |= {"RESOLVER": str(settings.resolver)} if settings.resolver else {}
    return PoolSettings(
        namespace=settings.namespace,
        image=settings.image,
        nats_url=settings.nats_url,
        submission_target=str(settings.submission_target),
        hostname=settings.hostname,
        pull_policy=settings.image_pull_policy,
        pull_secrets=settings.image_pull_secrets,
        world=world,
    )
