"""Volumes for claims: a folder each, that stays when its pod goes."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cluster.api import Api
from kube_plane import Refused


async def volume_for(api: Api, claims: Path, claim: Mapping[str, Any]) -> None:
    """Make a PersistentVolume for one claim alone; the controllers bind them."""
    metadata, spec = claim["metadata"], claim["spec"]
    folder = claims / metadata["namespace"] / metadata["name"]
    wanted = {name: metadata[name] for name in ("namespace", "name", "uid")}
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"claim-{metadata['uid']}"},
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": spec["accessModes"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": spec.get("storageClassName", ""),
            "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **wanted},
            "hostPath": {"path": str(folder)},
        },
    }
    with contextlib.suppress(Refused):  # it is there already
        await api.call("POST", "/api/v1/persistentvolumes", volume)
