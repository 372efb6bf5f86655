"""What is true of the whole cluster: who signs its ServiceAccounts' tokens, and which CA our SMTP listener has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from paquebot.policy.cluster import KIND, NAME
from paquebot_operator.kube.client import Kube
from paquebot_operator.kube.errors import KubeError
from paquebot_operator.names import API_VERSION, SECRET, Key
from paquebot_operator.secretfiles import files_of
from paquebot_operator.tls.identities import SMTP_SECRET

CLUSTER: Final = Key("Cluster", "", "facts")
LOOK_S: Final = 60.0
ABSENT_S: Final = 1.0  # while the listener has no certificate: on a new cluster it is just being made
DISCOVERY: Final = "/.well-known/openid-configuration"
JWKS: Final = "/openid/v1/jwks"
LOG = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Cluster:
    """Reads the facts now and then. `changed` is called when one is another than before."""

    kube: Kube
    namespace: str
    audience: str
    changed: Callable[[], None]
    identity: Mapping[str, Any] = field(default_factory=dict)
    ca: str = ""

    async def reconcile(self, _key: Key) -> float:
        """Read them."""
        secret = await self.kube.get(SECRET, self.namespace, SMTP_SECRET)
        ca = files_of(secret).get("ca.crt", b"").decode("ascii", "replace")
        if ca != self.ca:
            self.ca = ca
            self.changed()
        look_s = LOOK_S if secret else ABSENT_S
        try:
            issuer = str((await self.kube.read(DISCOVERY))["issuer"])
            keys = (await self.kube.read(JWKS))["keys"]
        except (KubeError, KeyError) as error:
            LOG.warning("the cluster does not tell who signs its tokens: none count", error=str(error))
            return look_s
        spec = {"issuer": issuer, "audience": self.audience, "jwks": {"keys": keys}}
        if spec != self.identity:
            self.identity = spec
            self.changed()
        return look_s

    def entries(self) -> list[dict[str, Any]]:
        """Return what belongs into the policy besides people's objects."""
        if not self.identity:
            return []
        return [{"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": NAME}, "spec": dict(self.identity)}]
