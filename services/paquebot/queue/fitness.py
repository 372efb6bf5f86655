"""Whether a nats-server is fit to keep mail: its version, its API level, and that it syncs before it answers.

The publisher asks as the system user and records the answer; services read the record and refuse.
"""

import json
from collections.abc import Mapping
from typing import Any

from paquebot.queue.buckets import Bucket
from paquebot.queue.jetstream import JetStream

OLDEST = (2, 15, 0)
API_LEVEL_MIN = 5
KEY = "server"


class UnfitServerError(Exception):
    """The server would lose mail or lacks what the queue needs; the text says the cure."""


class UnrecordedServerError(UnfitServerError):
    """Nobody has looked yet."""


def faults_of(server: Mapping[str, Any]) -> list[str]:
    """Return why a recorded server is unfit; empty means fit."""
    faults = []
    version = tuple(int(part) for part in str(server.get("version", "0")).split("-")[0].split("."))
    if version < OLDEST:
        faults.append(f"nats-server {server.get('version')} is too old: run 2.15.0 or newer")
    if int(server.get("api_level", 0)) < API_LEVEL_MIN:
        faults.append(f"JetStream API level {server.get('api_level')} is too old: {API_LEVEL_MIN} is needed")
    if not server.get("sync_always"):
        faults.append("JetStream answers before the disk has the message: set `sync_interval: always`")
    return faults


async def inspect(system: JetStream) -> dict[str, Any]:
    """Ask the server about itself, as the system user."""
    answer = await system.ask("$SYS.REQ.SERVER.PING.JSZ", json.dumps({"config": True}).encode())
    config = answer.get("data", {}).get("config", {})
    server = answer.get("server", {})
    level = server.get("metadata", {}).get("_nats.level") or answer.get("data", {}).get("api_level") or 0
    return {
        "version": server.get("ver", "0"),
        "api_level": int(level) or _level_of(server.get("ver", "0")),
        "sync_always": bool(config.get("sync_always")),
    }


async def record(js: JetStream, server: Mapping[str, Any]) -> None:
    """Write down what the server is, for the services."""
    await Bucket(js, "platform").put(KEY, json.dumps(server).encode())


async def refuse_unfit(js: JetStream) -> None:
    """Raise UnfitServerError unless the recorded server is fit."""
    entry = await Bucket(js, "platform").get(KEY)
    if entry is None:
        raise UnrecordedServerError("nobody has recorded whether the server is fit: start the policy publisher first")
    faults = faults_of(json.loads(entry))
    if faults:
        raise UnfitServerError("; ".join(faults))


def _level_of(version: str) -> int:
    """Return the API level of a version: 5 came with 2.15; the system account is not told it."""
    major, minor, *_rest = (int(part) for part in version.split("-", maxsplit=1)[0].split("."))
    return API_LEVEL_MIN if (major, minor) >= OLDEST[:2] else 0
