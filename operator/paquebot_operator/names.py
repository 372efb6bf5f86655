"""Names the operator writes into a cluster: labels, field managers, objects of its own, and kinds it knows.

Pure. A field manager is one concern's signature under its fields: two concerns may share an object.
"""

from dataclasses import dataclass
from typing import Final

GROUP: Final = "paquebot.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
FINALIZER: Final = f"{GROUP}/cleanup"

MANAGED_BY: Final = "app.kubernetes.io/managed-by"
OPERATOR: Final = "paquebot-operator"
PART_OF: Final = "app.kubernetes.io/part-of"
COMPONENT: Final = "app.kubernetes.io/component"
POOL_LABEL: Final = f"{GROUP}/pool"  # a pool's token, `<namespace>_<name>`
OWNER_LABEL: Final = f"{GROUP}/owner-uid"  # of what belongs to an object of another namespace

STATUS_MANAGER: Final = "paquebot-operator-status"
KEYS_MANAGER: Final = "paquebot-operator-keys"
CREDENTIAL_MANAGER: Final = "paquebot-operator-credentials"
POOL_MANAGER: Final = "paquebot-operator-pools"
SCALER_MANAGER: Final = "paquebot-operator-scaler"
TLS_MANAGER: Final = "paquebot-operator-tls"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object: where the API server keeps it."""

    api_version: str
    name: str
    plural: str
    namespaced: bool = True

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """Return the path of an object, or of all of a namespace, or of all there are."""
        parts = ["api" if self.api_version == "v1" else "apis", self.api_version]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts += [each for each in (self.plural, name, subresource) if each]
        return "/" + "/".join(parts)


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """One object, or one piece of work that is no object (kind `Policy`, say)."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """Return `MailDomain shop/main`."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


MAIL_DOMAIN: Final = Kind(API_VERSION, "MailDomain", "maildomains")
SENDING_POOL: Final = Kind(API_VERSION, "SendingPool", "sendingpools")
SMTP_CREDENTIAL: Final = Kind(API_VERSION, "SMTPCredential", "smtpcredentials")
TRANSPORT_ROUTE: Final = Kind(API_VERSION, "TransportRoute", "transportroutes")
DESTINATION_POLICY: Final = Kind(API_VERSION, "DestinationPolicy", "destinationpolicies", namespaced=False)
SUPPRESSION_LIST: Final = Kind(API_VERSION, "SuppressionList", "suppressionlists")
OURS: Final = (MAIL_DOMAIN, SENDING_POOL, SMTP_CREDENTIAL, TRANSPORT_ROUTE, DESTINATION_POLICY, SUPPRESSION_LIST)
OURS_BY_NAME: Final = {kind.name: kind for kind in OURS}

SECRET: Final = Kind("v1", "Secret", "secrets")
CONFIG_MAP: Final = Kind("v1", "ConfigMap", "configmaps")
SERVICE: Final = Kind("v1", "Service", "services")
SERVICE_ACCOUNT: Final = Kind("v1", "ServiceAccount", "serviceaccounts")
POD: Final = Kind("v1", "Pod", "pods")
NAMESPACE: Final = Kind("v1", "Namespace", "namespaces", namespaced=False)
EVENT: Final = Kind("events.k8s.io/v1", "Event", "events")
DEPLOYMENT: Final = Kind("apps/v1", "Deployment", "deployments")
LEASE: Final = Kind("coordination.k8s.io/v1", "Lease", "leases")
DISRUPTION_BUDGET: Final = Kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets")
NETWORK_POLICY: Final = Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies")
POD_MONITOR: Final = Kind("monitoring.coreos.com/v1", "PodMonitor", "podmonitors")
CERTIFICATE: Final = Kind("cert-manager.io/v1", "Certificate", "certificates")
CRD: Final = Kind("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False)
