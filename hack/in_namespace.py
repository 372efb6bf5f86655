"""Runs a command in network, mount and process namespaces of its own, where a cluster can be played: as root, on Linux.

    python hack/in_namespace.py python -m pytest tests/cluster

Inside there is a loopback, a bridge for pods (10.244.0.0/16), the range of ClusterIPs (10.0.0.0/24) and a
resolv.conf that asks the cluster's DNS; outside nothing changes. When the command ends, everything it started dies.
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

MARK: Final = "PAQUEBOT_IN_NAMESPACE"  # set for the command, so that tests know where they are
BRIDGE: Final = "pods"
GATEWAY: Final = "10.244.0.1"
CLUSTER_DNS: Final = "10.0.0.10"
RESOLV: Final = f"nameserver {CLUSTER_DNS}\nsearch mail-system.svc.cluster.local svc.cluster.local cluster.local\n"
ROUTES: Final = (
    "ip link set lo up",
    f"ip link add {BRIDGE} type bridge",
    f"ip address add {GATEWAY}/16 dev {BRIDGE}",
    f"ip link set {BRIDGE} up",
    "ip route add local 10.0.0.0/24 dev lo",
)
# Pods reach the sandbox's hosts, which live on 127.0.0.0/8 of this namespace, through the bridge.
SWITCHES: Final = ("ip_forward", "conf/all/route_localnet")


def enter(command: list[str]) -> int:
    """Run the command inside; return its exit code."""
    namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"]
    here = [sys.executable, __file__, "--inside"]
    with subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "unshare", *namespaces, *here, *command]) as outside:
        return _wait(outside)


def prepare() -> None:
    """Make the network, and the names that it knows."""
    for line in ROUTES:
        _run(line)
    for switch in SWITCHES:
        Path("/proc/sys/net/ipv4", switch).write_text("1")
    with tempfile.TemporaryDirectory() as folder:
        _run(f"mount -t tmpfs tmpfs {folder}")
        resolv = Path(folder, "resolv.conf")
        resolv.write_text(RESOLV)
        _run(f"mount --bind {resolv} /etc/resolv.conf")
        _run(f"umount {folder}")  # the other mount keeps the file


def inside(command: list[str]) -> int:
    """Be the first process of the namespace: run the command, bury what others leave, return its exit code."""
    prepare()
    with subprocess.Popen(command, env=os.environ | {MARK: "1"}) as child:
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        signal.signal(signal.SIGINT, lambda *_: None)  # a terminal tells the command itself
        while True:
            ended, status = os.wait()
            if ended == child.pid:
                child.returncode = os.waitstatus_to_exitcode(status)
                return child.returncode


def _run(line: str) -> None:
    subprocess.run(line.split(), check=True)


def _wait(outside: "subprocess.Popen[bytes]") -> int:
    """Wait without dying of Ctrl-C, which is meant for the command."""
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: outside.kill())  # it would not hand on another
    return outside.wait()


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if os.geteuid() != 0:
        sys.exit("a cluster is played in namespaces, with mounts of its own: run this as root")
    if not arguments:
        sys.exit(__doc__)
    code = inside(arguments[1:]) if arguments[0] == "--inside" else enter(arguments)
    sys.exit(code if code >= 0 else 128 - code)
