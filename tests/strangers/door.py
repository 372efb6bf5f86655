"""A stranger's door: an address it listens on, and the EHLO keywords that it does not offer there.

A stranger keeps what it takes in `<root>/mail/<domain of the door>`, a file a message.
"""

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hack.strangers import CURE, where

from paquebot.sandbox.zone import Record

LISTENS_MAX_S = 30.0


@dataclass(frozen=True)
class Door:
    name: str
    address: str
    without: str = ""

    @property
    def domain(self) -> str:
        return f"{self.name}.test"

    @property
    def records(self) -> tuple[Record, Record]:
        return Record(self.domain, "MX", f"10 mx.{self.domain}."), Record(f"mx.{self.domain}", "A", self.address)

    def keywords(self, port: int) -> set[str]:
        """Return what it offers in its reply to EHLO."""
        with socket.create_connection((self.address, port), 10) as connection, connection.makefile("rwb") as lines:
            lines.readline()
            lines.write(b"EHLO test.example\r\n")
            lines.flush()
            answer = [lines.readline()]
            while answer[-1][3:4] == b"-":
                answer.append(lines.readline())
            lines.write(b"QUIT\r\n")
        return (
            {line[4:].split()[0].decode() for line in answer[1:] if line[4:].strip()}
            if answer[0].startswith(b"250")
            else set()
        )


class Stranger:
    """A program with doors; subclasses say how it is set up."""

    program = ""

    def __init__(self, root: Path, doors: Iterable[Door]) -> None:
        self.root = root
        self.doors = tuple(doors)
        self.known: dict[Path, bytes] = {}
        self.processes: list[subprocess.Popen[bytes]] = []

    def path(self) -> Path:
        found = where(self.program)
        assert found is not None, f"{self.program} is not found: {CURE}"
        return found

    def mails(self, door: Door) -> list[bytes]:
        """Return what it has taken there, with line feeds as line ends. A file is whole once there: it is read once."""
        folder = self.root / "mail" / door.domain
        known = self.known
        paths = [path for path in sorted(folder.rglob("new/*")) if path.is_file()]
        known |= {path: path.read_bytes() for path in paths if path not in known}
        return [known[path] for path in paths]

    def wait_until_it_listens(self, port: int) -> None:
        deadline = time.monotonic() + LISTENS_MAX_S
        for door in self.doors:
            while True:
                try:
                    socket.create_connection((door.address, port), 5).close()
                    break
                except OSError:
                    ended = [process.args for process in self.processes if process.poll()]
                    assert not ended, f"it has ended: {ended}"
                    assert time.monotonic() < deadline, f"{self.program} does not listen for {door.name}"
                    time.sleep(0.05)

    def run(self, *command: str | Path) -> None:
        with (self.root / "log").open("ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self.processes.append(process)

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, 15)
        for process in self.processes:
            process.wait(30)


async def wait_for_mail(stranger: Stranger, door: Door, message: bytes, timeout_s: float = 60) -> bytes:
    """Wait until the message is there; return what has its Message-ID, which is all there is to compare."""
    end = asyncio.get_running_loop().time() + timeout_s
    mark = next(line for line in message.split(b"\r\n") if line.lower().startswith(b"message-id:"))
    while True:
        found = next((mail for mail in stranger.mails(door) if mark in mail), b"")
        if found.endswith(message.replace(b"\r\n", b"\n")) or asyncio.get_running_loop().time() > end:
            assert found, f"{mark!r} has not come to {door.name}"
            return found
        await asyncio.sleep(0.1)


def in_own_mounts(root: Path, mounts: str, *command: str | Path) -> list[str | Path]:
    """Return a command that runs where only it sees the mounts, and its own users beside the system's."""
    for name, line in (("passwd", "{0}:x:{1}:{1}::/nonexistent:/bin/false"), ("group", "{0}:x:{1}:")):
        lines = Path(f"/etc/{name}").read_text().splitlines()
        known = [each for each in lines if each.partition(":")[0] not in USERS]  # a system's own have other numbers
        users = [line.format(user, number) for user, number in USERS.items()]
        if not (root / name).exists():  # others may be reading it
            (root / name).write_text("\n".join([*known, *users]) + "\n")
    script = f'for each in passwd group; do mount --bind {root}/$each /etc/$each; done\n{mounts}\nexec "$@"'
    return ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script, "sh", *command]


USERS = {"Debian-exim": 61001, "opensmtpd": 61002, "opensmtpq": 61003}
