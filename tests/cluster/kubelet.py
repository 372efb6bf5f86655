"""A process kubelet: plays nodes against a real control plane, with processes of this machine in place of containers.

A test tool, not a kubelet for anything else. Pods get networks, volumes, probes, restarts and grace as in a
cluster; ClusterIPs, the cluster's DNS and volumes for claims come with it. It does not pull images (a table says
which program stands for one), and knows no users, limits, network policies, `kubectl logs` nor `exec`: a
container's output is in `<root>/logs/<namespace>/<pod>/<container>.log`. Runs inside hack/in_namespace.py only.
"""

import asyncio
import itertools
import os
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from hack.in_namespace import CLUSTER_DNS, MARK

from cluster.api import Api, Key, Manifest, Mirror
from cluster.claims import volume_for
from cluster.environment import Sources
from cluster.names import Names, addresses
from cluster.node import beat, register
from cluster.pod import Ground, Images, Pod
from cluster.services import Place, Proxy
from cluster.view import mount_scratch, unmount
from kube_plane import Plane

BEAT_S = 10.0
START_MAX_S = 60.0
FIRST_POD = 10  # addresses below are the bridge's
CORE, DISCOVERY = "/api/v1", "/apis/discovery.k8s.io/v1"
MIRRORED = {
    "pods": CORE,
    "secrets": CORE,
    "configmaps": CORE,
    "services": CORE,
    "persistentvolumeclaims": CORE,
    "endpointslices": DISCOVERY,
}


def inside() -> bool:
    """Say whether this process is where a kubelet can run."""
    return MARK in os.environ


@dataclass(slots=True)
class Kubelet:
    """Nodes of a plane, in a thread of their own: `start`, then `stop`. Other names are asked at `forward`."""

    plane: Plane
    root: Path
    images: Images
    nodes: tuple[str, ...] = ("node-1",)
    forward: Place | None = None
    pods: dict[str, Pod] = field(default_factory=dict)  # by uid
    mirrors: dict[str, Mirror] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(FIRST_POD))
    failure: BaseException | None = None
    _thread: threading.Thread | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _ready: threading.Event = field(default_factory=threading.Event)
    _stopping: asyncio.Event | None = None
    _shifted: asyncio.Event | None = None  # Services or their endpoints

    def start(self) -> None:
        """Register the nodes; return when they are ready. Raises RuntimeError outside of the namespaces."""
        if not inside():
            raise RuntimeError("the process kubelet needs namespaces of its own: make cluster-test")
        mount_scratch(self.scratch)
        self._thread = threading.Thread(target=self._serve, name="kubelet", daemon=True)
        self._thread.start()
        self._ready.wait(START_MAX_S)
        if self.failure is not None or not self._ready.is_set():
            raise RuntimeError("the kubelet has not started") from self.failure

    def stop(self) -> None:
        """Kill all pods. Raises RuntimeError when the kubelet had failed before."""
        if self._thread is None:
            return
        if self._loop is not None and self._stopping is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._thread = None
        unmount(self.scratch)
        if self.failure is not None:
            raise RuntimeError("the kubelet has failed") from self.failure

    @property
    def scratch(self) -> Path:
        return self.root / "paquebot-kubelet"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def log(self, namespace: str, pod: str, container: str) -> str:
        """Return what a container has written so far."""
        return (self.logs / namespace / pod / f"{container}.log").read_text()

    def processes(self, namespace: str, pod: str) -> dict[str, int]:
        """Return the process ids of a pod's running containers, by their names."""
        return {
            container.name: container.running.pid
            for each in tuple(self.pods.values())
            if each.key == (namespace, pod)
            for container in (*each.inits, *each.containers)
            if container.running is not None
        }

    def _serve(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as failure:  # noqa: BLE001  (whoever starts or stops us hears of it)
            self.failure = failure
        self._ready.set()

    async def _main(self) -> None:
        self._loop, self._stopping, self._shifted = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
        async with Api(self.plane) as api:
            ground = self._ground(api)
            proxy = Proxy({("default", "kubernetes"): ("127.0.0.1", self.plane.port)})
            names = Names(self._addresses, lambda: self.forward)
            await names.start(CLUSTER_DNS, 53)
            tasks = self._tasks(api, ground, proxy)
            try:
                await self._run(tasks)
            finally:
                await proxy.stop()
                await names.stop()

    def _ground(self, api: Api) -> Ground:
        self.mirrors |= {name: Mirror(api, f"{group}/{name}") for name, group in MIRRORED.items()}
        sources = Sources(*(self.mirrors[name].objects for name in ("secrets", "configmaps", "services")))
        return Ground(api, sources, self.images, self.scratch, self.root / "claims", self.logs)

    def _tasks(self, api: Api, ground: Ground, proxy: Proxy) -> list[Coroutine[Any, Any, None]]:
        return [
            self._register(api),
            *(mirror.run() for mirror in self.mirrors.values()),
            self._proxy(proxy),
            self._live(ground),
        ]

    async def _run(self, work: list[Coroutine[Any, Any, None]]) -> None:
        assert self._stopping is not None
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
            await self._stopping.wait()
            for task in tasks:
                task.cancel()

    async def _register(self, api: Api) -> None:
        for node in self.nodes:
            await register(api, node)
        for mirror in self.mirrors.values():
            await mirror.filled.wait()
        self._ready.set()
        while True:
            for node in self.nodes:
                await beat(api, node)
            await asyncio.sleep(BEAT_S)

    async def _proxy(self, proxy: Proxy) -> None:
        assert self._shifted is not None
        services, slices = self.mirrors["services"], self.mirrors["endpointslices"]
        for mirror in (services, slices):
            mirror.changed = lambda _key, _manifest: self._shifted and self._shifted.set()
        self._shifted.set()
        while True:
            await self._shifted.wait()
            self._shifted.clear()
            await proxy.follow(services.objects, slices.objects)

    async def _live(self, ground: Ground) -> None:
        """Let a task be each pod of our nodes."""
        async with asyncio.TaskGroup() as group:

            def claim_changed(_key: Key, manifest: Manifest | None) -> None:
                if manifest is not None and not manifest["spec"].get("volumeName"):
                    group.create_task(volume_for(ground.api, ground.claims, manifest))

            self.mirrors["pods"].changed = partial(self._pod_changed, ground, group)
            self.mirrors["persistentvolumeclaims"].changed = claim_changed
            for name in ("secrets", "configmaps"):
                self.mirrors[name].changed = self._entries_changed
            await asyncio.Event().wait()

    def _pod_changed(self, ground: Ground, group: asyncio.TaskGroup, key: Key, manifest: Manifest | None) -> None:
        uid = manifest["metadata"]["uid"] if manifest is not None else ""
        for other, pod in self.pods.items():
            if pod.key == key and other != uid:
                pod.vanish()
        if manifest is None or manifest["spec"].get("nodeName") not in self.nodes:
            return
        if uid not in self.pods:
            self.pods[uid] = Pod(ground, manifest, next(self.numbers))
            group.create_task(self._be(uid))
        self.pods[uid].update(manifest)

    def _entries_changed(self, key: Key, _manifest: Manifest | None) -> None:
        for pod in self.pods.values():
            if pod.key[0] == key[0]:
                pod.restless.set()

    async def _be(self, uid: str) -> None:
        try:
            await self.pods[uid].live()
        finally:
            del self.pods[uid]

    def _addresses(self, name: str) -> list[str] | None:
        return addresses(name, self.mirrors["services"].objects, self.mirrors["endpointslices"].objects)
