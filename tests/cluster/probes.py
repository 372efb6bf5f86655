"""Probes and hooks: one look at a container, and the rules of when it counts."""

import asyncio
import contextlib
import math
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import aiohttp

from cluster.environment import NotServed
from cluster.view import inside_of

Manifest = Mapping[str, Any]
EAGER_S = 0.3  # between looks at what is not ready yet, however long its period
ACTIONS = ("httpGet", "tcpSocket", "exec")
HOOKS = (*ACTIONS, "sleep")
TRUSTING = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # as a kubelet's probes; with roots it would take 60 ms to make
TRUSTING.check_hostname, TRUSTING.verify_mode = False, ssl.CERT_NONE


@dataclass(frozen=True, slots=True)
class Target:
    """A running container, for who looks at it."""

    address: str
    pid: int
    ports: Mapping[str, int]  # by name
    environ: Mapping[str, str]

    def port(self, wanted: int | str) -> int:
        """Return a port by number or name."""
        return wanted if isinstance(wanted, int) else self.ports[wanted]


def check_actions(container: Manifest) -> None:
    """Raise NotServed for a probe or hook of another kind."""
    hooks = (container.get("lifecycle") or {}).items()
    if any(name != "preStop" for name, _ in hooks):
        raise NotServed("of the lifecycle only preStop is served")
    for name in ("startupProbe", "livenessProbe", "readinessProbe"):
        if container.get(name) and not any(kind in container[name] for kind in ACTIONS):
            raise NotServed(f"a {name} is served as {', '.join(ACTIONS)}")


async def act(action: Manifest, target: Target, timeout_s: float) -> bool:
    """Do what a probe or hook says; return whether it went well in time."""
    with contextlib.suppress(OSError, TimeoutError, aiohttp.ClientError):
        async with asyncio.timeout(timeout_s):
            if "httpGet" in action:
                return await _get(action["httpGet"], target)
            if "tcpSocket" in action:
                return await _connect(action["tcpSocket"], target)
            if "sleep" in action:
                await asyncio.sleep(action["sleep"]["seconds"])
                return True
            return await _execute(action["exec"]["command"], target)
    return False


async def looks(probe: Manifest, target: Target) -> AsyncGenerator[bool, None]:
    """Look for ever; give each change, after as many looks of one kind as the thresholds say.

    A failure counts once a period, though what is not well yet is looked at more often: starting is given its time.
    """
    await asyncio.sleep(probe.get("initialDelaySeconds", 0))
    period_s, timeout_s = probe.get("periodSeconds", 10), probe.get("timeoutSeconds", 1)
    clock = asyncio.get_running_loop().time
    told: bool | None = None
    good_row, bad_row, counted_at = 0, 0, -math.inf
    while True:
        if await act(probe, target, timeout_s):
            good_row, bad_row = good_row + 1, 0
        else:
            good_row = 0
            if clock() - counted_at >= period_s:
                bad_row, counted_at = bad_row + 1, clock()
        if told is not True and good_row >= probe.get("successThreshold", 1):
            told = True
            yield True
        elif told is not False and bad_row >= probe.get("failureThreshold", 3):
            told = False
            yield False
        await asyncio.sleep(period_s if told and not bad_row else min(period_s, EAGER_S))


async def verdict(probe: Manifest, target: Target) -> bool:
    """Return the first thing that is certain."""
    async with aclosing(looks(probe, target)) as each:
        return await anext(each)


async def fails(probe: Manifest, target: Target) -> None:
    """Return once it fails."""
    async with aclosing(looks(probe, target)) as each:
        async for good in each:
            if not good:
                return


async def _get(wanted: Manifest, target: Target) -> bool:
    scheme = wanted.get("scheme", "HTTP").lower()
    host = wanted.get("host") or target.address
    url = f"{scheme}://{host}:{target.port(wanted['port'])}{wanted.get('path', '/')}"
    headers = {each["name"]: each["value"] for each in wanted.get("httpHeaders") or ()}
    async with (
        aiohttp.ClientSession(trust_env=False) as session,
        session.get(url, ssl=TRUSTING, headers=headers, allow_redirects=False) as answer,
    ):
        return 200 <= answer.status < 400


async def _connect(wanted: Manifest, target: Target) -> bool:
    _, writer = await asyncio.open_connection(wanted.get("host") or target.address, target.port(wanted["port"]))
    writer.close()
    return True


async def _execute(command: list[str], target: Target) -> bool:
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *inside_of(target.pid), *command, stdout=quiet, stderr=quiet, env=dict(target.environ)
    )
    try:
        return await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
