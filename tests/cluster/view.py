"""What a pod sees of the machine: its own network, and for each container a root of its own.

The root is a copy-on-write view of the machine's, with the container's volumes mounted where it wants them; what it
writes elsewhere goes with it. There is no image, and no user other than root: a program of the machine runs.
"""

import asyncio
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hack.in_namespace import BRIDGE, GATEWAY

from paquebot.queue.server import cache_folder

DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
TERMINATION_LOG = "/dev/termination-log"
HOLDER = "exec sleep infinity"
PROGRAMS = (Path(__file__).parents[2], Path(sys.prefix), Path(sys.base_prefix), cache_folder())
OWN = ("/proc", "/sys", "/dev", "/run")  # every container gets these anew
ATTACH = """
ip link set lo up
ip address add {address}/16 dev eth0
ip link set eth0 up
ip route add default via {gateway}
echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet
ip route del local 127.0.0.0/8 dev lo table local
ip route add 127.0.0.0/8 via {gateway} src {address}
"""


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder or file of ours at a place in a container."""

    source: Path
    target: str
    read_only: bool = False


@dataclass(slots=True)
class Network:
    """A pod's network: an address on the bridge, held by a process that does nothing else."""

    address: str
    holder: "asyncio.subprocess.Process"

    @classmethod
    async def attach(cls, number: int) -> "Network":
        """Make the network of the n-th pod. 127.0.0.1 is the pod's own; other loopback addresses are the sandbox's."""
        address = f"10.244.{number // 256}.{number % 256}"
        holding = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sh", "-c", f"echo; {HOLDER}"]
        holder = await asyncio.create_subprocess_exec(*holding, stdout=asyncio.subprocess.PIPE)
        assert holder.stdout is not None
        await holder.stdout.readline()  # it is inside
        network = cls(address, holder)
        try:
            link = f"ip link add pod{number} master {BRIDGE} up type veth peer name eth0 netns {holder.pid}"
            await _run(link.split())
            inside = ATTACH.format(address=address, gateway=GATEWAY)
            await _run([*network.enter(), "sh", "-ec", inside])
        except BaseException:
            await network.detach()
            raise
        return network

    def enter(self) -> list[str]:
        """Return what to put before a command that shall run in it."""
        return ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net"]

    async def detach(self) -> None:
        """Give it back."""
        self.holder.kill()
        await self.holder.wait()


@dataclass(frozen=True, slots=True)
class View:
    """A container's root, made of `folder` (on a tmpfs) when it starts."""

    folder: Path
    host: str
    mounts: tuple[Mount, ...]
    working_folder: str = ""
    read_only: bool = False

    @property
    def termination_log(self) -> Path:
        return self.folder / "termination-log"

    def command(self, network: Network, argv: Sequence[str]) -> list[str]:
        """Return the command that makes the view and becomes the container's program."""
        for part in ("upper", "work", "root"):
            shutil.rmtree(self.folder / part, ignore_errors=True)
            (self.folder / part).mkdir(parents=True)
        self.termination_log.write_text("")
        namespaces = ["unshare", "--mount", "--uts", "--propagation", "private"]
        born = ["setpriv", "--pdeathsig", "KILL", *network.enter(), *namespaces]
        return [*born, "sh", "-ec", self.script(), "sh", *argv]

    def script(self) -> str:
        """Return what is done inside its namespaces, before the program takes over."""
        root = self.folder / "root"
        layers = f"lowerdir=/,upperdir={self.folder / 'upper'},workdir={self.folder / 'work'}"
        lines = [
            f"echo {shlex.quote(self.host)} > /proc/sys/kernel/hostname",
            f"mount -t overlay overlay -o {layers} {root}",
            *(f"mount --rbind {place} {root}{place}" for place in ("/proc", "/sys", *other_mounts())),
            f"mount -t tmpfs tmpfs {root}/run",
            f"mount -t tmpfs tmpfs {root}/dev",
            *(f": > {root}/dev/{name}; mount --bind /dev/{name} {root}/dev/{name}" for name in DEVICES),
            f"ln -s /proc/self/fd {root}/dev/fd; mkdir -m 1777 {root}/dev/shm",  # noqa: S108
        ]
        mounts = (*self.mounts, Mount(self.termination_log, TERMINATION_LOG))
        for mount in sorted(mounts, key=lambda each: each.target.count("/")):  # the outer before the inner
            lines += _mounting(mount, root)
        for place in hidden(mount.target for mount in mounts):
            lines += [f"mkdir -p {root}{place}", f"mount --bind {place} {root}{place}"]
        if self.read_only:
            lines.append(f"mount -o remount,bind,ro {root}")
        elsewhere = f"env -C {shlex.quote(self.working_folder)} " if self.working_folder else ""
        lines.append(f'exec chroot {root} {elsewhere}"$@"')
        return "\n".join(lines)

    def forget(self) -> None:
        """Remove what the container has written."""
        shutil.rmtree(self.folder, ignore_errors=True)


def inside_of(pid: int) -> list[str]:
    """Return what to put before a command that shall run in a container's views."""
    return ["nsenter", f"--target={pid}", "--net", "--mount", "--uts", "--root", "--wd"]


def other_mounts() -> list[str]:
    """Return the mounts that a view of the root alone would miss, each without those below it."""
    places = sorted(line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines())
    found: list[str] = []
    for place in places:
        above = (*OWN, *found)
        if place != "/" and Path(place).is_dir() and not any(f"{place}/".startswith(f"{each}/") for each in above):
            found.append(place)
    return [place for place in found if "paquebot-kubelet" not in place]


def hidden(targets: Iterable[str]) -> list[str]:
    """Return where our programs lie below a volume, which would hide them: a checkout in /tmp, say."""
    places = sorted({str(place) for place in PROGRAMS})
    targets = tuple(targets)
    return [place for place in places if any(f"{place}/".startswith(f"{target.rstrip('/')}/") for target in targets)]


def mount_scratch(folder: Path) -> None:
    """Make a folder in memory: an overlay's upper layer may not lie in its lower one."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(folder)], check=True)


def unmount(folder: Path) -> None:
    """Take the memory back."""
    subprocess.run(["umount", "--lazy", str(folder)], check=False)


def _mounting(mount: Mount, root: Path) -> list[str]:
    # A link on the way, as /var/run, is followed here: from outside it would lead out of the root.
    target = shlex.quote(f"{root}{os.path.realpath(mount.target)}")
    source = shlex.quote(str(mount.source))
    made = f'mkdir -p "$(dirname {target})"; : >> {target}' if mount.source.is_file() else f"mkdir -p {target}"
    ending = [f"mount -o remount,bind,ro {target}"] if mount.read_only else []
    return [made, f"mount --bind {source} {target}", *ending]


async def _run(command: Sequence[str]) -> None:
    process = await asyncio.create_subprocess_exec(*command)
    if await process.wait():
        raise RuntimeError(f"{' '.join(command)} failed")
