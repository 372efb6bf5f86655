"""A command that moves mail to another pool is killed in the middle; repeated, it moves each message once."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator

import pytest

from platform_support import Stage, content
from tests_support import wait_for

OTHER = """
---
{apiVersion: paquebot.dev/v1alpha1, kind: SendingPool, metadata: {name: other, namespace: mail-system},
 spec: {heloHostname: out2.paquebot.test, allowedNamespaces: {names: ["*"]}}}
"""
COUNT = 40


@pytest.fixture
async def two_pools(tmp_path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path, extra=OTHER)
    await stage.start()
    yield stage
    await stage.stop()


async def paquebot(stage: Stage, *arguments: str) -> asyncio.subprocess.Process:
    code = "from paquebot.cli.main import main; main()"
    environment = os.environ | {"PAQUEBOT_STATE": str(stage.root), "PYTHONPATH": os.pathsep.join(sys.path)}
    return await asyncio.create_subprocess_exec(sys.executable, "-c", code, *arguments, env=environment)


async def test_a_reroute_that_is_killed_and_repeated_moves_each_message_once(two_pools: Stage) -> None:
    stage = two_pools
    assert await (await paquebot(stage, "suspend", "pool", "mail-system/default", "--reason", "warm up")).wait() == 0
    with stage.client() as client:
        for number in range(COUNT):
            stage.send(content(f"moved-{number}"), f"moved-{number}@plain.test", client=client)
    reroute = ("queue", "reroute", "--all", "--to", "mail-system/other", "--reason", "warm up")
    killed = await paquebot(stage, *reroute)
    await wait_for(lambda: stage.internet.received or killed.returncode is not None, 60)
    if killed.returncode is None:
        killed.kill()
    await killed.wait()
    for _ in range(10):  # what the deliverer has in hand is set aside at its touch, a repeat moves it
        await (await paquebot(stage, *reroute)).wait()
        if len(stage.internet.received) >= COUNT:
            break
    account = await stage.settled()
    assert account.delivered == COUNT
    assert len(stage.internet.received) == COUNT
