"""The API server, spoken to through the official client: plain mappings in, plain mappings out.

The client is used for what it is good at, finding the cluster and staying logged in; its thousand models are not.
It blocks, so requests run in a few threads, at a pace.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import urllib3
from kubernetes import config
from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration
from kubernetes.client.exceptions import ApiException

from paquebot_operator import metrics
from paquebot_operator.kube.errors import GoneError, KubeError, error_of
from paquebot_operator.kube.pace import Pace
from paquebot_operator.names import Kind

CHUNK: Final = 500
REQUEST_MAX_S: Final = 30
THREADS: Final = 8
APPLY: Final = "application/apply-patch+yaml"
MERGE: Final = "application/merge-patch+json"
JSON: Final = "application/json"
METADATA_ONLY: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"

Entry = dict[str, Any]


@dataclass(slots=True)
class Kube:
    """A login at one cluster."""

    api: ApiClient
    pace: Pace = field(default_factory=Pace)
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(THREADS, "kube"))

    @classmethod
    def login(cls, kubeconfig: Path | None = None) -> "Kube":
        """Log in as the kubeconfig says; without one as the pod's ServiceAccount. Raises KubeError."""
        configuration = Configuration()
        try:
            if kubeconfig is None:
                config.load_incluster_config(client_configuration=configuration)
            else:
                config.load_kube_config(str(kubeconfig), client_configuration=configuration)
        except config.ConfigException as error:
            raise KubeError(f"no cluster to log in at: {error}") from None
        configuration.retries = False
        return cls(ApiClient(configuration))

    def close(self) -> None:
        """Let go of connections and threads."""
        self.threads.shutdown(wait=False, cancel_futures=True)
        self.api.rest_client.close()

    async def get(self, kind: Kind, namespace: str, name: str) -> Entry | None:
        """Return an object, None when it is not there."""
        try:
            return await self._call("GET", kind.path(namespace, name))
        except GoneError:
            return None

    async def each(self, kind: Kind, namespace: str = "", labels: str = "") -> AsyncIterator[Entry]:
        """Yield all objects of a kind, by chunks."""
        query = {"limit": str(CHUNK)} | ({"labelSelector": labels} if labels else {})
        while True:
            page = await self._call("GET", kind.path(namespace), query=query)
            for entry in page.get("items") or ():
                yield {"apiVersion": kind.api_version, "kind": kind.name, **entry}
            following = page.get("metadata", {}).get("continue")
            if not following:
                return
            query["continue"] = following

    async def items(self, kind: Kind, namespace: str = "", labels: str = "") -> list[Entry]:
        """Return all objects of a kind."""
        return [entry async for entry in self.each(kind, namespace, labels)]

    async def apply(self, kind: Kind, manifest: Mapping[str, Any], manager: str) -> Entry:
        """Make the object as the manifest says (server-side apply); what others manage stays."""
        path = kind.path(*_place(manifest))
        return await self._call("PATCH", path, manifest, content_type=APPLY, query=_signed(manager))

    async def touch(self, kind: Kind, manifest: Mapping[str, Any], manager: str) -> Entry:
        """Apply, and return the object's metadata alone: what else it holds is not ours to read."""
        path = kind.path(*_place(manifest))
        return await self._call(
            "PATCH", path, manifest, content_type=APPLY, query=_signed(manager), accept=METADATA_ONLY
        )

    async def apply_status(self, kind: Kind, entry: Mapping[str, Any], status: Entry, manager: str) -> Entry:
        """Write an object's whole status."""
        namespace, name = _place(entry)
        metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
        manifest = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata, "status": status}
        path = kind.path(namespace, name, "status")
        return await self._call("PATCH", path, manifest, content_type=APPLY, query=_signed(manager))

    async def merge(self, kind: Kind, entry: Mapping[str, Any], patch: Entry, manager: str) -> Entry:
        """Change a few fields of an object."""
        path = kind.path(*_place(entry))
        return await self._call("PATCH", path, patch, content_type=MERGE, query={"fieldManager": manager})

    async def scale(self, kind: Kind, namespace: str, name: str, replicas: int, manager: str) -> Entry:
        """Set how many pods a workload has."""
        path = kind.path(namespace, name, "scale")
        patch = {"spec": {"replicas": replicas}}
        return await self._call("PATCH", path, patch, content_type=MERGE, query={"fieldManager": manager})

    async def create(self, kind: Kind, manifest: Mapping[str, Any]) -> Entry:
        """Create an object. Raises ConflictError when it is there."""
        return await self._call("POST", kind.path(_place(manifest)[0]), manifest)

    async def replace(self, kind: Kind, manifest: Mapping[str, Any]) -> Entry:
        """Replace an object. Raises ConflictError unless it still has the manifest's resourceVersion."""
        return await self._call("PUT", kind.path(*_place(manifest)), manifest)

    async def delete(self, kind: Kind, namespace: str, name: str, uid: str = "") -> None:
        """Delete an object, with a uid only that very one; one that is gone already is fine."""
        options = {"preconditions": {"uid": uid}} if uid else {}
        with contextlib.suppress(GoneError):
            await self._call("DELETE", kind.path(namespace, name), {"propagationPolicy": "Background", **options})

    async def serves(self, kind: Kind) -> bool:
        """Say whether the cluster knows a kind."""
        prefix = "/api/" if kind.api_version == "v1" else "/apis/"
        try:
            listing = await self._call("GET", prefix + kind.api_version)
        except GoneError:
            return False
        return any(each.get("name") == kind.plural for each in listing.get("resources") or ())

    async def read(self, path: str) -> Entry:
        """Return what the API server says at a path (`/openid/v1/jwks`)."""
        return await self._call("GET", path, accept="*/*")

    async def _call(self, method: str, path: str, body: object = None, **how: Any) -> Entry:
        """Ask; `how`: query, content_type, accept. Raises KubeError or one of its kinds."""
        await self.pace.turn()
        query = f"?{urlencode(how['query'])}" if how.get("query") else ""
        headers = {"Accept": how.get("accept", JSON), "Content-Type": how.get("content_type", JSON)}
        loop = asyncio.get_running_loop()
        code, content = await loop.run_in_executor(self.threads, self._ask, method, path + query, headers, body)
        metrics.REQUESTS.labels(method, str(code)).inc()
        return _read(method, path, code, content)

    def _ask(self, method: str, path: str, headers: dict[str, str], body: object) -> tuple[int, bytes]:
        try:
            self.api.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
            answer = self.api.call_api(
                method, self.api.configuration.host + path, headers, body, _request_timeout=REQUEST_MAX_S
            )
            return int(answer.status), bytes(answer.read() or b"")
        except (urllib3.exceptions.HTTPError, ApiException, config.ConfigException, OSError) as error:
            raise KubeError(f"{method} {path}: no answer: {type(error).__name__}: {error}") from None


def _read(method: str, path: str, code: int, content: bytes) -> Entry:
    try:
        entry = json.loads(content) if content else {}
    except ValueError:
        entry = {"message": content[:200].decode(errors="replace")}
    if 200 <= code < 300:  # noqa: PLR2004  (HTTP's class of success)
        return dict(entry)
    raise error_of(code, str(entry.get("reason", "")), f"{method} {path}: {entry.get('message', code)}")


def _place(manifest: Mapping[str, Any]) -> tuple[str, str]:
    metadata = manifest["metadata"]
    return str(metadata.get("namespace") or ""), str(metadata.get("name") or "")


def _signed(manager: str) -> dict[str, str]:
    return {"fieldManager": manager, "force": "true"}
