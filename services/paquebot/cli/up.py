"""`paquebot up`: the whole platform on this machine, from the same manifests as in a cluster."""

import asyncio
import contextlib
import signal
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from paquebot.cli.arrivals import Arrivals
from paquebot.cli.dkim import all_records
from paquebot.cli.manifests import compile_files
from paquebot.cli.place import STATE_OPTION, Place
from paquebot.cli.platform import Platform, Wanted, World
from paquebot.cli.sandbox import SCRIPT_OPTION, announce
from paquebot.cli.screen import CONSOLE
from paquebot.cli.watching import Stamps, Watching, stamps
from paquebot.policy.values import Policy
from paquebot.sandbox.cast import Cast
from paquebot.sandbox.internet import Internet
from paquebot.sandbox.script import PATIENCE


@click.command()
@click.option("-f", "paths", type=click.Path(exists=True, path_type=Path), multiple=True, required=True)
@click.option("--sandbox", is_flag=True, help="Deliver to a small internet on loopback, not to the world.")
@SCRIPT_OPTION
@click.option("--hostname", default="localhost", show_default=True, help="The name we greet with.")
@click.option("--smtps-port", default=2465, show_default=True, help="SMTP with implicit TLS; 0: any free port.")
@click.option("--smtp-port", default=2587, show_default=True, help="SMTP with STARTTLS; 0: any free port.")
@click.option("--replicas", default=1, show_default=True, help="Deliverers of each pool.")
@STATE_OPTION
def up(  # noqa: PLR0913, PLR0917  (one argument an option)
    paths: tuple[Path, ...],
    sandbox: bool,  # noqa: FBT001  (click passes flags so)
    script: Cast | None,
    hostname: str,
    smtps_port: int,
    smtp_port: int,
    replicas: int,
    place: Place,
) -> None:
    """Run nats-server and the five services from manifests until Ctrl-C.

    Changes of the manifests are applied while it runs; SIGHUP has them looked at now.
    """
    if script is not None and not sandbox:
        raise click.UsageError("--script is for the sandbox: add --sandbox")
    seen = stamps(paths)
    located, policy, faults = compile_files(paths)
    if faults:
        for fault in faults:
            click.echo(fault, err=True)
        sys.exit(1)
    if place.running() is not None:
        raise click.ClickException(f"a platform already runs from {place.root}: stop it, or give another --state")
    wanted = Wanted([item.object for item in located], hostname, None, replicas, smtp_port, smtps_port)
    try:
        asyncio.run(_serve(place, wanted, _internet_for(place, policy, script) if sandbox else None, (paths, seen)))
    except RuntimeError as failure:
        raise click.ClickException(str(failure)) from failure


def _internet_for(place: Place, policy: Policy, script: Cast | None) -> Internet:
    """Return the sandbox; it also answers for the manifests' own domains and their DKIM records."""
    return Internet(
        own_domains=tuple(policy.domains),
        txt_of=lambda: all_records(place),
        scripted=script or Cast(patience=PATIENCE),
        folder=place.received,
        on_received=Arrivals(partial(CONSOLE.print, markup=False, style="dim")).heard,
    )


async def _serve(
    place: Place, wanted: Wanted, internet: Internet | None, files: tuple[tuple[Path, ...], Stamps]
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if internet is not None:
        await internet.start()
        announce(place, internet)
        wanted = replace(wanted, world=World(str(internet.resolver_address), internet.mx_port, internet.cast.patience))
    say = partial(CONSOLE.print, markup=False)
    platform = Platform(place, wanted, say)
    watching = Watching(files[0], platform, say, files[1])
    if internet is not None:
        watching.applied = lambda policy: internet.receive_for(policy.domains)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, watching.now.set)
    try:
        await platform.start()
        _greet(platform, internet)
        watch = asyncio.create_task(watching.run())
        watch.add_done_callback(lambda _ended: stop.set())  # it ends by itself only when it breaks
        await stop.wait()
        CONSOLE.print("draining ...")
        watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watch
    finally:
        await platform.stop()
        if internet is not None:
            await internet.stop()


def _greet(platform: Platform, internet: Internet | None) -> None:
    running = platform.running()
    CONSOLE.print(
        f"\n[bold]Paquebot is up[/]: SMTP with TLS on {running.smtps_port}, with STARTTLS on {running.smtp_port}"
    )
    unknown = sorted(platform.policy.credentials.keys() - platform.place.read_hashes().keys())
    for username in unknown:
        CONSOLE.print(f"  {username} has no password yet: [bold]paquebot credential set {username}[/]")
    if internet is not None:
        CONSOLE.print("The sandbox receives, and nothing leaves this machine:")
        for domain, about in internet.abouts.items():
            CONSOLE.print(f"  {domain:24} {about}", markup=False)
        CONSOLE.print("`paquebot sandbox list` shows what it has, `sandbox verify` checks it.")
    CONSOLE.print("Ctrl-C drains and stops.")
