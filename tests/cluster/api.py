"""What the process kubelet needs of the API: calls that outlive a restart of the server, and mirrors of whole kinds."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp

from kube_plane import Plane, Refused

PAUSE_S = 0.2
WATCH_S = 300  # a watch is asked anew this often
LINE_BYTES_MAX = 8 << 20
MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"
AGAIN = {429, 500, 502, 503, 504}

Manifest = Mapping[str, Any]
Key = tuple[str, str]  # namespace and name


def key_of(manifest: Manifest) -> Key:
    """Return namespace and name of an object."""
    return manifest["metadata"].get("namespace", ""), manifest["metadata"]["name"]


class Api:
    """Speaks to a plane as its admin. Use as a context manager in the loop that calls it."""

    def __init__(self, plane: Plane) -> None:
        self._url = plane.url
        self._ssl = ssl.create_default_context(cafile=str(plane.ca))
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        headers = {"Authorization": "Bearer admin"}
        connector = aiohttp.TCPConnector(ssl=self._ssl, limit=0)
        self._session = aiohttp.ClientSession(
            headers=headers, connector=connector, trust_env=False, read_bufsize=LINE_BYTES_MAX
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        assert self._session is not None
        return self._session

    async def call(self, method: str, path: str, body: object = None, kind: str = "application/json") -> Any:
        """Ask until there is an answer. Raises Refused for one that another try would not change."""
        content = None if body is None else json.dumps(body).encode()
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with self.session.request(
                    method, self._url + path, data=content, headers={"Content-Type": kind}
                ) as answer:
                    read = await answer.json()
                    if answer.status < 300:
                        return read
                    if answer.status not in AGAIN:
                        raise Refused(answer.status, read)
            await asyncio.sleep(PAUSE_S)

    async def watch(self, path: str, version: str) -> "aiohttp.ClientResponse":
        """Open a watch from a version on."""
        query = f"?watch=1&allowWatchBookmarks=true&timeoutSeconds={WATCH_S}&resourceVersion={version}"
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
        return await self.session.get(self._url + path + query, timeout=timeout)


@dataclass(slots=True)
class Mirror:
    """All objects at a path, kept up to date; `changed` hears of each change, with None for what is gone."""

    api: Api
    path: str
    changed: Callable[[Key, Manifest | None], None] = field(default=lambda _key, _manifest: None)
    objects: dict[Key, Manifest] = field(default_factory=dict)
    filled: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """List and watch for ever; whatever ends a watch, a new list follows."""
        while True:
            listed = await self.api.call("GET", self.path)
            self._replace(listed["items"] or [])
            self.filled.set()
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
                await self._follow(listed["metadata"]["resourceVersion"])
            await asyncio.sleep(PAUSE_S)

    async def _follow(self, version: str) -> None:
        async with await self.api.watch(self.path, version) as answer:
            async for line in answer.content:
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                if event["type"] != "BOOKMARK":
                    self._take(event["object"], gone=event["type"] == "DELETED")

    def _replace(self, items: list[Manifest]) -> None:
        there = {key_of(item) for item in items}
        for key in [key for key in self.objects if key not in there]:
            self.changed(key, None)
            del self.objects[key]
        for item in items:
            known = self.objects.get(key_of(item), {}).get("metadata", {}).get("resourceVersion")
            if known != item["metadata"]["resourceVersion"]:
                self._take(item, gone=False)

    def _take(self, item: Manifest, *, gone: bool) -> None:
        key = key_of(item)
        if gone:
            self.objects.pop(key, None)
        else:
            self.objects[key] = item
        self.changed(key, None if gone else item)
