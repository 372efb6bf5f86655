"""The configuration that the chart gives to NATS, on real servers; only paths, ports and names are made local."""

import asyncio
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from paquebot.policy.values import Policy
from paquebot.queue.fitness import faults_of, inspect
from paquebot.queue.jetstream import ApiError, JetStream, QueueUnavailableError
from paquebot.queue.provision import provision
from paquebot.queue.server import find_nats_server
from queue_fixtures import free_port

Render = Callable[..., list[dict[str, Any]]]
Start = Callable[[int], list[str]]
START_MAX_S = 60.0


@pytest.fixture
def start(render: Render, identities: Path, tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts so many servers, in place of those before, and returns their addresses."""
    running: list[subprocess.Popen[bytes]] = []

    def started(count: int) -> list[str]:
        end()
        objects = render(f"nats.nodes={count}")
        text = next(
            each for each in objects if each["kind"] == "ConfigMap" and each["metadata"]["name"] == "paquebot-nats"
        )
        clients, routes = [[free_port() for _ in range(count)] for _ in range(2)]
        for number in range(count):
            folder = tmp_path / str(number)
            folder.mkdir(exist_ok=True)
            config = text["data"]["nats.conf"]
            for name, here in (
                ("0.0.0.0:4222", f"127.0.0.1:{clients[number]}"),
                ("0.0.0.0:6222", f"127.0.0.1:{routes[number]}"),
                ("0.0.0.0:8222", f"127.0.0.1:{free_port()}"),
                ("/var/run/nats", str(folder)),
                ("/etc/nats/identity", str(identities / "nats")),
                ('"/data"', f'"{folder}/store"'),
                *(
                    (f"paquebot-nats-{peer}.paquebot-nats-headless.mail-system.svc:6222", f"127.0.0.1:{routes[peer]}")
                    for peer in range(count)
                ),
            ):
                config = config.replace(name, here)
            (folder / "nats.conf").write_text(config)
            environ = {"POD_NAME": f"paquebot-nats-{number}", "JETSTREAM_KEY": "k0e12" * 8}
            with (folder / "log").open("wb") as log:
                command = [find_nats_server(), "--config", folder / "nats.conf"]
                running.append(subprocess.Popen(command, env=environ, stdout=log, stderr=log))
        return [f"tls://127.0.0.1:{port}" for port in clients]

    def end() -> None:
        while running:
            each = running.pop()
            each.kill()
            each.wait()

    yield started
    end()


async def connected(url: str, identity: Path) -> JetStream:
    deadline = time.monotonic() + START_MAX_S
    while True:
        try:
            return await JetStream.connect(url, identity, "test")
        except QueueUnavailableError:  # it starts
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)


async def test_one_server_is_fit_and_keeps_the_queue_encrypted(start: Start, identities: Path, tmp_path: Path) -> None:
    [url] = start(1)
    js = await connected(url, identities / "publisher")
    system = await connected(url, identities / "system")
    await provision(js, Policy())
    assert faults_of(await inspect(system)) == []
    await js.publish("$KV.platform.secret", b"nobody may read this on the disk")
    for each in js, system:
        await each.close()
    stored = b"".join(path.read_bytes() for path in (tmp_path / "0" / "store").rglob("*.blk"))
    assert stored
    assert b"nobody may read this" not in stored


async def made(js: JetStream, stream: str, replicas: int) -> dict[str, Any]:
    """Make a stream as soon as enough servers have come."""
    config = {"name": stream, "subjects": [stream], "num_replicas": replicas, "storage": "file"}
    deadline = time.monotonic() + START_MAX_S
    while True:
        try:
            return dict(await js.request(f"STREAM.CREATE.{stream}", config))
        except (ApiError, QueueUnavailableError):
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)


async def test_three_servers_find_each_other_but_not_what_one_of_them_kept_alone(
    start: Start, identities: Path
) -> None:
    [url] = start(1)
    js = await connected(url, identities / "publisher")
    await made(js, "ALONE", 1)
    await js.publish("ALONE", b"mail that was answered 250")
    await js.close()
    js = await connected(start(3)[0], identities / "publisher")
    assert len((await made(js, "THREE", 3))["cluster"]["replicas"]) == 2
    await provision(js, Policy(), 3)  # the journal lies in memory, three times
    assert (await js.request("STREAM.INFO.DOUBT"))["config"]["num_replicas"] == 3
    with pytest.raises(ApiError, match="stream not found"):
        await js.request("STREAM.INFO.ALONE")
    await js.close()
    js = await connected(start(1)[0], identities / "publisher")
    assert (await js.request("STREAM.INFO.ALONE"))["state"]["messages"] == 1
    await js.close()
