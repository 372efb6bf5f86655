"""Being a process: settings, logs, the event loop, signals, the admin port, exit codes.

Exit codes: 0 drained, 1 crashed, 78 bad settings (EX_CONFIG).
"""

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, TypeVar

import structlog
import uvloop

from paquebot.runtime.admin import serve_admin
from paquebot.runtime.logs import configure
from paquebot.runtime.metrics import describe
from paquebot.runtime.readiness import Readiness
from paquebot.runtime.settings import Address, SettingsError, from_environment

EX_CONFIG = 78
# New objects before the collector looks at the young, and looks before it looks at older ones. What a message needs
# goes by reference counts; 700, the default, cost the deliverer a twelfth of its CPU (docs/performance.md).
GC_THRESHOLDS = (20_000, 5, 10)
LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSettings:
    """What every service reads; a service's own settings inherit from it."""

    identity_dir: Path
    admin_listen: Address
    pod: str = field(default_factory=socket.gethostname)
    log_level: str = "info"


@dataclass(slots=True)
class Process:
    """What a service is handed to be a process with."""

    service: str
    pod: str
    draining: asyncio.Event
    readiness: Readiness

    def waits_for(self, name: str) -> Callable[[str], bool]:
        """Return whom to tell why something is not there yet; the answer says whether to go on waiting."""

        def still(why: str) -> bool:
            if self.readiness.lacks.get(name) != why:
                LOG.info("waiting", what=name, why=why)
            self.readiness.missing(name, why)
            return not self.draining.is_set()

        return still


S = TypeVar("S", bound=ProcessSettings)


def run(main: Callable[[Process, S], Coroutine[None, None, None]], service: str, kind: type[S]) -> NoReturn:
    """Run a service until SIGTERM has drained it. A second SIGTERM ends it at once."""
    try:
        settings = from_environment(kind, os.environ)
    except SettingsError as error:
        for fault in error.faults:
            sys.stderr.write(f"{service}: {fault}\n")
        sys.exit(EX_CONFIG)
    configure(service, settings.pod, settings.log_level)
    try:
        uvloop.run(_life(main, service, settings))
    except Exception:
        LOG.exception("crashed")
        sys.exit(1)
    sys.exit(0)


async def _life(main: Callable[[Process, S], Coroutine[None, None, None]], service: str, settings: S) -> None:
    process = Process(service, settings.pod, asyncio.Event(), Readiness({"start": "the service is starting"}))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _drain, process)
    describe(service, process.readiness)
    admin = await serve_admin(settings.admin_listen, process.readiness)
    try:
        LOG.info("started", admin=str(settings.admin_listen))
        _collect_seldom()
        await main(process, settings)
        LOG.info("ended")
    finally:
        await admin.cleanup()


def _collect_seldom() -> None:
    """Let the collector look seldom, and never again at what the start has made: it stays."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def _drain(process: Process) -> None:
    if process.draining.is_set():
        LOG.warning("told twice to end: ending at once")
        os._exit(1)
    LOG.info("draining")
    process.readiness.missing("draining", "the process was told to end")
    process.draining.set()
