"""How long the operator takes to know many objects, and what it holds meanwhile: one JSON line.

    python bench/operator_objects.py [OBJECTS]

It starts a control plane and a nats-server, declares one pool and so many MailDomains, then starts the operator and
waits for two moments: all objects read and ready to lead, and every object's status written. The second is bound by
the operator's own pace towards the API server.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

# The control plane and the objects are those of the tests.
# ruff: noqa: E402
sys.path[:0] = [str(Path(__file__).parents[1] / "tests"), str(Path(__file__).parents[1])]

from hack import kube_assets
from usage import cpu_s, rss_mib

from kube_fixtures import PERSONAS, PLATFORM, install, make_namespace
from kube_plane import Plane
from operator_support import API, give_identities
from paquebot.queue.server import NatsServer, find_nats_server
from paquebot.queue.users import PERMISSIONS, UNLIMITED, ServerPlace
from paquebot.runtime.authority import create_authority, issue
from queue_fixtures import free_port

TENANTS = 50


def declare(plane: Plane, count: int) -> None:
    """Apply a pool and so many domains."""
    for number in range(TENANTS):
        make_namespace(plane, f"tenant-{number}")
    pool = {"heloHostname": "out.example.com", "allowedNamespaces": {"names": ["*"]}}
    apply(plane, "SendingPool", f"namespaces/{PLATFORM}/sendingpools/default", pool)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: declare_domain(plane, number), range(count - 1)))


def declare_domain(plane: Plane, number: int) -> None:
    """Apply one domain of one of the tenants."""
    spec = {"domain": f"d{number}.example", "poolRef": {"name": "default"}}
    apply(plane, "MailDomain", f"namespaces/tenant-{number % TENANTS}/maildomains/d{number}", spec)


def apply(plane: Plane, kind: str, place: str, spec: dict[str, Any]) -> None:
    """Apply one object."""
    _, namespace, _, name = place.split("/")
    metadata = {"name": name, "namespace": namespace}
    plane.apply(f"{API}/{place}", {"apiVersion": API[6:], "kind": kind, "metadata": metadata, "spec": spec})


def start_operator(plane: Plane, nats: NatsServer, root: Path, admin: int) -> "subprocess.Popen[bytes]":
    """Start it as a process."""
    environment = {
        "KUBECONFIG": str(plane.kubeconfig("admin")),
        "PAQUEBOT_NAMESPACE": PLATFORM,
        "PAQUEBOT_NATS_URL": nats.url,
        "PAQUEBOT_HOSTNAME": "mail.example.com",
        "PAQUEBOT_IMAGE": "paquebot",
        "PAQUEBOT_IDENTITY_DIR": str(root / "own"),
        "PAQUEBOT_ADMIN_LISTEN": f"127.0.0.1:{admin}",
        "PAQUEBOT_TLS_MODE": "existingSecret",
    }
    with (root / "operator.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "paquebot_operator"], env=os.environ | environment, stdout=log, stderr=log
        )


def is_ready(admin: int) -> bool:
    """Say whether it has read all objects."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{admin}/readyz", timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False


def told(plane: Plane) -> int:
    """Return how many domains have a status of ours."""
    count, following = 0, ""
    while True:
        page = plane.call("GET", f"{API}/maildomains?limit=500&continue={following}")
        count += sum(bool(entry.get("status", {}).get("conditions")) for entry in page["items"])
        following = page["metadata"].get("continue", "")
        if not following:
            return count


def measure(count: int, root: Path) -> dict[str, Any]:
    """Run it all and return the figures."""
    create_authority(root / "authority")
    for name in (*PERMISSIONS, *UNLIMITED, "system", "nats"):
        issue(root / "authority", name, root / "identities" / name, ())
    nats = NatsServer(find_nats_server(), ServerPlace(root / "store", root / "identities" / "nats", free_port()), root)
    plane = Plane(kube_assets.find(), root / "kube", dict(PERSONAS))
    try:
        nats.start()
        plane.start()
        install(plane)
        give_identities(plane, root / "identities")
        declare(plane, count)
        admin, began = free_port(), time.monotonic()
        operator = start_operator(plane, nats, root, admin)
        try:
            while not is_ready(admin):
                time.sleep(0.05)
            known = {"ready_s": round(time.monotonic() - began, 2), "ready_cpu_s": round(cpu_s(operator.pid), 2)}
            while told(plane) < count - 1:
                time.sleep(2)
            return {
                "objects": count,
                **known,
                "all_told_s": round(time.monotonic() - began, 1),
                "cpu_s": round(cpu_s(operator.pid), 2),
                "rss_mib": round(rss_mib(operator.pid), 1),
            }
        finally:
            operator.terminate()
            operator.wait()
    finally:
        plane.stop()
        nats.stop()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 5000, Path(folder))))
