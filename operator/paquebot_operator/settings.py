"""What the operator reads from its environment."""

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from paquebot.runtime.process import ProcessSettings
from paquebot.runtime.settings import Address


class TLSMode(Enum):
    """Who makes the certificates."""

    CERT_MANAGER = "certManager"
    SELF_MANAGED = "selfManaged"
    EXISTING_SECRET = "existingSecret"  # noqa: S105  (no secret, the name of a mode)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ProcessSettings):
    """`namespace` is the platform's; `hostname` and `smtp_port` are what tenants' programs are told to connect to.

    `identity_dir` is an empty folder of our own: the operator reads its identities through the API server, since it
    may be the one that makes them. `sandbox`, `resolver`, `mx_port` and `patience` go to the deliverers of a test.
    """

    identity_dir: Path = Path("/tmp/identities")  # noqa: S108  (the pod's own, and private)
    namespace: str
    nats_url: str
    hostname: str
    image: str
    image_pull_policy: str = "IfNotPresent"
    image_pull_secrets: tuple[str, ...] = ()
    submission_target: Address = field(default_factory=lambda: Address("paquebot-submission", 4000))
    smtp_port: int = 587
    stream_replicas: int = 1
    tls_mode: TLSMode = TLSMode.SELF_MANAGED
    issuer: str = ""  # of cert-manager: Kind/name
    cluster_domain: str = "cluster.local"
    audience: str = "paquebot"
    dkim_zones: tuple[str, ...] = ()  # zones of the platform that MailDomains may delegate to
    spf_include: str = ""  # what tenants' SPF records should include
    resolver: Address | None = None
    sandbox: bool = False
    mx_port: int = 25
    patience: float = 1.0
