"""A long queue, and what it costs: memory, restarts, looks, and other mail beside it; an empty platform by turns.

The queue is filled by what the deliverer itself uses to put mail back (bench/soak_fill.py), into a server that syncs
lazily; then that server is stopped in order, and the platform starts on its store with `sync_interval: always`.
"""

import asyncio
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import uvloop
from rich.console import Console
from rich.table import Table
from soak_dns import serve
from soak_fill import Filling, domain, fill
from soak_mail import OWN, SINK, Probe, Sink
from stand import MANIFESTS as MANIFESTS_OF_STAND
from usage import cpu_s, rss_mib

from paquebot.auth.password import hash_password
from paquebot.cli.place import Place
from paquebot.cli.platform import Platform, Wanted, World
from paquebot.cli.processes import free_port
from paquebot.policy.compile import compile_policy
from paquebot.policy.manifests import parse
from paquebot.queue.backlog import backlog
from paquebot.queue.depth import depth
from paquebot.queue.jetstream import JetStream
from paquebot.queue.provision import provision
from paquebot.queue.server import NatsServer, find_nats_server
from paquebot.queue.users import ServerPlace

POOL = "mail-system_default"
PASSWORD = "soak"  # noqa: S105  (of this run alone)
HOUR_MS = 3_600_000
STORAGE_BYTES = 64 << 30
CONSOLE = Console(highlight=False)
MANIFESTS = MANIFESTS_OF_STAND + "".join(
    f"---\n{{apiVersion: paquebot.dev/v1alpha1, kind: DestinationPolicy, metadata: {{name: {name}}},\n"
    f" spec: {{match: {{domains: [{name}.test]}}}}}}\n"
    for name in OWN
)


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of everything."""

    messages: int
    domains: int
    size_bytes: int
    fire: int
    deliverers: int
    rounds: int
    probes: int
    per_s: float


@dataclass(slots=True)
class Bench:
    """A run: the world, two platforms in it, and what was measured."""

    scale: Scale
    root: Path
    sink: Sink
    world: World
    figures: dict[str, Any] = field(default_factory=dict)

    def tell(self, name: str, value: Any) -> None:
        """Keep a figure, and show at once that there is one."""
        self.figures[name] = value
        click.echo(f"{name}: {value}", err=True)

    def platform(self, name: str) -> Platform:
        """Return a platform that is not started yet."""
        place = Place(self.root / name)
        place.write_hash("mail-system.relay", hash_password(PASSWORD.encode()))
        objects = [located.object for located in parse(MANIFESTS, "soak.yaml")]
        return Platform(
            place,
            Wanted(objects, "mail.bench.test", self.world, self.scale.deliverers, storage_max_bytes=STORAGE_BYTES),
        )

    def probe(self, platform: Platform, name: str) -> Probe:
        """Return a sender of other mail to a platform."""
        authority = platform.place.identity("smtp") / "ca.crt"
        token = f"\0mail-system.relay\0{PASSWORD}".encode()
        return Probe(self.sink, platform.ports["smtps"], authority, token, name)


@click.command()
@click.option("--messages", default=1_000_000, show_default=True)
@click.option("--domains", default=20_000, show_default=True)
@click.option("--size", "size_bytes", default=2048, show_default=True, help="Octets of a content.")
@click.option("--fire", default=0, help="So many of them fall due at once, at the end [a fiftieth].")
@click.option("--deliverers", default=2, show_default=True)
@click.option("--rounds", default=3, show_default=True, help="Turns of other mail on each platform.")
@click.option("--probes", default=400, show_default=True, help="Messages of a turn.")
@click.option("--rate", "per_s", default=40.0, show_default=True, help="Of them a second.")
def main(**options: Any) -> None:
    """Measure a long queue."""
    options["fire"] = options["fire"] or max(100, options["messages"] // 50)
    figures = uvloop.run(measure(Scale(**options)))
    show(figures)
    print(json.dumps(figures))


async def measure(scale: Scale) -> dict[str, Any]:
    """Run once; return the figures."""
    root = Path(tempfile.mkdtemp(prefix="soak-"))
    sink = Sink()
    port = await sink.start()
    nameserver, resolver = await serve(SINK)
    bench = Bench(scale, root, sink, World(resolver, port))
    bench.figures = {"messages": scale.messages, "domains": scale.domains, "size_bytes": scale.size_bytes}
    bench.figures["loadavg"] = os.getloadavg()[0]
    empty, full = bench.platform("empty"), bench.platform("full")
    try:
        await _fill(bench, full)
        await empty.start()
        await _timed(bench, "start_s", full.start())
        full.place.announce(full.running())
        await _all(bench, empty, full)
    finally:
        await asyncio.gather(empty.stop(), full.stop())
        nameserver.close()
        shutil.rmtree(root)
    return bench.figures


async def _all(bench: Bench, empty: Platform, full: Platform) -> None:
    bench.tell("memory_start_mib", {"empty": memory(empty), "full": memory(full)})
    probes = bench.probe(empty, "empty"), bench.probe(full, "full")
    for probe in probes:
        await probe.run(64, bench.scale.per_s)  # connections and caches are warm
    await _by_turns(bench, probes)
    await _idle(bench, {"empty": empty, "full": full})
    await _looks(bench, full)
    await _restarts(bench, full, probes[1])
    await _fire(bench, full, probes[1])
    bench.tell("memory_end_mib", {"empty": memory(empty), "full": memory(full)})


async def _fill(bench: Bench, full: Platform) -> None:
    """Fill the store of a platform that does not run yet."""
    place, scale = full.place, bench.scale
    place.prepare("mail.bench.test")
    lazy = ServerPlace(place.store, place.identity("nats"), free_port(), STORAGE_BYTES, '"2m"')
    server = NatsServer(find_nats_server(), lazy, place.logs)
    await asyncio.to_thread(server.start)
    js = await JetStream.connect(server.url, place.identity("admin"), "soak")
    await provision(js, compile_policy(full.wanted.objects))
    due_ms = time.time_ns() // 1_000_000 + 6 * HOUR_MS
    filling = Filling(POOL, scale.messages, scale.domains, scale.size_bytes, due_ms, 6 * HOUR_MS)
    before = cpu_s(server.process.pid) if server.process else 0.0
    await _timed(bench, "fill_s", fill(js, filling))
    found = await depth(js, POOL)
    if found.later != scale.messages:
        sys.exit(f"{found.later} of {scale.messages} wait: the queue is not what it should be")
    assert server.process is not None  # noqa: S101  (started)
    bench.tell("fill_server_us", round((cpu_s(server.process.pid) - before) / scale.messages * 1e6))
    await js.close()
    await _timed(bench, "stop_s", asyncio.to_thread(server.stop))
    bench.tell("store_mib", sum(file.stat().st_size for file in place.store.rglob("*") if file.is_file()) >> 20)


async def _by_turns(bench: Bench, probes: tuple[Probe, ...]) -> None:
    """Time other mail on both platforms, one after the other, several times."""
    turns: dict[str, list[list[float]]] = {probe.name: [] for probe in probes}
    for number in range(bench.scale.rounds):
        for probe in probes if number % 2 == 0 else probes[::-1]:
            turns[probe.name].append(await probe.run(bench.scale.probes, bench.scale.per_s))
    told: dict[str, Any] = {
        name: {share: round(statistics.median(_at(turn, share) for turn in of), 1) for share in ("p50", "p90", "p99")}
        for name, of in turns.items()
    }
    bench.tell("other_mail_ms", told | {"p99_ratio": round(told["full"]["p99"] / told["empty"]["p99"], 2)})


async def _idle(bench: Bench, platforms: dict[str, Platform], lasts_s: float = 30.0) -> None:
    """Measure what nothing costs: per cent of a core while no mail comes."""
    before = {name: cpu(platform) for name, platform in platforms.items()}
    await asyncio.sleep(lasts_s)
    spent = {
        name: {process: round((now - before[name][process]) / lasts_s * 100, 1) for process, now in cpu(of).items()}
        for name, of in platforms.items()
    }
    bench.tell("idle_cpu_percent", spent)


async def _looks(bench: Bench, full: Platform) -> None:
    """Time what people ask."""
    site = (await _one_site(full)).replace("_", ".")
    commands = {
        "paquebot --version": "--version",
        "queue list --site": f"queue list --site {site} --output json",
        "queue list": "queue list --output json",
        "queue list --by site": "queue list --by site --output json",
        "explain a domain": f"explain {domain(7)}",
        "explain a pool": "explain mail-system/default",
        "top --once": "top --once --interval 0.2",
        "queue hold --site --dry-run": f"queue hold --site {site} --reason soak --dry-run",
        "queue hold --domain --dry-run": f"queue hold --domain {domain(7)} --reason soak --dry-run",
    }
    for name, command in commands.items():
        bench.tell(name, await _command(full, command))
    async with _connected(full) as js:
        before, began = cpu(full)["nats-server"], time.perf_counter()
        await backlog(js, POOL)
        wall_s, server_s = time.perf_counter() - began, cpu(full)["nats-server"] - before
    bench.tell("the operator's backlog", {"s": round(wall_s, 2), "server_cpu_s": round(server_s, 2)})


async def _one_site(full: Platform) -> str:
    async with _connected(full) as js:
        found = await backlog(js, POOL)
    return found.deferred[0].place.site


async def _command(full: Platform, command: str) -> dict[str, float]:
    """Run a command of `paquebot`: seconds of the clock, of its own CPU, and of the server's."""
    server, began = cpu(full)["nats-server"], time.perf_counter()
    own = os.times()
    arguments = [sys.executable, "-c", "from paquebot.cli.main import main; main()", *command.split()]
    environ = os.environ | {"PAQUEBOT_STATE": str(full.place.root)}
    process = await asyncio.create_subprocess_exec(*arguments, env=environ, stdout=asyncio.subprocess.DEVNULL)
    if await process.wait():
        sys.exit(f"paquebot {command} failed")
    after = os.times()
    spent = after.children_user + after.children_system - own.children_user - own.children_system
    served = cpu(full)["nats-server"] - server
    return {"s": round(time.perf_counter() - began, 2), "cpu_s": round(spent, 2), "server_cpu_s": round(served, 2)}


async def _restarts(bench: Bench, full: Platform, probe: Probe) -> None:
    """Kill the server, then a deliverer; time until mail to all partitions is delivered again."""
    assert full.nats is not None  # noqa: S101  (started)
    await asyncio.to_thread(full.nats.kill)
    began = time.perf_counter()
    await asyncio.to_thread(full.nats.start)
    listens_s = round(time.perf_counter() - began, 1)
    bench.tell("server_restart_s", {"listens": listens_s, "delivers": await _delivering(probe, began)})
    victim = full.services[f"deliverer-{POOL}-0"].process
    assert victim is not None  # noqa: S101  (started)
    victim.kill()
    began = time.perf_counter()
    await victim.wait()
    bench.tell("deliverer_restart_s", {"delivers": await _delivering(probe, began)})


async def _delivering(probe: Probe, began: float) -> float:
    """Return the seconds until a message to every partition was accepted and has arrived."""
    while True:
        before = probe.refused
        try:
            await probe.run(len(OWN), 1000.0)
        except (ConnectionError, TimeoutError):
            await asyncio.sleep(0.2)
            continue
        if probe.refused == before:
            return round(time.perf_counter() - began, 1)
        await asyncio.sleep(0.2)


async def _fire(bench: Bench, full: Platform, probe: Probe) -> None:
    """Have many fall due at once; time the server, their delivery, and other mail meanwhile."""
    count = bench.scale.fire
    async with _connected(full) as js:
        later = (await depth(js, POOL)).later
        due_ms = time.time_ns() // 1_000_000 + 15_000 + count * 4
        await fill(js, Filling(POOL, count, bench.scale.domains, bench.scale.size_bytes, due_ms))
        await asyncio.sleep(max(0.0, due_ms / 1000 - time.time()))
        began, others = time.perf_counter(), bench.sink.others
        beside = asyncio.create_task(probe.run(bench.scale.probes, bench.scale.per_s))
        while (await depth(js, POOL)).later > later + count // 100:  # noqa: ASYNC110  (the server says nothing)
            await asyncio.sleep(0.05)
        fired_s = time.perf_counter() - began
        while bench.sink.others - others < count:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        all_s = time.perf_counter() - began
    turn = await beside
    meanwhile = {share: round(_at(turn, share), 1) for share in ("p50", "p90", "p99")}
    rates = {"fired_per_s": round(count / fired_s), "delivered_per_s": round(count / all_s)}
    bench.tell("fire", {"messages": count, **rates, "other_mail_ms": meanwhile})


def memory(platform: Platform) -> dict[str, int]:
    """Return the resident memory of the queue's processes in MiB."""
    found = {}
    for name, pid in _pids(platform).items():
        if name == "nats-server" or name.startswith("deliverer"):
            found[name.replace(f"-{POOL}", "")] = int(rss_mib(pid))
    return found


def cpu(platform: Platform) -> dict[str, float]:
    """Return user and system seconds by process."""
    return {name.replace(f"-{POOL}", ""): cpu_s(pid) for name, pid in _pids(platform).items()}


def _pids(platform: Platform) -> dict[str, int]:
    pids = {name: service.process.pid for name, service in platform.services.items() if service.process}
    if platform.nats is not None and platform.nats.process is not None:
        pids["nats-server"] = platform.nats.process.pid
    return pids


def _at(turn: list[float], share: str) -> float:
    """Return a percentile in milliseconds."""
    return turn[min(len(turn) - 1, len(turn) * int(share[1:]) // 100)] * 1000


async def _timed(bench: Bench, name: str, work: Any) -> None:
    began = time.perf_counter()
    await work
    bench.tell(name, round(time.perf_counter() - began, 1))


@asynccontextmanager
async def _connected(platform: Platform) -> AsyncIterator[JetStream]:
    assert platform.nats is not None  # noqa: S101  (started)
    js = await JetStream.connect(platform.nats.url, platform.place.identity("admin"), "soak")
    try:
        yield js
    finally:
        await js.close()


def show(figures: dict[str, Any]) -> None:
    """Print a table for people."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("WHAT")
    table.add_column("FIGURES")
    for name, value in figures.items():
        parts = value.items() if isinstance(value, dict) else [("", value)]
        for part, told in parts:
            text = ", ".join(f"{key} {each}" for key, each in told.items()) if isinstance(told, dict) else str(told)
            table.add_row(f"{name} {part}".strip(), text)
    CONSOLE.print(table)


if __name__ == "__main__":
    main()
