"""Messages a second and CPU milliseconds a message, by process, on the whole platform of this machine.

Submission with TLS and AUTH over persistent connections; one receiving host in the clear; a queue that syncs
each write. CPU time is read from /proc, so that it stays true on a busy machine. The client and the receiving
host run beside, on the same cores: the rate is theirs too.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from paquebot.auth.password import hash_password
from paquebot.cli.place import Place
from paquebot.cli.platform import Platform, Wanted, World
from paquebot.cli.processes import free_port
from paquebot.policy.manifests import parse
from paquebot.sandbox.internet import Internet

PASSWORD = "benchmark"  # noqa: S105  (of this run alone)
PEERS = str(Path(__file__).with_name("peers.py"))
TICKS = os.sysconf("SC_CLK_TCK")
SITES = 16  # destinations, each a site of its own, as the world has many
CONSOLE = Console(highlight=False)
MANIFESTS = """
{apiVersion: paquebot.dev/v1alpha1, kind: SendingPool, metadata: {name: default, namespace: mail-system},
 spec: {heloHostname: out.bench.test, allowedNamespaces: {names: ["*"]}}}
---
{apiVersion: paquebot.dev/v1alpha1, kind: MailDomain,
 metadata: {name: shop, namespace: shop}, spec: {domain: shop.test}}
---
{apiVersion: paquebot.dev/v1alpha1, kind: SMTPCredential, metadata: {name: relay, namespace: mail-system},
 spec: {anySender: true, poolRef: {name: default}}}
"""
DESTINATION = """---
{{apiVersion: paquebot.dev/v1alpha1, kind: DestinationPolicy, metadata: {{name: sink{number}}},
 spec: {{match: {{domains: [own{number}.test]}}, limits: {{maxConnections: 4, messagesPerConnection: 10000}}}}}}
"""


@click.command()
@click.option("--messages", default=5000, show_default=True)
@click.option("--sessions", default=32, show_default=True)
@click.option("--size", default=2048, show_default=True, help="Octets of a message.")
@click.option("--dkim/--no-dkim", default=None, help="Only with, or only without; both by default.")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def main(messages: int, sessions: int, size: int, dkim: bool | None, output: str) -> None:  # noqa: FBT001
    """Measure the whole platform."""
    runs = [dkim] if dkim is not None else [False, True]
    for signed in runs:
        figures = asyncio.run(measure(messages, sessions, size, "a@shop.test" if signed else "a@nowhere.test"))
        figures["dkim"] = "on" if signed else "off"
        if output == "json":
            print(json.dumps(figures))
        else:
            show(figures)


async def measure(messages: int, sessions: int, size: int, sender: str) -> dict:
    """Run once; return the figures."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        text = MANIFESTS + "".join(DESTINATION.format(number=number) for number in range(SITES))
        objects = [located.object for located in parse(text, "bench.yaml")]
        place.write_hash("mail-system.relay", hash_password(PASSWORD.encode()))
        internet = Internet(own_domains=tuple(f"own{number}.test" for number in range(SITES)))
        await internet.start()
        port = free_port()
        sink = subprocess.Popen(  # noqa: ASYNC220  (asked a few times a second, by plain lines)
            [sys.executable, PEERS, "sink", str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        platform = Platform(place, Wanted(objects, "mail.bench.test", World(str(internet.resolver_address), port)))
        try:
            await platform.start()
            assert sink.stdout is not None  # noqa: S101  (piped)
            sink.stdout.readline()
            return await drive(platform, sink, messages, sessions, {"size": size, "sender": sender})
        finally:
            await platform.stop()
            sink.kill()
            sink.wait()
            await internet.stop()


async def drive(platform: Platform, sink: subprocess.Popen, messages: int, sessions: int, what: dict) -> dict:
    """Warm up, then measure from the first connection to the last arrival."""
    await submit(platform, 300, sessions, what)
    await arrived(sink, 300)
    before = cpu(platform)
    loop = asyncio.get_running_loop()
    began = loop.time()
    client = await submit(platform, messages, sessions, what)
    await arrived(sink, 300 + messages)
    seconds = loop.time() - began
    await asyncio.sleep(1)  # records and acks that are still on their way
    after = cpu(platform)
    spent = {name: (after[name] - before[name]) * 1000 / messages for name in before}
    return {
        **what,
        "messages": messages,
        "sessions": sessions,
        "messages_per_s": messages / seconds,
        "accepted_per_s": messages / client["seconds"],
        "accept_p50_ms": client["p50_ms"],
        "accept_p99_ms": client["p99_ms"],
        "cpu_ms_per_message": spent,
        "cpu_ms_python": sum(value for name, value in spent.items() if name != "nats-server"),
        "loadavg": os.getloadavg()[0],
    }


async def submit(platform: Platform, messages: int, sessions: int, what: dict) -> dict:
    """Run the client once."""
    arguments = {
        "ca": str(platform.place.identity("smtp") / "ca.crt"),
        "port": platform.ports["smtps"],
        "username": "mail-system.relay",
        "password": PASSWORD,
        "messages": messages,
        "sessions": sessions,
        **what,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, PEERS, "client", json.dumps(arguments), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    if process.returncode:
        sys.exit("the client failed")
    return dict(json.loads(out))


async def arrived(sink: subprocess.Popen, count: int) -> None:
    """Wait until the receiving host has taken so many messages."""
    assert sink.stdin is not None  # noqa: S101  (piped)
    assert sink.stdout is not None  # noqa: S101  (piped)
    for _ in range(12_000):
        sink.stdin.write("\n")
        sink.stdin.flush()
        if int(sink.stdout.readline()) >= count:
            return
        await asyncio.sleep(0.01)
    sys.exit("not everything arrived")


def cpu(platform: Platform) -> dict[str, float]:
    """Return user and system seconds by process."""
    pids = {name: service.process.pid for name, service in platform.services.items() if service.process}
    assert platform.nats is not None  # noqa: S101  (started)
    assert platform.nats.process is not None  # noqa: S101  (started)
    pids["nats-server"] = platform.nats.process.pid
    seconds = {}
    for name, pid in pids.items():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        seconds[name] = (int(fields[11]) + int(fields[12])) / TICKS
    return seconds


def show(figures: dict) -> None:
    """Print a table for people."""
    CONSOLE.print(f"\n[bold]{figures['messages']} messages of {figures['size']} octets, DKIM {figures['dkim']}[/]")
    CONSOLE.print(f"{figures['messages_per_s']:.0f} messages/s to the last arrival, load {figures['loadavg']:.1f}")
    CONSOLE.print(f"accept p50 {figures['accept_p50_ms']:.1f} ms, p99 {figures['accept_p99_ms']:.1f} ms")
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("PROCESS")
    table.add_column("CPU ms/message", justify="right")
    for name, value in figures["cpu_ms_per_message"].items():
        table.add_row(name, f"{value:.3f}")
    table.add_row("[bold]Python, all", f"[bold]{figures['cpu_ms_python']:.3f}")
    CONSOLE.print(table)


if __name__ == "__main__":
    main()
