"""A whole cluster on one machine: control plane, kubelet, the sandbox as the world, and Paquebot from its chart.

What differs from a cluster elsewhere is in VALUES and in cluster/kubelet.py's docstring, nothing else.
"""

import base64
import json
import os
import smtplib
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hack import helm
from hack.in_namespace import CLUSTER_DNS

from cluster.kubelet import Kubelet
from cluster.waiting import WAIT_MAX_S, condition
from cluster.world import World
from kube_plane import Plane

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "paquebot"
PLATFORM = "mail-system"
RELEASE = "paquebot"
TENANTS = ("shop", "news")  # of examples/
VALUES: dict[str, Any] = {
    "image": {"repository": "paquebot", "tag": "here"},
    "submission": {"replicas": 1},
    "spamfilter": {"replicas": 1},
    "router": {"replicas": 1},
    "operator": {"replicas": 1},
    "nats": {"nodes": 1, "storage": {"sizeGi": 2}},
}
READY_MAX_S = 240.0  # a machine may be busy with other things
LOG_CHARACTERS = 600
ADMIN_PORT = 9090
GROUP = "/apis/paquebot.dev/v1alpha1"


@dataclass(slots=True)
class Cluster:
    """All parts. `install`, `apply`, `send` and so on need them started; whoever started them stops them."""

    plane: Plane
    kubelet: Kubelet
    world: World
    home: Path  # of helm, and of files on their way
    say: Callable[[str], None] = field(default=lambda _line: None)

    def connect(self) -> None:
        """Let the cluster's DNS ask the sandbox for what it does not know itself."""
        self.kubelet.forward = self.world.resolver

    def helm(self, *arguments: str) -> str:
        """Run helm against the cluster; return what it printed. Raises RuntimeError with its complaint."""
        places = {f"HELM_{name}_HOME": str(self.home / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
        clean = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        environ = clean | places | {"KUBECONFIG": str(self.plane.kubeconfig("admin"))}
        command = [str(helm.find()), *arguments, "--namespace", PLATFORM]
        done = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=300, check=False)
        if done.returncode:
            raise RuntimeError(f"helm {' '.join(arguments)}: {done.stderr}{done.stdout}")
        return done.stdout

    def install(self, *settings: str, chart: Path = CHART) -> None:
        """Install the chart, or upgrade to it; `settings` are `key=value` beside VALUES. Does not wait."""
        world = {
            "enabled": True,
            "resolver": f"{CLUSTER_DNS}:53",
            "mxPort": self.world.internet.mx_port,
            "patience": 0.2,
        }
        path = self.home / "values.json"
        path.write_text(json.dumps(VALUES | {"sandbox": world}))
        more = [word for each in settings for word in ("--set", each)]
        self.helm("upgrade", "--install", RELEASE, str(chart), "--create-namespace", "--values", str(path), *more)

    def wait_ready(self, namespace: str = PLATFORM, timeout_s: float = READY_MAX_S) -> None:
        """Wait until all pods of a namespace are ready; tell each that becomes so. Raises RuntimeError."""
        deadline, told = time.monotonic() + timeout_s, set[str]()
        while True:
            pods = self.pods(namespace)
            for name in {name for name, ready in pods.items() if ready} - told:
                told.add(name)
                self.say(f"{name} is ready")
            if pods and all(pods.values()):
                return
            if time.monotonic() > deadline:
                unready = ", ".join(f"{name}: {self.why(namespace, name)}" for name, ready in pods.items() if not ready)
                raise RuntimeError(f"not ready in {timeout_s:.0f} s: {unready or 'no pods at all'}")
            time.sleep(0.2)

    def pods(self, namespace: str = PLATFORM) -> dict[str, bool]:
        """Return which pods there are, and whether each is ready; those that have done their work do not count."""
        listed = self.plane.call("GET", f"/api/v1/namespaces/{namespace}/pods")["items"]
        at_work = [each for each in listed if each.get("status", {}).get("phase") != "Succeeded"]
        return {each["metadata"]["name"]: _is_true(each, "Ready") for each in at_work}

    def why(self, namespace: str, pod: str) -> str:
        """Return why a pod is not ready: the state of its containers, what it says itself, and its last words."""
        status = self.plane.call("GET", f"/api/v1/namespaces/{namespace}/pods/{pod}").get("status", {})
        states = [each["state"] for each in status.get("containerStatuses") or ()]
        logs = sorted((self.kubelet.logs / namespace / pod).glob("*.log"))
        words = " ".join(log.read_text()[-LOG_CHARACTERS:] for log in logs)
        return f"{states} {_readiness(status.get('podIP', ''))} {words}"

    def apply(self, path: Path) -> None:
        """Apply a file or folder, with the namespaces of the examples' tenants."""
        for tenant in TENANTS:
            metadata = {"name": tenant}
            manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
            self.plane.apply(f"/api/v1/namespaces/{tenant}", manifest)
        self.plane.kubectl("apply", "--server-side", "--filename", str(path))

    def get(self, plural: str, namespace: str, name: str) -> dict[str, Any]:
        """Return one of our objects; those that belong to the whole cluster have no namespace. Raises Refused."""
        where = f"/namespaces/{namespace}" if namespace else ""
        return dict(self.plane.call("GET", f"{GROUP}{where}/{plural}/{name}"))

    def wait_condition(self, place: tuple[str, str, str], kind: str = "Ready", timeout_s: float = WAIT_MAX_S) -> None:
        """Wait for a condition of (plural, namespace, name), while whoever keeps the DNS does what is asked.

        Raises RuntimeError with what stands there instead.
        """
        deadline = time.monotonic() + timeout_s
        while not _is_true(found := self.get(*place), kind):
            self.publish_records()
            if time.monotonic() > deadline:
                raise RuntimeError(f"{'/'.join(place)} is not {kind}: {found.get('status')}")
            time.sleep(0.2)

    def publish_records(self) -> list[str]:
        """Do what the status of each domain asks of whoever keeps its DNS; return the names of the records."""
        names = []
        for domain in self.plane.call("GET", f"{GROUP}/maildomains")["items"]:
            self.world.receive_for([domain["spec"]["domain"]])
            for record in domain.get("status", {}).get("dns", {}).get("records") or ():
                if record["type"] == "TXT":
                    self.world.publish(record["name"], record["value"])
                    names.append(record["name"])
        return names

    def secret(self, namespace: str, name: str) -> dict[str, str]:
        """Return a Secret's entries. Raises Refused."""
        found = self.plane.call("GET", f"/api/v1/namespaces/{namespace}/secrets/{name}")
        return {key: base64.b64decode(value).decode() for key, value in found["data"].items()}

    def login(self, namespace: str, credential: str) -> smtplib.SMTP:
        """Open a session at the submission Service as the credential's Secret says. Raises SMTPException, OSError."""
        return self.opener(namespace, credential)()

    def opener(self, namespace: str, credential: str) -> Callable[[], smtplib.SMTP]:
        """Return what opens such sessions, and does not ask the API for it again."""
        binding = self.get("smtpcredentials", namespace, credential)["status"]["binding"]["name"]
        secret = self.secret(namespace, binding)
        trust = ssl.create_default_context(cadata=secret["ca.crt"])

        def opened() -> smtplib.SMTP:
            client = smtplib.SMTP(secret["host"], int(secret["port"]), timeout=60)
            try:
                client.starttls(context=trust)
                client.login(secret["username"], secret["password"])
            except OSError:  # SMTPException is one
                client.close()
                raise
            return client

        return opened

    def send(self, credential: tuple[str, str], sender: str, recipient: str, subject: str) -> str:
        """Send a message as (namespace, credential); return its id. Raises SMTPException."""
        lines = [f"From: {sender}", f"To: {recipient}", f"Subject: {subject}", "", "Hello.", ""]
        with self.login(*credential) as client:
            for code, text in (client.mail(sender), client.rcpt(recipient), client.data("\r\n".join(lines).encode())):
                if code not in {250, 251}:
                    raise smtplib.SMTPResponseException(code, text)
        return text.decode().rpartition(" ")[2]


def _readiness(address: str) -> str:
    """Return what one of our services says of its readiness."""
    try:
        with urllib.request.urlopen(f"http://{address}:{ADMIN_PORT}/readyz", timeout=2) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as refusal:
        return refusal.read().decode()
    except OSError as failure:
        return str(failure)


def _is_true(manifest: dict[str, Any], kind: str) -> bool:
    return condition(manifest, kind).get("status") == "True"
