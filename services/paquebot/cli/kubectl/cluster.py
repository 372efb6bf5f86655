"""What is asked of a cluster, through kubectl: it knows how to log in, and we need not."""

import base64
import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

ASK_MAX_S = 30
ABSENT = "there is no Secret {name} in namespace {namespace}: is a platform there? `--namespace` names another"
FORBIDDEN = (
    "you may not read Secret {name} in namespace {namespace}, and who may rules the queue: "
    "docs/platform-team.md has the Role for people who operate the platform"
)


@dataclass(frozen=True, slots=True)
class Kubectl:
    """How kubectl is called: the platform's namespace, and options that choose cluster and user."""

    namespace: str
    flags: tuple[str, ...] = ()

    def command(self, *words: str) -> list[str]:
        """Return a command line; end the command when there is no kubectl."""
        program = shutil.which("kubectl")
        if program is None:
            raise click.ClickException("there is no kubectl on PATH: install it, or name its folder in PATH")
        return [program, *self.flags, f"--namespace={self.namespace}", *words]

    def get(self, *words: str) -> Any:
        """Return what `kubectl get … -o json` prints; raise KubectlError with its complaint."""
        command = self.command("get", *words, "--output=json", f"--request-timeout={ASK_MAX_S}s")
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  (the user's own)
        if done.returncode:
            raise KubectlError(done.stderr.strip() or f"kubectl ended with {done.returncode}")
        return json.loads(done.stdout)


class KubectlError(click.ClickException):
    """What kubectl complains of, as it says it."""


@dataclass(frozen=True, slots=True)
class Pod:
    """A deliverer's pod: where its gRPC is."""

    name: str
    address: str
    grpc_port: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """A platform in a cluster. `direct`: its addresses can be reached from here; `nats_url`: "" for its Service."""

    kubectl: Kubectl
    direct: bool = False
    nats_url: str = ""

    def secret(self, name: str, entries: Sequence[str]) -> dict[str, bytes]:
        """Return entries of a Secret; end the command, with what to do, when they cannot be had."""
        try:
            found = self.kubectl.get("secret", name)
        except KubectlError as error:
            raise _explained(error, name, self.kubectl.namespace) from error
        data = found.get("data") or {}
        missing = [entry for entry in entries if entry not in data]
        if missing:
            raise click.ClickException(f"Secret {self.kubectl.namespace}/{name} has no {', '.join(missing)}")
        return {entry: base64.b64decode(data[entry]) for entry in entries}

    def deliverers(self) -> list[Pod]:
        """Return the pods of deliverers that run, of all pools."""
        labels = "app.kubernetes.io/part-of=paquebot,app.kubernetes.io/component=deliverer"
        found = self.kubectl.get("pods", f"--selector={labels}", "--field-selector=status.phase=Running")
        return [pod for pod in map(_pod, found["items"]) if pod is not None]


def _pod(entry: Mapping[str, Any]) -> Pod | None:
    """Read a pod; None when its gRPC is nowhere."""
    ports = [
        port["containerPort"]
        for container in entry["spec"]["containers"]
        for port in container.get("ports") or ()
        if port.get("name") == "grpc"
    ]
    address = (entry.get("status") or {}).get("podIP", "")
    return Pod(entry["metadata"]["name"], address, ports[0]) if ports and address else None


def _explained(error: KubectlError, name: str, namespace: str) -> click.ClickException:
    for mark, text in (("(NotFound)", ABSENT), ("(Forbidden)", FORBIDDEN)):
        if mark in error.message:
            return click.ClickException(text.format(name=name, namespace=namespace))
    return error
