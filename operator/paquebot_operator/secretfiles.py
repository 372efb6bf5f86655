"""What a Secret holds, read and written: in Python bytes by name, in Kubernetes base64. Pure."""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import Any

from paquebot_operator.names import COMPONENT, MANAGED_BY, OPERATOR, PART_OF, SECRET

Manifest = Mapping[str, Any]


def files_of(secret: Manifest | None) -> dict[str, bytes]:
    """Return the files of a Secret, none of one that is not there; what is no base64 counts as not there."""
    files: dict[str, bytes] = {}
    for name, value in ((secret or {}).get("data") or {}).items():
        try:
            files[name] = b64decode(value, validate=True)
        except (Base64Error, ValueError, TypeError):
            continue
    return files


def secret_of(namespace: str, name: str, component: str, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return an opaque Secret of the platform's, with the labels of what the operator writes."""
    labels = {MANAGED_BY: OPERATOR, PART_OF: "paquebot", COMPONENT: component}
    return {
        "apiVersion": SECRET.api_version,
        "kind": SECRET.name,
        "type": "Opaque",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "data": {name: b64encode(content).decode() for name, content in sorted(files.items())},
    }
