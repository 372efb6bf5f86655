"""`kubectl paquebot`: the same commands, run against a place that stands for the platform in a cluster.

kubectl runs what is called `kubectl-paquebot` on PATH. Nothing is asked of the cluster before a command runs, so
help costs nothing; what was opened for it is closed when it ends.
"""

import contextlib
import copy
import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import click

from paquebot.cli.kubectl.cluster import Cluster, Kubectl
from paquebot.cli.kubectl.reaching import Need, reached
from paquebot.cli.lazy import LazyGroup
from paquebot.cli.main import COMMANDS
from paquebot.queue.jetstream import QueueUnavailableError

# Not `up`, `demo`, `sandbox`, `send`, `check`, `credential`, `dkim`, `smarthost`: they are about one machine.
NEEDS: dict[str, frozenset[Need]] = {
    "explain": frozenset({Need.DELIVERERS}),
    "orders": frozenset(),
    "queue": frozenset(),
    "resume": frozenset(),
    "spam": frozenset(),
    "suppression": frozenset({Need.SUPPRESSION_KEY}),
    "suspend": frozenset(),
    "top": frozenset({Need.DELIVERERS}),
    "trace": frozenset(),
}
SIGNALS = (signal.SIGTERM, signal.SIGHUP)  # told to end; the terminal is gone
ENDED_BY = 128  # and the number of the signal: how shells tell it


class ClusterGroup(LazyGroup):
    """The commands of the table above, without the option that names a state directory."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command that reaches the cluster when it runs, or None for an unknown name."""
        command = super().get_command(ctx, cmd_name)
        return None if command is None else at_cluster(command, NEEDS[cmd_name])


@click.group(
    cls=ClusterGroup,
    places={name: COMMANDS[name] for name in NEEDS},
    name="kubectl paquebot",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("-n", "--namespace", default="mail-system", show_default=True, help="The platform's namespace.")
@click.option("--context", default="", help="The context of the kubeconfig.")
@click.option("--kubeconfig", default="", help="Another kubeconfig than kubectl's own.")
@click.option("--direct", is_flag=True, help="Use addresses of the cluster instead of port-forwards, as in a pod.")
@click.option(
    "--nats-url",
    default="",
    help="Where NATS is, when it is not the Service paquebot-nats: tls://nats.example:4222.",
)
@click.version_option(package_name="paquebot")
@click.pass_context
def main(ctx: click.Context, /, **options: Any) -> None:
    """Ask and steer the Paquebot of a cluster. Where a text says `paquebot`, this is `kubectl paquebot`."""
    flags = [f"--{name}={options[name]}" for name in ("context", "kubeconfig") if options[name]]
    kubectl = Kubectl(options["namespace"], tuple(flags))
    ctx.obj = Cluster(kubectl, direct=options["direct"], nats_url=options["nats_url"])


def at_cluster(command: click.Command, needs: frozenset[Need]) -> click.Command:
    """Return the command, or group of commands, with its place taken from the cluster."""
    adapted = copy.copy(command)
    if isinstance(adapted, LazyGroup):
        asked = {name: adapted.found(name) for name in adapted.places}
        about = {name: each for name, each in asked.items() if any(one.name == "place" for one in each.params)}
        return click.Group(
            adapted.name, {name: at_cluster(each, needs) for name, each in about.items()}, help=adapted.help
        )
    if isinstance(adapted, click.Group):
        adapted.commands = {name: at_cluster(each, needs) for name, each in adapted.commands.items()}
        return adapted
    assert command.callback is not None  # noqa: S101  (all of ours have one)
    adapted.params = [each for each in command.params if each.name != "place"]
    adapted.callback = _reaching(command.callback, needs)
    return adapted


def _reaching(work: Callable[..., Any], needs: frozenset[Need]) -> Callable[..., Any]:
    def reach_and_work(**values: Any) -> Any:
        cluster = click.get_current_context().find_object(Cluster)
        assert cluster is not None  # noqa: S101  (main made it)
        with _ended_in_order(), reached(cluster, needs) as place:
            try:
                return work(**values, place=place)
            except QueueUnavailableError as error:
                raise click.ClickException(f"the queue does not answer: {error}") from error

    return reach_and_work


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let signals end the command as Ctrl-C does: what was opened is closed, and keys are taken away."""

    def end(number: int, frame: FrameType | None) -> None:
        del frame
        raise SystemExit(ENDED_BY + number)

    heeded = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]  # nohup ignores one
    before = {number: signal.signal(number, end) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
