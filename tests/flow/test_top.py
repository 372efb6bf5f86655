"""`paquebot top` on a running platform with two deliverers."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from click.testing import CliRunner, Result

from paquebot.cli.main import main
from paquebot.queue.members import Load, members
from platform_support import Stage, content

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def two(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("platform"), replicas=2)
    await stage.start()
    yield stage
    await stage.stop()


async def top(stage: Stage, *arguments: str) -> Result:
    wanted = ["top", "--once", "--interval", "0.2", *arguments, "--state", str(stage.root)]
    return await asyncio.to_thread(CliRunner().invoke, main, wanted)


async def test_both_deliverers_and_what_waits_are_in_one_frame(two: Stage) -> None:
    await two.submit(content("full"), "someone@full.test")
    frame = None
    async with asyncio.timeout(60):  # the second deliverer takes its partitions over
        while frame is None or not frame["sites"] or frame["pools"][0]["partitions"] < 16:
            frame = json.loads((await top(two, "--output", "json")).output)
    (pool,) = frame["pools"]
    assert (pool["pool"], pool["state"], pool["deliverers"]) == ("mail-system/default", "sending", 2)
    assert pool["ready"] + pool["later"] + pool["in_hand"] >= 1
    assert {row["domain"] for row in frame["sites"]} == {"full.test"}


async def test_for_people_it_is_a_table(two: Stage) -> None:
    result = await top(two)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[1].split()[:3] == ["POOL", "STATE", "ACC/S"]
    assert "mail-system/default" in result.output


async def test_accepted_mail_shows_as_a_rate(two: Stage) -> None:
    asking = asyncio.create_task(top(two, "--output", "json", "--interval", "4"))
    while not asking.done():
        await two.submit(content("rate"), "someone@accept.test")
    (pool,) = json.loads((await asking).output)["pools"]
    assert pool["accepted_per_s"] > 0
    assert pool["delivered_per_s"] > 0


async def test_each_deliverer_tells_with_its_heartbeat_what_it_did(two: Stage) -> None:
    await two.submit(content("load"), "someone@accept.test")
    js = await two.admin()
    loads: list[Load] = []
    async with asyncio.timeout(60):
        while not any(load.attempts for load in loads):
            loads = [each.load for each in await members(js) if each.service == "deliverer"]
    await js.close()
    assert len(loads) == 2
    assert all(load.at_s > 0 and load.core_s > 0 for load in loads)
    for load in loads:
        assert sum(count for count, _seconds in load.groups.values()) == load.attempts
        assert all(seconds > 0 for _count, seconds in load.groups.values())
