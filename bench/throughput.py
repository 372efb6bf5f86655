"""Messages a second, latencies, CPU and memory by process, losses and repeats, configuration by configuration.

Each configuration starts a platform of its own, warms it up and prints one JSON line; a table follows. Mail always
comes in with TLS and AUTH, because submission takes none without; `tls` is about the way out. The client and the
receiving host run beside, on the same cores: the rate is theirs too, CPU a message is not.
"""

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from stand import PASSWORD, PEERS, USERNAME, Host, Stand, standing

# A load generator that drives other mail servers as well, where it lies beside the project; else peers.py does it.
HARNESS = Path(os.environ.get("BENCH_HARNESS", Path(__file__).resolve().parents[2] / "shared" / "bench")) / "run.sh"
WARM_UP = 300
ARRIVE_S = 120.0
SERVICES = ("submission", "auth", "spamfilter", "router", "deliverer")
CONSOLE = Console(highlight=False, width=132)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What is measured. `tls` is how mail goes out; `processes` is how many there are of each service."""

    name: str
    size: int = 2048
    dkim: bool = False
    tls: bool = False
    persistent: bool = True  # one connection for a session, not for a message
    processes: int = 1

    @property
    def messages(self) -> int:
        """How many make a run of some seconds."""
        return 5000 if self.persistent and self.size < 10_000 else 1500

    @property
    def sender(self) -> str:
        """The reverse-path: of a declared domain, which is signed for, or of another that the relay may use."""
        return "a@shop.test" if self.dkim else "a@nowhere.test"

    @property
    def by_harness(self) -> bool:
        """Say whether the load generator can: it knows one port, and takes no TLS."""
        return HARNESS.exists() and not self.tls and self.processes == 1


def _of(name: str, size: int) -> tuple[Configuration, ...]:
    plain = Configuration(name, size)
    return (
        plain,
        replace(plain, name=f"{name}-dkim", dkim=True),
        replace(plain, name=f"{name}-tls", tls=True),
        replace(plain, name=f"{name}-each", persistent=False),
        replace(plain, name=f"{name}-two", processes=2),
    )


CONFIGURATIONS = (*_of("2k", 2048), *_of("64k", 65_536))
QUICK = ("2k", "2k-dkim", "2k-each", "64k")


@click.command()
@click.option(
    "--only", multiple=True, type=click.Choice([each.name for each in CONFIGURATIONS]), help="More than one: repeat it."
)
@click.option("--quick", is_flag=True, help=f"Only {', '.join(QUICK)}, with a third of the messages.")
@click.option("--messages", type=int, help="Of one run; by default what takes some seconds.")
@click.option("--sessions", default=64, show_default=True, help="Connections at the same time.")
def main(only: tuple[str, ...], quick: bool, messages: int | None, sessions: int) -> None:  # noqa: FBT001
    """Measure the whole platform."""
    wanted = only or (QUICK if quick else tuple(each.name for each in CONFIGURATIONS))
    runs = []
    for configuration in (each for each in CONFIGURATIONS if each.name in wanted):
        count = messages or configuration.messages // (3 if quick else 1)
        runs.append(asyncio.run(measure(configuration, count, sessions)))
        print(json.dumps(runs[-1]), flush=True)
    show(runs)


async def measure(configuration: Configuration, messages: int, sessions: int) -> dict:
    """Run one configuration; return its figures."""
    drive = by_harness if configuration.by_harness else by_peers
    async with standing(configuration.processes) as stand:
        figures, spent = await drive(stand, configuration, messages, sessions)
        return {
            "configuration": configuration.name,
            "size": configuration.size,
            "dkim": configuration.dkim,
            "tls_out": configuration.tls,
            "persistent": configuration.persistent,
            "processes": configuration.processes,
            "messages": messages,
            "sessions": sessions,
            "client": "loadgen" if configuration.by_harness else "peers.py",
            **{name: round(value, 2) for name, value in figures.items()},
            "cpu_ms": {name: round(value * 1000 / messages, 3) for name, value in spent.items()},
            "cpu_ms_python": round(sum(spent[name] for name in spent if name != "nats-server") * 1000 / messages, 3),
            "rss_mib": stand.rss_mib(),
            "loadavg": round(os.getloadavg()[0], 1),
        }


async def by_harness(
    stand: Stand, configuration: Configuration, messages: int, sessions: int
) -> tuple[dict, dict[str, float]]:
    """Let the load generator send and receive."""
    login = f"-tls -auth-user {USERNAME} -auth-pass {PASSWORD} -from {configuration.sender}"
    way = f"-target 127.0.0.1:{stand.ports[0]} -domain-suffix bench.test -sink 127.0.0.10:{stand.sink_port}"
    clear = stand.platform.ports["smtp"]  # only looked at, whether it greets; mail goes to `-target`
    command = [str(HARNESS), "external", "--port", str(clear), "--sinkport", str(stand.sink_port)]
    command += ["--pids", ",".join(map(str, stand.pids().values())), "--size", str(configuration.size)]
    command += ["--sessions", str(sessions), "--domains", "16", "--warmup", "0", "--timeout", str(int(ARRIVE_S))]
    command += ["--loadgen", f"{login} {way}", *(["--persist"] if configuration.persistent else [])]
    await _output([*command, "--n", str(WARM_UP)])
    before = stand.cpu_s()
    told = json.loads(await _output([*command, "--n", str(messages)]))
    names = {
        "msgs_per_s": "messages_per_s",
        "accept_per_s": "accepted_per_s",
        "accept_ms_p50": "accept_p50_ms",
        "accept_ms_p99": "accept_p99_ms",
        "e2e_ms_p50": "e2e_p50_ms",
        "e2e_ms_p99": "e2e_p99_ms",
        "lost": "lost",
        "dup": "duplicated",
        "fsync_ms": "fsync_ms",
    }
    figures = {ours: told[theirs] for theirs, ours in names.items() if theirs in told}
    return {"lost": 0, "duplicated": 0} | figures, _spent(stand, before)


async def by_peers(
    stand: Stand, configuration: Configuration, messages: int, sessions: int
) -> tuple[dict, dict[str, float]]:
    """Send and receive with peers.py. Seconds run from the first connection to the last arrival."""
    host = Host(stand, with_tls=configuration.tls)
    wanted = {
        "ca": str(stand.platform.place.identity("smtp") / "ca.crt"),
        "ports": stand.ports,
        "username": USERNAME,
        "password": PASSWORD,
        "sender": configuration.sender,
        "size": configuration.size,
        "persistent": configuration.persistent,
        "sessions": sessions,
    }
    try:
        await _sent(wanted | {"messages": WARM_UP})
        await _arrived(host, WARM_UP)
        host.ask("reset")
        before = stand.cpu_s()
        began = asyncio.get_running_loop().time()
        sent = await _sent(wanted | {"messages": messages})
        await _arrived(host, messages)
        seconds = asyncio.get_running_loop().time() - began
        await asyncio.sleep(1)  # records and acks that are still on their way, and what might come twice
        came = host.ask()
    finally:
        host.end()
    lost = messages - came.pop("messages")
    rates = {"messages_per_s": (messages - lost) / seconds, "accepted_per_s": messages / sent.pop("accept_seconds")}
    return {**rates, **sent, **came, "lost": lost}, _spent(stand, before)


async def _sent(wanted: dict) -> dict:
    return dict(json.loads(await _output([sys.executable, PEERS, "client", json.dumps(wanted)])))


async def _arrived(host: Host, count: int) -> None:
    """Wait until the receiving host has so many messages; what has not come by then is lost."""
    end = asyncio.get_running_loop().time() + ARRIVE_S
    while host.ask()["messages"] < count and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110
        await asyncio.sleep(0.02)  # the host is another process


def _spent(stand: Stand, before: dict[str, float]) -> dict[str, float]:
    return {name: seconds - before[name] for name, seconds in stand.cpu_s().items()}


async def _output(command: list[str]) -> str:
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    out, _ = await process.communicate()
    if process.returncode:
        sys.exit(f"{command[0]} failed")
    return out.decode()


def show(runs: list[dict]) -> None:
    """Print a table for people; two processes of a service count together."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("RUN")
    for column in ("MSG/S", "ACCEPT P50/P99 MS", "END TO END", *map(str.upper, SERVICES), "PYTHON", "NATS", "MIB"):
        table.add_column(column, justify="right")
    for run in runs:
        spent = run["cpu_ms"]
        by_service = [sum(value for name, value in spent.items() if name.startswith(each)) for each in SERVICES]
        table.add_row(
            run["configuration"],
            f"{run['messages_per_s']:.0f}",
            f"{run['accept_p50_ms']:.0f}/{run['accept_p99_ms']:.0f}",
            f"{run['e2e_p50_ms']:.0f}/{run['e2e_p99_ms']:.0f}",
            *(f"{value:.2f}" for value in (*by_service, run["cpu_ms_python"], spent["nats-server"])),
            str(sum(run["rss_mib"].values())),
        )
    CONSOLE.print(table)
    lost, duplicated = (sum(run[each] for run in runs) for each in ("lost", "duplicated"))
    CONSOLE.print(f"CPU in ms a message, by service; lost {lost}, duplicated {duplicated}")


if __name__ == "__main__":
    main()
