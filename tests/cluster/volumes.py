"""A pod's volumes as folders; what comes from the API is written as a kubelet does, and again when it changes."""

import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cluster.api import Api
from cluster.environment import NotServed, NotYet, Sources
from cluster.environment import field as pod_field

Manifest = Mapping[str, Any]
Files = dict[str, tuple[bytes, int]]  # by path: content and mode
MODE = 0o644
TOKEN_S = 3600
RENEWED_AT = 0.8  # of a token's life
WRITTEN = ("secret", "configMap", "projected", "downwardAPI")


def write(folder: Path, files: Files) -> None:
    """Replace all of a folder's files in one step: readers see the old ones or the new ones (`..data`, as kubelet)."""
    folder.mkdir(parents=True, exist_ok=True)
    if _read(folder) == files:
        return
    before = folder / (folder / "..data").readlink() if (folder / "..data").is_symlink() else None
    fresh = folder / f"..{time.time_ns()}"
    for name, (content, mode) in files.items():
        path = fresh / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)
    fresh.mkdir(exist_ok=True)
    (folder / "..next").symlink_to(fresh.name)
    (folder / "..next").replace(folder / "..data")
    tops = {name.split("/")[0] for name in files}
    for top in tops:
        if not (folder / top).is_symlink():
            (folder / top).symlink_to(f"..data/{top}")
    for stale in [path for path in folder.iterdir() if not path.name.startswith("..") and path.name not in tops]:
        stale.unlink()
    if before is not None:
        shutil.rmtree(before)


def _read(folder: Path) -> Files | None:
    current = folder / "..data"
    if not current.is_symlink():
        return None
    return {
        str(path.relative_to(current)): (path.read_bytes(), path.stat().st_mode & 0o777)
        for path in current.rglob("*")
        if path.is_file()
    }


@dataclass(slots=True)
class Volumes:
    """The volumes of one pod: `prepare` first, `refresh` when something may have changed."""

    api: Api
    sources: Sources
    folder: Path
    claims: Path  # where volumes live that survive their pod
    tokens: dict[str, tuple[str, float]] = field(default_factory=dict)  # by audience: token, when to renew it

    def path(self, pod: Manifest, name: str) -> Path:
        """Return where a volume is."""
        volume = next(each for each in pod["spec"].get("volumes") or () if each["name"] == name)
        if "persistentVolumeClaim" in volume:
            return self.claims / pod["metadata"]["namespace"] / volume["persistentVolumeClaim"]["claimName"]
        if "hostPath" in volume:
            return Path(volume["hostPath"]["path"])
        return self.folder / name

    def is_written(self, pod: Manifest, name: str) -> bool:
        """Say whether a volume's content comes from the API, so that a container cannot write there."""
        volume = next(each for each in pod["spec"].get("volumes") or () if each["name"] == name)
        return any(kind in volume for kind in WRITTEN)

    async def prepare(self, pod: Manifest) -> None:
        """Make every volume. Raises NotYet and NotServed."""
        for volume in pod["spec"].get("volumes") or ():
            if not any(kind in volume for kind in (*WRITTEN, "emptyDir", "persistentVolumeClaim", "hostPath")):
                raise NotServed(f"the volume {volume['name']} is of a kind that is not served")
            self.path(pod, volume["name"]).mkdir(parents=True, exist_ok=True)
        await self.refresh(pod)

    async def refresh(self, pod: Manifest) -> None:
        """Write what has changed. Raises NotYet and NotServed."""
        for volume in pod["spec"].get("volumes") or ():
            if any(kind in volume for kind in WRITTEN):
                write(self.folder / volume["name"], await self._files(pod, volume))

    async def _files(self, pod: Manifest, volume: Manifest) -> Files:
        kind = next(kind for kind in WRITTEN if kind in volume)
        wanted = volume[kind]
        mode = wanted.get("defaultMode", MODE)
        if kind != "projected":
            return dict(self._entries(pod, {kind: wanted}, mode))
        files: Files = {}
        for source in wanted.get("sources") or ():
            if "serviceAccountToken" in source:
                token = source["serviceAccountToken"]
                files[token["path"]] = ((await self._token(pod, token)).encode(), mode)
            else:
                files |= dict(self._entries(pod, source, mode))
        return files

    def _entries(self, pod: Manifest, source: Manifest, mode: int) -> Iterator[tuple[str, tuple[bytes, int]]]:
        kind, wanted = next(iter(source.items()))
        if kind == "downwardAPI":
            for item in wanted["items"]:
                text = pod_field(pod, item.get("fieldRef", {}).get("fieldPath", "resourceFieldRef"))
                yield item["path"], (text.encode(), item.get("mode", mode))
            return
        looks = {"secret": self.sources.secret, "configMap": self.sources.config_map}
        if kind not in looks:
            raise NotServed(f"a projected {kind} is not served")
        name, optional = wanted.get("secretName") or wanted["name"], wanted.get("optional", False)
        entries = looks[kind]((pod["metadata"]["namespace"], name), optional=optional)
        items = wanted.get("items") or [{"key": key, "path": key} for key in entries]
        for item in items:
            if item["key"] in entries:
                yield item["path"], (entries[item["key"]], item.get("mode", mode))
            elif not optional:
                raise NotYet(f"{name} has no key {item['key']}")

    async def _token(self, pod: Manifest, wanted: Manifest) -> str:
        """Return a token of the pod's ServiceAccount, bound to the pod; a new one when most of its life is over."""
        audience, lasts_s = wanted.get("audience", ""), wanted.get("expirationSeconds", TOKEN_S)
        token, renew_at = self.tokens.get(audience, ("", 0.0))
        if time.monotonic() < renew_at:
            return token
        metadata = pod["metadata"]
        account = pod["spec"].get("serviceAccountName", "default")
        bound = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
        spec = {"expirationSeconds": lasts_s, "boundObjectRef": bound, "audiences": [audience] if audience else []}
        path = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{account}/token"
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        token = (await self.api.call("POST", path, request))["status"]["token"]
        self.tokens[audience] = token, time.monotonic() + RENEWED_AT * lasts_s
        return token
