"""`paquebot sandbox`: the small internet alone, and what any sandbox has received."""

import asyncio
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from paquebot.cli.arrivals import Arrivals, size
from paquebot.cli.place import OUTPUT_OPTION, STATE_OPTION, Place
from paquebot.cli.queue import clock
from paquebot.cli.received import Checked, check_all
from paquebot.cli.screen import CONSOLE, show_table
from paquebot.runtime.settings import Address
from paquebot.sandbox.cast import Cast
from paquebot.sandbox.inbox import Inbox, Letter
from paquebot.sandbox.internet import Internet
from paquebot.sandbox.script import ScriptFaults, read_script

LOCATION = "sandbox.json"


def _script(_context: click.Context, _parameter: click.Parameter, path: Path | None) -> Cast | None:
    """Read a script; end the command with all its faults."""
    if path is None:
        return None
    try:
        return read_script(path.read_text(), str(path))
    except ScriptFaults as faults:
        for line in faults.lines:
            click.echo(line, err=True)
        sys.exit(1)
    except (OSError, UnicodeDecodeError) as failure:
        raise click.ClickException(f"{path} cannot be read: {failure}") from failure


SCRIPT_OPTION = click.option(
    "--script",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    callback=_script,
    help="A YAML that adds domains and hosts to the sandbox, as examples/sandbox/internet.yaml.",
)


@click.group(invoke_without_command=True)
@click.option("--dns-port", default=5355, show_default=True)
@click.option("--mx-port", default=2525, show_default=True)
@SCRIPT_OPTION
@STATE_OPTION
@click.pass_context
def sandbox(context: click.Context, dns_port: int, mx_port: int, script: Cast | None, place: Place) -> None:
    """Run a DNS server and MX hosts of every manner on loopback until Ctrl-C; or see what a sandbox has."""
    if context.invoked_subcommand is not None:
        return
    if place.running() is not None:
        raise click.ClickException(f"a platform runs from {place.root}: give another --state")
    internet = Internet(
        dns_port=dns_port,
        mx_port=mx_port,
        scripted=script,
        folder=place.received,
        on_received=Arrivals(partial(CONSOLE.print, markup=False)).heard,
    )
    with asyncio.Runner() as runner:
        try:
            runner.run(_serve(internet, place))
        except KeyboardInterrupt:
            click.echo("the sandbox is gone")
        except OSError as failure:
            raise click.ClickException(f"the sandbox cannot listen: {failure}") from failure


@sandbox.command("list")
@click.option("--domain", help="Only what came for this domain.")
@OUTPUT_OPTION
@STATE_OPTION
def list_(domain: str | None, output: str, place: Place) -> None:
    """List what a sandbox has received, in order of arrival."""
    found = [each for each in Inbox(place.received).letters() if domain in {None, *_domains(each)}]
    if output == "json":
        click.echo(json.dumps([_as_values(each) for each in found], indent=2))
        return
    show_table(
        ("N", "WHEN", "HOST", "TLS", "SIZE", "FROM", "TO"),
        [
            (
                str(each.number),
                clock(int(each.received.time_s * 1000)),
                each.received.host,
                "yes" if each.received.tls else "no",
                size(len(each.received.content)),
                each.received.envelope.reverse_path or "<>",
                ", ".join(each.received.envelope.recipients),
            )
            for each in found
        ],
    )
    CONSOLE.print(f"{len(found)} received")


@sandbox.command()
@click.argument("number", type=int)
@OUTPUT_OPTION
@STATE_OPTION
def show(number: int, output: str, place: Place) -> None:
    """Show one message: its envelope, and its content as it came."""
    found = Inbox(place.received).letter(number)
    if found is None:
        raise click.ClickException(f"nothing received has the number {number}: see `paquebot sandbox list`")
    values = _as_values(found)
    if output == "json":
        click.echo(json.dumps(values | {"content": found.received.content.decode("utf-8", "replace")}, indent=2))
        return
    for key, value in values.items():
        CONSOLE.print(f"[bold]{key:>12}[/]  ", end="")
        CONSOLE.print(value, markup=False, soft_wrap=True)
    click.echo()
    click.echo(found.received.content.decode("utf-8", "replace").replace("\r\n", "\n"), nl=False)


@sandbox.command()
@OUTPUT_OPTION
@STATE_OPTION
def verify(output: str, place: Place) -> None:
    """Check what a running sandbox has, by domain: DKIM with dkimpy, form, and what came twice.

    Exit 1 when a signature is bad or a content is malformed. What came twice after a silent final dot had to.
    """
    rows = _checked(place)
    if output == "json":
        click.echo(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        show_table(
            ("DOMAIN", "MESSAGES", "RECIPIENTS", "TLS", "DKIM GOOD", "BAD", "NONE", "MALFORMED", "TWICE"),
            [(row.domain, *(str(number) for number in row.numbers)) for row in rows],
        )
        good = not any(row.is_bad for row in rows)
        CONSOLE.print("[bold green]all good[/]" if good else "[bold red]not all good[/]")
    sys.exit(1 if any(row.is_bad for row in rows) else 0)


def announce(place: Place, internet: Internet) -> None:
    """Tell the other commands where a sandbox answers DNS questions."""
    (place.received / LOCATION).write_text(json.dumps(asdict(Location(str(internet.resolver_address)))))


@dataclass(frozen=True, slots=True)
class Location:
    """Where a sandbox can be asked."""

    resolver: str


async def _serve(internet: Internet, place: Place) -> None:
    await internet.start()
    announce(place, internet)
    click.echo(f"DNS at {internet.resolver_address}, MX hosts on port {internet.mx_port}:")
    for domain, about in internet.abouts.items():
        click.echo(f"  {domain:24} {about}")
    try:
        await asyncio.Event().wait()
    finally:
        await internet.stop()


def _checked(place: Place) -> list[Checked]:
    path = place.received / LOCATION
    if not path.exists():
        raise click.ClickException(f"no sandbox has run from {place.root}: `paquebot up --sandbox` starts one")
    resolver = Address.parse(Location(**json.loads(path.read_text())).resolver)
    try:
        return check_all((each.received for each in Inbox(place.received).letters()), resolver)
    except ModuleNotFoundError as missing:
        cure = "pip install 'paquebot[sandbox]' brings it"
        raise click.ClickException(f"signatures are checked with dkimpy, which is not installed: {cure}") from missing


def _domains(letter: Letter) -> Iterator[str]:
    return (recipient.rpartition("@")[2] for recipient in letter.received.envelope.recipients)


def _as_values(letter: Letter) -> dict[str, Any]:
    received = letter.received
    return {
        "number": letter.number,
        "when": clock(int(received.time_s * 1000)),
        "host": received.host,
        "client": received.client,
        "hello": received.hello_name,
        "tls": received.tls,
        "from": received.envelope.reverse_path,
        "recipients": list(received.envelope.recipients),
        "size_bytes": len(received.content),
        "file": str(letter.path),
    }
