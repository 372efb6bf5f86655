"""A real Kubernetes control plane on loopback: etcd and kube-apiserver, and the controllers where a test needs them."""

import contextlib
import ctypes
import json
import os
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from paquebot.runtime.authority import create_authority, issue
from queue_fixtures import free_port

READY_MAX_S = 150.0
CONNECTIONS_MAX = 5
PR_SET_PDEATHSIG = 1
NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kube-apiserver")


def account(namespace: str, name: str) -> tuple[str, tuple[str, ...]]:
    """Return user and groups of a ServiceAccount, for `personas`."""
    return f"system:serviceaccount:{namespace}:{name}", (
        "system:serviceaccounts",
        f"system:serviceaccounts:{namespace}",
        "system:authenticated",
    )


ADMIN = ("admin", ("system:masters",))


class Refused(Exception):  # noqa: N818  (says what the server did)
    """The API server's answer other than 2xx: its code and its Status object."""

    def __init__(self, code: int, status: Mapping[str, Any]) -> None:
        super().__init__(f"{code}: {status.get('message', status)}")
        self.code = code
        self.status = status
        self.message = str(status.get("message", ""))


@dataclass(slots=True)
class Plane:
    """The processes, and how to speak to them as each of the personas: the user's name is the token."""

    assets: Path
    root: Path
    personas: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=lambda: {"admin": ADMIN})
    port: int = 0
    etcd_port: int = 0
    children: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca(self) -> Path:
        return self.root / "authority" / "ca.crt"

    def start(self) -> None:
        """Start etcd and the API server; return when it says it is ready."""
        self.port, self.etcd_port, peer = free_port(), free_port(), free_port()
        self._make_identity()
        etcd, peers = f"http://127.0.0.1:{self.etcd_port}", f"http://127.0.0.1:{peer}"
        self.spawn(
            "etcd",
            [
                f"--data-dir={self.root / 'etcd'}",
                f"--listen-client-urls={etcd}",
                f"--advertise-client-urls={etcd}",
                f"--listen-peer-urls={peers}",
                f"--initial-advertise-peer-urls={peers}",
                f"--initial-cluster=default={peers}",
                "--unsafe-no-fsync",
                "--log-level=warn",
            ],
        )
        self.start_server()

    def start_server(self) -> None:
        """Start the API server alone, again on the same port after it was killed."""
        self.spawn("kube-apiserver", self._server_flags())
        self.wait_ready()

    def start_controllers(self) -> None:
        """Start controller manager and scheduler: garbage collection, Deployments, namespaces, disruption budgets."""
        config = str(self.kubeconfig("admin"))
        same = [f"--kubeconfig={config}", f"--authentication-kubeconfig={config}"]
        same += [f"--authorization-kubeconfig={config}", "--bind-address=127.0.0.1", "--leader-elect=false"]
        authority = self.root / "authority"
        self.spawn(
            "kube-controller-manager",
            [
                *same,
                f"--secure-port={free_port()}",
                f"--service-account-private-key-file={self.root / 'sa.key'}",
                f"--root-ca-file={self.ca}",
                f"--cluster-signing-cert-file={self.ca}",
                f"--cluster-signing-key-file={authority / 'ca.key'}",
                "--use-service-account-credentials=false",
                "--node-monitor-grace-period=1h",
                "--namespace-sync-period=5s",
                "--controllers=*,-node-ipam-controller",
                "--horizontal-pod-autoscaler-sync-period=1s",
            ],
        )
        self.spawn("kube-scheduler", [*same, "--secure-port=0"])

    def stop(self) -> None:
        """End everything; etcd last, or the API server would wait for it."""
        for name in ("kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd"):
            self.kill(name)

    def kill(self, name: str) -> None:
        """Kill one process, if it runs."""
        child = self.children.pop(name, None)
        if child is not None:
            child.kill()
            child.wait()

    def spawn(self, name: str, flags: list[str]) -> None:
        """Start one of the programs, its log in `<name>.log`; it dies with us, whatever happens."""
        clean = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        with (self.root / f"{name}.log").open("ab") as log:
            self.children[name] = subprocess.Popen(
                [str(self.assets / name), *flags],
                stdout=log,
                stderr=log,
                env=clean,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  (no thread of ours forks)
            )

    def wait_ready(self) -> None:
        """Return when /readyz says ok; raise with the end of the log when it does not in time."""
        deadline = time.monotonic() + READY_MAX_S
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, Refused, ValueError):
                self.call("GET", "/readyz", raw=True)
                return
            if self.children["kube-apiserver"].poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError("the API server is not ready: " + (self.root / "kube-apiserver.log").read_text()[-2000:])

    def call(self, method: str, path: str, body: object = None, **how: Any) -> Any:
        """Ask the API server; `how`: persona ("admin"), content_type, raw. Raises Refused."""
        content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, content, method=method)  # noqa: S310  (our own https)
        request.add_header("Authorization", f"Bearer {how.get('persona', 'admin')}")
        request.add_header("Content-Type", how.get("content_type", "application/json"))
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(self.ca))),
        )
        read = _answered(opener, request)
        return read if how.get("raw") else json.loads(read)

    def apply(self, path: str, manifest: Mapping[str, Any], **how: Any) -> Any:
        """Apply an object at its path, strictly; `how` as in `call`, and dry_run."""
        dry = "&dryRun=All" if how.pop("dry_run", False) else ""
        query = f"?fieldManager=test&force=true&fieldValidation=Strict{dry}"
        kind = "application/apply-patch+yaml"
        return self.call("PATCH", path + query, manifest, content_type=kind, **how)

    def kubeconfig(self, persona: str) -> Path:
        """Return a kubeconfig that speaks as the persona."""
        path = self.root / f"{persona}.kubeconfig"
        cluster = {"server": self.url, "certificate-authority": str(self.ca)}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "test", "user": {"token": persona}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        }
        path.write_text(json.dumps(config))
        path.chmod(0o600)
        return path

    def kubectl(self, *arguments: str, persona: str = "admin", text: str | None = None) -> str:
        """Run kubectl and return what it printed; raise RuntimeError with its complaint."""
        command = ["kubectl", f"--kubeconfig={self.kubeconfig(persona)}", *arguments]
        clean = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        done = subprocess.run(command, input=text, capture_output=True, text=True, env=clean, timeout=120, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)}: {done.stderr}{done.stdout}")
        return done.stdout

    def _make_identity(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        create_authority(self.root / "authority")
        issue(self.root / "authority", "kube-apiserver", self.root / "server", NAMES)
        key = ec.generate_private_key(ec.SECP256R1())
        pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
        (self.root / "sa.key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
        public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
        (self.root / "sa.pub").write_bytes(public)
        lines = [f'{token},{user},{token},"{",".join(groups)}"' for token, (user, groups) in self.personas.items()]
        (self.root / "tokens.csv").write_text("\n".join(lines) + "\n")

    def _server_flags(self) -> list[str]:
        server = self.root / "server"
        return [
            f"--etcd-servers=http://127.0.0.1:{self.etcd_port}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={self.port}",
            f"--tls-cert-file={server / 'tls.crt'}",
            f"--tls-private-key-file={server / 'tls.key'}",
            f"--client-ca-file={self.ca}",
            f"--token-auth-file={self.root / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--allow-privileged=true",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self.root / 'sa.pub'}",
            f"--service-account-signing-key-file={self.root / 'sa.key'}",
            "--endpoint-reconciler-type=none",
            "--profiling=false",
        ]


def _answered(opener: urllib.request.OpenerDirector, request: urllib.request.Request) -> bytes:
    """Return the answer's body; a connection that breaks is tried again, since a server may just have come back."""
    for attempt in range(CONNECTIONS_MAX):
        try:
            with opener.open(request, timeout=30) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as refusal:
            text = refusal.read()
            with contextlib.suppress(ValueError):
                raise Refused(refusal.code, json.loads(text)) from None
            raise Refused(refusal.code, {"message": text.decode(errors="replace")}) from None
        except OSError:
            if attempt == CONNECTIONS_MAX - 1:
                raise
            time.sleep(0.2)
    raise AssertionError("unreachable")


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
