"""One container of a pod: a process of the machine that is started, looked at, restarted and stopped."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cluster.environment import NotServed, NotYet
from cluster.probes import Target, act, check_actions, fails, looks, verdict
from cluster.view import Network, View

Manifest = Mapping[str, Any]
BACKOFF_S, BACKOFF_MAX_S = 0.5, 10.0  # a kubelet waits 10 s and up to 5 minutes
STEADY_S = 20.0  # after so long a run the back-off begins anew
WAIT_AGAIN_S = 0.3
MESSAGE_BYTES_MAX = 4096


@dataclass(frozen=True, slots=True)
class Program:
    """What is started: its view, command line, variables, and where it is reached."""

    view: View
    network: Network
    argv: tuple[str, ...]
    environ: Mapping[str, str]
    ports: Mapping[str, int]
    log: Path


@dataclass(slots=True)
class Container:
    """Keeps one container; `program` is asked at each start, `changed` told of each change of the status."""

    spec: Manifest
    program: Callable[[], Program]
    changed: Callable[[], None]
    grace_s: float  # between being asked to end and being killed, when it is found to be dead
    restarts: int = 0
    ready: bool = False
    started: bool = False
    state: dict[str, Any] = field(default_factory=lambda: {"waiting": {"reason": "ContainerCreating"}})
    last_state: dict[str, Any] = field(default_factory=dict)
    running: "asyncio.subprocess.Process | None" = None
    target: Target | None = None
    current: Program | None = None

    @property
    def name(self) -> str:
        return str(self.spec["name"])

    @property
    def exit_code(self) -> int | None:
        """How it ended, once it has."""
        return self.state.get("terminated", {}).get("exitCode")

    async def keep(self, policy: str) -> None:
        """Run it, again as the restart policy says (Always, OnFailure, Never); return when it is over."""
        backoff_s = BACKOFF_S
        while True:
            lasted_s = await self._once()
            if policy == "Never" or (policy == "OnFailure" and self.exit_code == 0):
                return
            backoff_s = BACKOFF_S if lasted_s > STEADY_S else backoff_s
            self.last_state = self.state
            self._become({"waiting": {"reason": "CrashLoopBackOff", "message": f"back-off {backoff_s} s"}})
            await asyncio.sleep(backoff_s)
            backoff_s = min(2 * backoff_s, BACKOFF_MAX_S)
            self.restarts += 1

    async def stop(self, grace_s: float) -> None:
        """Do what preStop says, ask it to end, and kill it when its grace is over."""
        if self.running is None:
            return
        deadline = asyncio.get_running_loop().time() + grace_s
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                hook = (self.spec.get("lifecycle") or {}).get("preStop")
                if hook and self.target is not None:
                    await act(hook, self.target, grace_s)
                self._signal(signal.SIGTERM)
                await self.running.wait()
        await self.kill()

    async def kill(self) -> None:
        """End it now, with all that it started in its session, and write down how it ended."""
        process, self.running = self.running, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        self._end(await process.wait())

    def strike(self) -> None:
        """Kill what runs; whoever waits for its end sees it."""
        if self.running is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.running.pid, signal.SIGKILL)

    def status(self) -> dict[str, Any]:
        """Return its containerStatus."""
        return {
            "name": self.name,
            "image": self.spec.get("image", ""),
            "imageID": "",
            "state": self.state,
            "lastState": self.last_state,
            "ready": self.ready,
            "started": self.started,
            "restartCount": self.restarts,
        }

    async def _once(self) -> float:
        """Start it, look at it until it ends or is condemned; return how long it ran."""
        program = await self._programmed()
        self._began(program, await _launch(program))
        began = asyncio.get_running_loop().time()
        assert self.running is not None
        waiting, looking = asyncio.create_task(self.running.wait()), asyncio.create_task(self._look())
        try:
            await asyncio.wait((waiting, looking), return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                await self.kill()  # what it left behind
            else:
                looking.result()
                await self.stop(self.grace_s)
        finally:
            waiting.cancel()
            looking.cancel()
            await asyncio.gather(waiting, looking, return_exceptions=True)
        return asyncio.get_running_loop().time() - began

    async def _programmed(self) -> Program:
        """Return what to start, once everything that it refers to is there."""
        while True:
            try:
                check_actions(self.spec)
                return self.program()
            except (NotYet, NotServed) as missing:
                self._become({"waiting": {"reason": "CreateContainerConfigError", "message": str(missing)}})
                await asyncio.sleep(WAIT_AGAIN_S)

    def _began(self, program: Program, process: "asyncio.subprocess.Process") -> None:
        self.running, self.current = process, program
        self.target = Target(program.network.address, process.pid, program.ports, program.environ)
        self.started = not self.spec.get("startupProbe")
        self.ready = self.started and not self.spec.get("readinessProbe")
        self._become({"running": {"startedAt": stamp()}})

    async def _look(self) -> None:
        """Follow its probes; return when it must go."""
        assert self.target is not None
        startup, readiness, liveness = (self.spec.get(f"{name}Probe") for name in ("startup", "readiness", "liveness"))
        if startup:
            if not await verdict(startup, self.target):
                return
            self.started, self.ready = True, not readiness
            self.changed()
        following = asyncio.create_task(self._follow(readiness, self.target))
        try:
            await (fails(liveness, self.target) if liveness else asyncio.Event().wait())
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def _follow(self, readiness: Manifest | None, target: Target) -> None:
        if readiness:
            async for good in looks(readiness, target):
                self.ready = good
                self.changed()

    def _signal(self, number: int) -> None:
        if self.running is not None:
            with contextlib.suppress(ProcessLookupError):
                self.running.send_signal(number)

    def _end(self, code: int) -> None:
        said = self._last_words()
        ended = {
            "exitCode": code if code >= 0 else 128 - code,
            "reason": "Completed" if code == 0 else "Error",
            "startedAt": self.state.get("running", {}).get("startedAt", stamp()),
            "finishedAt": stamp(),
        }
        self.ready = self.started = False
        self._become({"terminated": ended | ({"message": said} if said else {})})

    def _last_words(self) -> str:
        program, self.current = self.current, None
        if program is None:
            return ""
        said = program.view.termination_log.read_bytes()
        if not said and self.spec.get("terminationMessagePolicy") == "FallbackToLogsOnError":
            said = program.log.read_bytes()
        program.view.forget()
        return said[-MESSAGE_BYTES_MAX:].decode(errors="replace")

    def _become(self, state: dict[str, Any]) -> None:
        if state != self.state:
            self.state = state
            self.changed()


async def _launch(program: Program) -> "asyncio.subprocess.Process":
    with program.log.open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *program.view.command(program.network, program.argv),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=dict(program.environ),
            start_new_session=True,
        )


def stamp() -> str:
    """Return the time as the API writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
