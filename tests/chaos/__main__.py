"""A storm from the command line: `python -m chaos --seed 7 --minutes 2`. Its last line is one JSON object."""

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console
from rich.live import Live

from chaos.run import Profile, Run, is_good

SPARE_S = 120.0  # to start, to wait for what is under way, and to stop
ROOT = Path(".paquebot/chaos")


def main() -> None:
    """Run a storm; exit 1 when anything is lost, doubled without a reason, altered or left behind."""
    wanted = argparse.ArgumentParser(prog="chaos")
    wanted.add_argument("--seed", type=int, default=0, help="of letters, clients and faults; 0: any")
    wanted.add_argument("--minutes", type=float, default=2.0)
    wanted.add_argument("--rate", type=float, default=30.0, help="messages a second, at most")
    wanted.add_argument("--gap", type=float, default=4.0, help="seconds between faults, on average")
    wanted.add_argument("--servers", type=int, choices=(1, 3), default=1, help="nats-servers; 3 keep everything thrice")
    wanted.add_argument("--only", default="", help="of the faults, those with this in their kind or target: nats")
    wanted.add_argument("--root", type=Path, default=ROOT)
    given = wanted.parse_args()
    seed = given.seed or random.randrange(1, 10**6)
    console = Console(highlight=False, soft_wrap=True)
    root = (given.root / f"{seed}-{int(time.time())}").absolute()
    profile = Profile(seed, given.minutes * 60, given.rate, given.gap, servers=given.servers, only=given.only)
    run = Run(profile, root, console.print)
    console.print(f"seed {seed}, {given.minutes} minutes; the platform lives in {root}")
    with Live(get_renderable=lambda: state_of(run), console=console, refresh_per_second=2, transient=True):
        numbers = uvloop.run(_within(run.whole(), profile.seconds + profile.drain_s + SPARE_S))
    if not is_good(numbers):
        console.print(f"[bold red]something is wrong[/]: logs and store are in {root}")
    print(json.dumps(numbers))
    sys.exit(0 if is_good(numbers) else 1)


async def _within(work: Coroutine[Any, Any, Any], seconds: float) -> Any:
    """Return what the work returns; a run that hangs says where."""
    async with asyncio.timeout(seconds):
        return await work


def state_of(run: Run) -> str:
    """Return how far a run is, as one line."""
    if not hasattr(run, "storm"):
        return "the platform starts"
    accepted = sum(len(each.recipients) for each in run.clients.accepted)
    hosts = run.scene.hosts
    going_on = ", ".join(f"{fault.kind} {fault.target}" for fault in run.storm.going_on) or "calm"
    return f"{accepted} accepted, {len(hosts.arrived)} arrived, {len(hosts.failed)} failed; {going_on}"


if __name__ == "__main__":
    main()
