"""A service as a process: started, asked whether it is ready, started again after a crash, ended in order."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import urllib.error
import urllib.request
from asyncio.subprocess import Process
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

READY_MAX_S = 90.0  # machines may be busy; who ends before is told at once
DRAIN_MAX_S = 15.0
RESTART_S = 0.5
CRASHES_AT_START_MAX = 2  # a third is no accident
PROMISED_MAX = 256  # ports
LOG = structlog.get_logger("up")
_PROMISED: deque[int] = deque(maxlen=PROMISED_MAX)


@dataclass(slots=True, eq=False)
class Service:
    """One process: how it is started, and what runs now."""

    name: str
    module: str
    environment: dict[str, str]
    admin_port: int
    log: Path
    say: Callable[[str], None]
    process: Process | None = None
    keeper: asyncio.Task[None] | None = None
    restarts: int = 0
    ending: bool = False

    async def launch(self) -> None:
        """Start the process and keep it alive."""
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                self.module,
                env=os.environ | self.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches `up`, which drains in order
            )
        self.keeper = asyncio.create_task(self._keep(self.process))

    async def wait_ready(self) -> None:
        """Wait until the process says it is ready; raise RuntimeError with what it lacks when it does not."""
        deadline = asyncio.get_running_loop().time() + READY_MAX_S
        answer = "it does not listen yet"
        while asyncio.get_running_loop().time() < deadline:
            ready, answer = await asyncio.to_thread(probe, self.admin_port)
            if ready:
                self.say(f"{self.name} is ready")
                return
            if self.restarts > CRASHES_AT_START_MAX:
                answer = "it crashes at start"
                break
            await asyncio.sleep(0.1)
        raise RuntimeError(f"{self.name} is not ready: {answer.strip()}{last_words(self.log)} (its log: {self.log})")

    async def end(self) -> None:
        """Let the process drain, and see it end; also the one that is just being started in a crashed one's place."""
        self.ending = True
        ended: Process | None = None
        while self.process is not None and self.process is not ended:
            ended, keeper = self.process, self.keeper
            await self._end(ended)
            if keeper is not None:
                await keeper

    async def _end(self, process: Process) -> None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(DRAIN_MAX_S):
                await process.wait()
        except TimeoutError:
            LOG.warning("a service did not drain in time", service=self.name)
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _keep(self, process: Process) -> None:
        code = await process.wait()
        if self.ending or self.process is not process:
            return
        self.say(f"{self.name} ended with {code}; starting it again")
        self.restarts += 1
        await asyncio.sleep(RESTART_S)
        if not self.ending:
            await self.launch()


def probe(admin_port: int) -> tuple[bool, str]:
    """Ask /readyz; return whether it is ready and what it says."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{admin_port}/readyz", timeout=2) as answer:
            return True, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return False, refusal.read().decode()
    except OSError as failure:
        return False, str(failure)


def last_words(log: Path) -> str:
    """Return how the exception that ended a process read, from its log."""
    for line in reversed(log.read_text(errors="replace").splitlines()):
        with contextlib.suppress(ValueError):
            exception = str(json.loads(line).get("exception", ""))
            if exception:
                told = [line.strip(" |+-") for line in exception.splitlines()]
                return f": {[line for line in told if line][-1]}"
    return ""


def free_port() -> int:
    """Return a port that nobody listens on just now, and that nobody who asked before may be about to listen on."""
    while True:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = int(listener.getsockname()[1])
        if port not in _PROMISED:
            _PROMISED.append(port)
            return port
