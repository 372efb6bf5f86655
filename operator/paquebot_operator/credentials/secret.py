"""The Secrets of a credential: the platform's with its hashes, the tenant's with the password. Pure.

The tenant's has two managers: one owns what the password is part of, the other all that may change without it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote

from paquebot_operator.credentials.rotation import State
from paquebot_operator.names import API_VERSION, COMPONENT, GROUP, MANAGED_BY, OPERATOR, OWNER_LABEL, PART_OF

TYPE: Final = "servicebinding.io/smtp"  # of the tenant's Secret
TRUTH_COMPONENT: Final = "smtp-credential"
OF_NAMESPACE: Final = f"{GROUP}/credential-namespace"
OF_NAME: Final = f"{GROUP}/credential-name"
STATE: Final = "state.json"


@dataclass(frozen=True, slots=True)
class Place:
    """Where programs submit mail: the address of the platform, and the CA to trust, PEM or empty."""

    host: str
    port: int
    grpc: str
    ca: str = ""

    @property
    def told(self) -> str:
        """What a `uri` says of it."""
        return f"{self.host}:{self.port}"


def truth_name(namespace: str, name: str) -> str:
    """Return the name of the platform's Secret of a credential."""
    return f"smtp-credential-{sha256(f'{namespace}/{name}'.encode()).hexdigest()[:16]}"


def truth(entry: Mapping[str, Any], state: State, platform_namespace: str) -> dict[str, Any]:
    """Return the platform's Secret: hashes and their times, no password."""
    metadata = entry["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": truth_name(metadata["namespace"], metadata["name"]),
            "namespace": platform_namespace,
            "labels": {MANAGED_BY: OPERATOR, COMPONENT: TRUTH_COMPONENT, OWNER_LABEL: metadata["uid"]},
            "annotations": {OF_NAMESPACE: metadata["namespace"], OF_NAME: metadata["name"]},
        },
        "stringData": {STATE: state.encoded()},
    }


def binding(entry: Mapping[str, Any], secret: str, place: Place) -> dict[str, Any]:
    """Return what the tenant's Secret says besides the password (servicebinding.io)."""
    template = entry["spec"].get("secretTemplate") or {}
    labels = {**(template.get("labels") or {}), MANAGED_BY: OPERATOR, PART_OF: "paquebot"}
    metadata = {"labels": labels, "ownerReferences": [_owner(entry)]}
    if template.get("annotations"):
        metadata["annotations"] = dict(template["annotations"])
    said = {
        "type": "smtp",
        "provider": "paquebot",
        "host": place.host,
        "port": str(place.port),
        "grpc-endpoint": place.grpc,
    }
    return _tenants(entry, secret, metadata) | {"stringData": said | ({"ca.crt": place.ca} if place.ca else {})}


def login(entry: Mapping[str, Any], secret: str, password: str, place: Place) -> dict[str, Any]:
    """Return what the tenant's Secret says of the password. The labels let the operator write it at all."""
    name = username(entry)
    uri = f"smtp://{quote(name)}:{quote(password)}@{place.told}"
    labels = {MANAGED_BY: OPERATOR}
    return _tenants(entry, secret, {"labels": labels}) | {
        "stringData": {"username": name, "password": password, "uri": uri}
    }


def username(entry: Mapping[str, Any]) -> str:
    """Return the user name of a credential, as `paquebot.policy` has it."""
    return f"{entry['metadata']['namespace']}.{entry['metadata']['name']}"


def _tenants(entry: Mapping[str, Any], secret: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
    named = {"name": secret, "namespace": entry["metadata"]["namespace"]}
    return {"apiVersion": "v1", "kind": "Secret", "type": TYPE, "metadata": named | dict(metadata)}


def _owner(entry: Mapping[str, Any]) -> dict[str, Any]:
    metadata = entry["metadata"]
    return {
        "apiVersion": API_VERSION,
        "kind": "SMTPCredential",
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": False,
    }
