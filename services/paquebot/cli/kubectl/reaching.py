"""A place on this machine that stands for a platform in a cluster, for as long as one command runs."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import click

from paquebot.cli.kubectl.cluster import Cluster, Pod
from paquebot.cli.kubectl.forward import forwarded
from paquebot.cli.place import Place, Running
from paquebot.runtime.files import write_private
from paquebot.runtime.tls import FILES

NATS = "paquebot-nats"
NATS_PORT = 4222
ADMIN_SECRET = "paquebot-admin-identity"  # noqa: S105  (a Secret's name)
SUPPRESSION_SECRET = "paquebot-suppression"  # noqa: S105  (the same)
SUPPRESSION_KEY = "suppression.key"
DELIVERERS_MAX = 32  # a process for each; the others are told of by NATS, without their live state


class Need(Enum):
    """What a command needs besides the queue."""

    DELIVERERS = "their live state"
    SUPPRESSION_KEY = "the key of the hashes on SuppressionLists"


@contextlib.contextmanager
def reached(cluster: Cluster, needs: frozenset[Need]) -> Iterator[Place]:
    """Make the place: keys in a private folder, and ways to the processes. All of it is taken away at the end."""
    with tempfile.TemporaryDirectory(prefix="paquebot-") as folder, contextlib.ExitStack() as open_ways:
        place = Place(Path(folder))
        _keep(place.identity("admin"), cluster.secret(ADMIN_SECRET, FILES))
        if Need.SUPPRESSION_KEY in needs:
            _keep(place.root, cluster.secret(SUPPRESSION_SECRET, [SUPPRESSION_KEY]))
        pods = _asked(cluster.deliverers()) if Need.DELIVERERS in needs else []
        nats_url, deliverers = open_ways.enter_context(_addresses(cluster, pods))
        place.announce(
            Running(
                pid=os.getpid(),
                nats_url=nats_url,
                smtps_port=0,
                smtp_port=0,
                hostname="",
                metrics={},
                deliverers=deliverers,
            )
        )
        yield place


@contextlib.contextmanager
def _addresses(cluster: Cluster, pods: list[Pod]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the queue's URL and the deliverers' addresses, by ways that are open."""
    if cluster.direct:
        nats_url = cluster.nats_url or f"tls://{NATS}.{cluster.kubectl.namespace}.svc:{NATS_PORT}"
        yield nats_url, {pod.name: _host_port(pod.address, pod.grpc_port) for pod in pods}
        return
    to_nats = [] if cluster.nats_url else [(f"service/{NATS}", NATS_PORT)]
    to_pods = [(f"pod/{pod.name}", pod.grpc_port) for pod in pods]
    with forwarded(cluster.kubectl, [*to_nats, *to_pods]) as opened:
        nats_url = cluster.nats_url or _nats_here(opened[0])
        yield nats_url, _pods_here(pods, opened[len(to_nats) :])


def _nats_here(opened: int | str) -> str:
    """Return the queue's URL on this machine; end the command where there is no way to it."""
    if isinstance(opened, str):
        raise click.ClickException(opened)
    return f"tls://127.0.0.1:{opened}"


def _pods_here(pods: list[Pod], opened: list[int | str]) -> dict[str, str]:
    """Return the deliverers' addresses on this machine. One that has gone meanwhile is told, and stops nothing."""
    for refused in opened:
        if isinstance(refused, str):
            click.echo(refused, err=True)
    ports = zip(pods, opened, strict=True)
    return {pod.name: f"127.0.0.1:{port}" for pod, port in ports if isinstance(port, int)}


def _asked(pods: list[Pod]) -> list[Pod]:
    if len(pods) > DELIVERERS_MAX:
        click.echo(f"{len(pods)} deliverers run; only {DELIVERERS_MAX} are asked for their live state", err=True)
    return pods[:DELIVERERS_MAX]


def _host_port(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _keep(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, content in files.items():
        write_private(folder / name, content)
