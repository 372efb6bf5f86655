"""A pod's life: network, volumes, init containers, containers, its status, its end."""

import asyncio
import contextlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hack.in_namespace import CLUSTER_DNS, GATEWAY

from cluster.api import STRATEGIC, Api, Key, key_of
from cluster.container import Container, Program, stamp
from cluster.environment import NotServed, NotYet, Sources, environment, expand
from cluster.view import Mount, Network, View
from cluster.volumes import Volumes
from kube_plane import Refused

Manifest = Mapping[str, Any]
Images = Mapping[str, tuple[str, ...]]
REFRESH_S = 30.0  # tokens are looked at so often; the rest is written when it changes
WAIT_AGAIN_S = 0.3
GRACE_S = 30
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Ground:
    """What all pods of a kubelet stand on."""

    api: Api
    sources: Sources
    images: Images
    scratch: Path  # in memory
    claims: Path
    logs: Path


@dataclass(slots=True)
class Pod:
    """One pod. `live` is its whole life; `update` brings news of the object; `end` forgets all grace."""

    ground: Ground
    manifest: Manifest
    number: int
    volumes: Volumes = field(init=False)
    network: Network | None = None
    containers: list[Container] = field(default_factory=list)
    inits: list[Container] = field(default_factory=list)
    waits_for: str = ""
    vanished: bool = False
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    stale: asyncio.Event = field(default_factory=asyncio.Event)  # the status, as last written
    restless: asyncio.Event = field(default_factory=asyncio.Event)  # something that volumes show may have changed
    since: dict[str, tuple[bool, str]] = field(default_factory=dict)  # conditions' statuses and times
    began: str = field(default_factory=stamp)

    def __post_init__(self) -> None:
        self.volumes = Volumes(self.ground.api, self.ground.sources, self.folder / "volumes", self.ground.claims)

    @property
    def folder(self) -> Path:
        return self.ground.scratch / str(self.manifest["metadata"]["uid"])

    @property
    def path(self) -> str:
        metadata = self.manifest["metadata"]
        return f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"

    @property
    def key(self) -> Key:
        return key_of(self.manifest)

    def vanish(self) -> None:
        """Take it that the object is gone: whatever runs is killed."""
        self.vanished = True
        self.ending.set()
        for each in (*self.inits, *self.containers):
            each.strike()

    def update(self, manifest: Manifest) -> None:
        """Take the object's new state; a deletion that was asked for begins."""
        self.manifest = {**manifest, "status": manifest["status"] | self._addresses()}
        self.restless.set()
        if manifest["metadata"].get("deletionTimestamp"):
            self.ending.set()

    async def live(self) -> None:
        """Be the pod until it is deleted or, cancelled, until it is killed."""
        spec = self.manifest["spec"]
        self.inits = [self._container(each) for each in spec.get("initContainers") or ()]
        self.containers = [self._container(each) for each in spec["containers"]]
        try:
            async with asyncio.TaskGroup() as group:  # what fails unforeseen fails the kubelet
                telling = group.create_task(self._tell())
                work = [group.create_task(each) for each in (self._work(), self._refresh())]
                await self.ending.wait()
                await _cancel(work)
                grace_s = 0 if self.vanished else self.manifest["metadata"].get("deletionGracePeriodSeconds", GRACE_S)
                await asyncio.gather(*(each.stop(grace_s) for each in (*self.inits, *self.containers)))
                await _cancel([telling])
            await self._go()
        finally:
            await self._clear()

    async def _work(self) -> None:
        """Run init containers one after the other, then the containers."""
        self.network = await Network.attach(self.number)
        self.manifest = {**self.manifest, "status": self.manifest["status"] | self._addresses()}
        while True:
            try:
                await self.volumes.prepare(self.manifest)
                break
            except (NotYet, NotServed, Refused) as missing:
                self._wait_for(str(missing))
                await asyncio.sleep(WAIT_AGAIN_S)
        self._wait_for("")
        policy = self.manifest["spec"].get("restartPolicy", "Always")
        for init in self.inits:
            await init.keep("Never" if policy == "Never" else "OnFailure")
            if init.exit_code != 0:
                return
        await asyncio.gather(*(each.keep(policy) for each in self.containers))

    async def _refresh(self) -> None:
        """Follow what volumes show; what cannot be read now stays as it is."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_S):
                    await self.restless.wait()
            self.restless.clear()
            if self.network is not None and not self.waits_for:
                with contextlib.suppress(NotYet, NotServed, Refused):
                    await self.volumes.refresh(self.manifest)

    async def _tell(self) -> None:
        """Write the status whenever it has changed."""
        while True:
            await self.stale.wait()
            self.stale.clear()
            await self._write()

    async def _write(self) -> None:
        body = {"metadata": {"uid": self.manifest["metadata"]["uid"]}, "status": self.status()}
        with contextlib.suppress(Refused):  # it is gone, or another has its name
            await self.ground.api.call("PATCH", f"{self.path}/status", body, STRATEGIC)

    def status(self) -> dict[str, Any]:
        """Return the pod's status as of now."""
        initialized = all(each.exit_code == 0 for each in self.inits)
        ready = bool(self.containers) and all(each.ready for each in self.containers)
        ready = ready and not self.ending.is_set()
        truths = {"PodReadyToStartContainers": self.network is not None, "Initialized": initialized}
        truths |= {"ContainersReady": ready, "Ready": ready}
        waits = {"state": {"waiting": {"reason": "ContainerCreating", "message": self.waits_for}}}
        shown = [each.status() | (waits if self.waits_for else {}) for each in self.containers]
        return {
            "phase": self._phase(),
            "conditions": [self._condition(name, truth) for name, truth in truths.items()],
            "containerStatuses": shown,
            "initContainerStatuses": [each.status() for each in self.inits],
            "startTime": self.began,
            **self._addresses(),
        }

    def _phase(self) -> str:
        policy = self.manifest["spec"].get("restartPolicy", "Always")
        failed = [each for each in self.inits if each.exit_code]
        if policy == "Never" and failed:
            return "Failed"
        if any(each.exit_code != 0 for each in self.inits):
            return "Pending"
        codes = [each.exit_code for each in self.containers]
        if None not in codes and (policy == "Never" or (policy == "OnFailure" and not any(codes))):
            return "Failed" if any(codes) else "Succeeded"
        begun = [bool(each.restarts or "waiting" not in each.state) for each in self.containers]
        return "Running" if all(begun) else "Pending"

    def _condition(self, name: str, truth: bool) -> dict[str, str]:
        if self.since.get(name, (None, ""))[0] != truth:
            self.since[name] = truth, stamp()
        return {"type": name, "status": str(truth), "lastTransitionTime": self.since[name][1]}

    def _addresses(self) -> dict[str, Any]:
        if self.network is None:
            return {}
        address = self.network.address
        host = {"hostIP": GATEWAY, "hostIPs": [{"ip": GATEWAY}]}
        return host | {"podIP": address, "podIPs": [{"ip": address}]}

    def _wait_for(self, what: str) -> None:
        if what != self.waits_for:
            self.waits_for = what
            self.stale.set()

    def _container(self, spec: Manifest) -> Container:
        grace_s = self.manifest["spec"].get("terminationGracePeriodSeconds", GRACE_S)
        return Container(spec, lambda: self._program(spec), self.stale.set, grace_s)

    def _program(self, spec: Manifest) -> Program:
        """Return what a container starts as things stand. Raises NotYet and NotServed."""
        assert self.network is not None
        variables = environment(self.manifest, spec, self.ground.sources)
        argv = spec.get("command") or [*self._entry(spec)]
        argv = [expand(word, variables) for word in (*argv, *(spec.get("args") or ()))]
        metadata = self.manifest["metadata"]
        log = self.ground.logs / metadata["namespace"] / metadata["name"] / f"{spec['name']}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        ports = {each["name"]: each["containerPort"] for each in spec.get("ports") or () if "name" in each}
        environ = {"PATH": PATH, "LANG": "C.UTF-8", "HOME": "/tmp", "HOSTNAME": metadata["name"], **variables}  # noqa: S108
        return Program(self._view(spec, variables), self.network, tuple(argv), environ, ports, log)

    def _entry(self, spec: Manifest) -> tuple[str, ...]:
        name = spec.get("image", "").rsplit("/", 1)[-1].partition("@")[0].partition(":")[0]
        if name not in self.ground.images:
            raise NotServed(f"no program stands for the image {name!r}, and there is no command")
        return self.ground.images[name]

    def _view(self, spec: Manifest, variables: Mapping[str, str]) -> View:
        mounts = [Mount(self._resolver(), "/etc/resolv.conf", read_only=True)]
        for each in spec.get("volumeMounts") or ():
            below = expand(each.get("subPathExpr") or "", variables) or each.get("subPath", "")
            source = self.volumes.path(self.manifest, each["name"]) / below
            if not source.exists():
                source.mkdir(parents=True)
            written = self.volumes.is_written(self.manifest, each["name"])
            mounts.append(Mount(source, each["mountPath"], read_only=written or each.get("readOnly", False)))
        frozen = (spec.get("securityContext") or {}).get("readOnlyRootFilesystem", False)
        host = self.manifest["spec"].get("hostname") or self.manifest["metadata"]["name"]
        return View(self.folder / spec["name"], host, tuple(mounts), spec.get("workingDir", ""), frozen)

    def _resolver(self) -> Path:
        """Return the pod's resolv.conf."""
        own = f"{self.manifest['metadata']['namespace']}.svc.cluster.local"
        path = self.folder / "resolv.conf"
        path.write_text(
            f"nameserver {CLUSTER_DNS}\nsearch {own} svc.cluster.local cluster.local\noptions ndots:5 timeout:2\n"
        )
        return path

    async def _go(self) -> None:
        """Write the last status, and let the object go."""
        await self._write()
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": self.manifest["metadata"]["uid"]}}
        with contextlib.suppress(Refused):
            await self.ground.api.call("DELETE", self.path, options)

    async def _clear(self) -> None:
        await asyncio.gather(*(each.kill() for each in (*self.inits, *self.containers)))
        if self.network is not None:
            await self.network.detach()
        shutil.rmtree(self.folder, ignore_errors=True)


async def _cancel(tasks: list["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
