"""An operator suspends a tenant: its mail waits and says why, other mail goes on, and at resume it arrives at once."""

import asyncio
import re

import pytest
from click.testing import CliRunner, Result

from paquebot.cli.main import main
from platform_support import NEWS, Stage, content

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def paquebot(stage: Stage, *arguments: str) -> Result:
    command = [*arguments, "--state", str(stage.root)]
    return await asyncio.to_thread(CliRunner().invoke, main, command)


async def test_a_suspended_tenant_waits_and_arrives_when_it_is_resumed(stage: Stage) -> None:
    suspended = await paquebot(stage, "suspend", "tenant", "shop", "--reason", "incident 42", "--author", "ann")
    assert suspended.exit_code == 0
    assert re.fullmatch(r"tenant shop is suspended until \S+ \S+Z: incident 42\n", suspended.output)
    assert (await stage.submit(content("stopped"), "a@accept.test")).startswith("250")
    weekly = "weekly@news.test"
    await stage.submit(content("goes-on", weekly), "b@accept.test", username=NEWS, sender=weekly)
    await stage.internet.wait_for(1, 30)
    reasons: list[str] = []
    while not reasons:
        reasons = [each.reason for each in await stage.waiting() if each.reason]
    assert reasons[0].startswith("tenant shop is suspended by ann: incident 42, until ")
    listed = await paquebot(stage, "orders")
    assert "incident 42" in listed.output
    assert [each.envelope.recipients for each in stage.internet] == [("b@accept.test",)]

    resumed = await paquebot(stage, "resume", "tenant", "shop", "--author", "ann")
    assert (resumed.exit_code, resumed.output) == (0, "tenant shop is resumed; 1 delivery waited for it\n")
    await stage.internet.wait_for(2, 30)
    again = await paquebot(stage, "resume", "tenant", "shop")
    assert (again.exit_code, again.output.splitlines()[-1]) == (
        1,
        "Error: tenant shop was not suspended: `paquebot orders` lists what is",
    )
    assert (await paquebot(stage, "orders")).output == "no order is in force\n"
