"""`kubectl paquebot` as people run it: a process, with a real API server and a stand-in for port-forwards."""

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import kubectl_stand_in
from kube_plane import Plane

FILES = ("ca.crt", "tls.crt", "tls.key")
ENTRY = "from paquebot.cli.kubectl.command import main; main()"


@dataclass(slots=True)
class Plugin:
    """`ways`: what a port-forward reaches, ports on 127.0.0.1 by resource."""

    plane: Plane
    namespace: str
    folder: Path
    ways: dict[str, int] = field(default_factory=dict)

    @property
    def opened(self) -> list[tuple[int, int]]:
        """Return process and port of every port-forward there was."""
        path = self.folder / "opened"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(int(process), int(port)) for process, port in map(str.split, lines)]

    @property
    def scratch(self) -> Path:
        """Return where temporary files go."""
        return self.folder / "tmp"

    def start(self, *words: str, persona: str = "admin") -> "subprocess.Popen[str]":
        kubectl_stand_in.install(self.folder / "bin")
        self.scratch.mkdir(exist_ok=True)
        environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")} | {
            "PATH": str(self.folder / "bin"),
            "REAL_KUBECTL": shutil.which("kubectl") or "",
            "RELAY_TO": json.dumps(self.ways),
            "OPENED": str(self.folder / "opened"),
            "TMPDIR": str(self.scratch),
        }
        where = [f"--kubeconfig={self.plane.kubeconfig(persona)}", f"--namespace={self.namespace}"]
        return subprocess.Popen(
            [sys.executable, "-c", ENTRY, *where, *words],
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *words: str, persona: str = "admin") -> tuple[int, str]:
        """Return the exit code and all that was printed."""
        process = self.start(*words, persona=persona)
        out, complaints = process.communicate(timeout=60)
        return process.returncode, out + complaints

    def give_secret(self, name: str, files: Mapping[str, bytes]) -> None:
        """Put a Secret into the namespace."""
        encoded = {key: base64.b64encode(content).decode() for key, content in files.items()}
        metadata = {"name": name, "namespace": self.namespace}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": encoded}
        self.plane.apply(f"/api/v1/namespaces/{self.namespace}/secrets/{name}", secret)

    def give_identity(self, folder: Path) -> None:
        """Put the admin's identity where the platform keeps it."""
        self.give_secret("paquebot-admin-identity", {name: (folder / name).read_bytes() for name in FILES})

    def give_pod(self, name: str, grpc_port: int) -> None:
        """Put a deliverer's pod there, which says that it runs on 127.0.0.1."""
        at = f"/api/v1/namespaces/{self.namespace}"
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
        self.plane.apply(f"{at}/serviceaccounts/default", account)
        labels = {"app.kubernetes.io/part-of": "paquebot", "app.kubernetes.io/component": "deliverer"}
        ports = [{"name": "grpc", "containerPort": grpc_port}]
        container = {"name": "deliverer", "image": "paquebot:test", "ports": ports}
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": labels},
            "spec": {"containers": [container], "automountServiceAccountToken": False},
        }
        self.plane.apply(f"{at}/pods/{name}", pod)
        status = {"phase": "Running", "podIP": "127.0.0.1", "podIPs": [{"ip": "127.0.0.1"}]}
        bare = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "status": status}
        self.plane.apply(f"{at}/pods/{name}/status", bare)
