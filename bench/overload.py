"""What attacks and too much mail do to submission, and to good mail that comes meanwhile.

    python bench/overload.py                     all scenarios on one platform of this machine
    python bench/overload.py flood idle          some of them

One JSON line a scenario, a table at the end. Good mail is 100 messages over four sessions that begin when the attack
stands; it ends when they are answered. `told` counts what attackers heard. Attackers run in this process, on the same
cores: trust memory, CPU and replies more than latencies.
"""

import asyncio
import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uvloop
from attackers import CREDENTIALS, PASSWORD, SCENARIOS, Ground
from rich.console import Console
from rich.table import Table
from usage import cpu_s, rss_mib

from paquebot.auth.password import hash_password
from paquebot.cli.place import Place
from paquebot.cli.platform import Platform, Wanted, World
from paquebot.cli.processes import free_port
from paquebot.policy.manifests import parse
from paquebot.sandbox.internet import Internet

PEERS = str(Path(__file__).with_name("peers.py"))
MEASURED = ("submission", "auth", "spamfilter", "router")
GOOD = 100
MANIFESTS = """
{apiVersion: paquebot.dev/v1alpha1, kind: SendingPool, metadata: {name: default, namespace: mail-system},
 spec: {heloHostname: out.bench.test, allowedNamespaces: {names: ["*"]}}}
---
{apiVersion: paquebot.dev/v1alpha1, kind: SMTPCredential, metadata: {name: good, namespace: mail-system},
 spec: {anySender: true, poolRef: {name: default}}}
"""
ATTACKER = """---
{{apiVersion: paquebot.dev/v1alpha1, kind: SMTPCredential, metadata: {{name: {name}, namespace: mail-system}},
 spec: {{anySender: true, poolRef: {{name: default}}, limits: {{maxMessageSize: 50Mi, maxRecipients: 1000}}}}}}
"""


async def good_mail(ground: Ground) -> dict:
    """Send good mail in a process of its own; return its latencies, or what refused it."""
    arguments = {
        "ca": str(ground.platform.place.identity("smtp") / "ca.crt"),
        "ports": [ground.platform.ports["smtps"]],
        "persistent": True,
        "username": "mail-system.good",
        "password": PASSWORD,
        "messages": GOOD,
        "sessions": 4,
        "size": 2048,
        "sender": "good@nowhere.test",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, PEERS, "client", json.dumps(arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, errors = await process.communicate()
    return json.loads(out) if process.returncode == 0 else {"failed": errors.decode().strip().rpartition("\n")[2]}


async def scenario(platform: Platform, trust: ssl.SSLContext, name: str) -> dict:
    """Run one scenario; return its figures."""
    ground = Ground(platform, trust)
    before, began, spent = _rss_mib(platform), time.monotonic(), _cpu(platform)
    peak = dict(before)
    attack = asyncio.create_task(SCENARIOS[name](ground))
    watching = asyncio.create_task(_watch(platform, peak))
    await asyncio.sleep(0 if name == "nothing" else 5)
    good = await good_mail(ground)
    seconds = time.monotonic() - began
    used = {key: value - spent[key] for key, value in _cpu(platform).items()}
    ground.stop.set()
    await attack
    await asyncio.sleep(4)
    watching.cancel()
    after = await good_mail(ground)
    return {
        "scenario": name,
        "seconds": round(seconds, 1),
        "attackers_sent": ground.sent,
        "told": dict(ground.told.most_common(5)),
        "good": good,
        "good_afterwards": after,
        "submission_rss_mib": [before["submission"], peak["submission"], _rss_mib(platform)["submission"]],
        "peak_rss_mib": peak,
        "cpu_share": {key: round(value / seconds, 2) for key, value in used.items()},
        "loadavg": os.getloadavg()[0],
    }


async def _watch(platform: Platform, peak: dict[str, int]) -> None:
    while True:
        for key, value in _rss_mib(platform).items():
            peak[key] = max(peak[key], value)
        await asyncio.sleep(0.2)


def _pids(platform: Platform) -> dict[str, int]:
    processes = {name: platform.services[name].process for name in MEASURED}
    return {name: process.pid for name, process in processes.items() if process is not None}


def _rss_mib(platform: Platform) -> dict[str, int]:
    return {name: int(rss_mib(pid)) for name, pid in _pids(platform).items()}


def _cpu(platform: Platform) -> dict[str, float]:
    return {name: cpu_s(pid) for name, pid in _pids(platform).items()}


async def measure(names: list[str]) -> list[dict]:
    """Start a platform and run scenarios on it."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        text = MANIFESTS + "".join(ATTACKER.format(name=name) for name in CREDENTIALS)
        objects = [located.object for located in parse(text, "bench.yaml")]
        for name in ("good", *CREDENTIALS):
            place.write_hash(f"mail-system.{name}", hash_password(PASSWORD.encode()))
        internet = Internet(own_domains=tuple(f"d{number}.bench.test" for number in range(16)))
        await internet.start()
        port = free_port()
        sink = subprocess.Popen(  # noqa: ASYNC220  (it runs beside, and is asked nothing)
            [sys.executable, PEERS, "sink", str(port)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        platform = Platform(place, Wanted(objects, "mail.bench.test", World(str(internet.resolver_address), port)))
        try:
            await platform.start()
            trust = ssl.create_default_context(cafile=place.identity("smtp") / "ca.crt")
            figures = []
            for name in names:
                figures.append(await scenario(platform, trust, name))
                print(json.dumps(figures[-1]), flush=True)
            return figures
        finally:
            await platform.stop()
            sink.kill()
            sink.wait()
            await internet.stop()


def show(figures: list[dict]) -> None:
    """Print a table for people."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("SCENARIO", "GOOD p50/p99 ms", "AFTERWARDS", "RSS MiB before/peak/after", "CPU", "TOLD"):
        table.add_column(column)
    for each in figures:
        rss = " / ".join(map(str, each["submission_rss_mib"]))
        told = "; ".join(f"{count}x {text[:40]}" for text, count in list(each["told"].items())[:2])
        share = each["cpu_share"]["submission"]
        table.add_row(
            each["scenario"], _latency(each["good"]), _latency(each["good_afterwards"]), rss, f"{share}", told
        )
    Console(highlight=False, width=180).print(table)


def _latency(good: dict) -> str:
    return good.get("failed") or f"{good['accept_p50_ms']:.0f} / {good['accept_p99_ms']:.0f}"


if __name__ == "__main__":
    show(uvloop.run(measure(sys.argv[1:] or list(SCENARIOS))))
