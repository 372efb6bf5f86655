"""`paquebot explain` on a running platform: what waits and what is gone, within a second or so."""

import asyncio
import json

import pytest
from click.testing import CliRunner

from paquebot.cli.main import main
from platform_support import NEWS, Stage, content

NEWSLETTER = "weekly@news.test"

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def explain(stage: Stage, *arguments: str) -> str:
    invoke = CliRunner().invoke
    result = await asyncio.to_thread(invoke, main, ["explain", *arguments, "--state", str(stage.root)])
    assert result.exit_code == 0, result.output
    return result.output


async def told(stage: Stage, name: str, state: str) -> str:
    """Ask until a message is in a state; return what is told."""
    text = ""
    async with asyncio.timeout(30):
        while state not in text.partition("\n")[0]:
            text = await explain(stage, name)
    return text


async def test_a_delivered_message_is_told_with_host_and_reply(stage: Stage) -> None:
    ident = (await stage.submit(content("explained"), "someone@accept.test")).rpartition(" ")[2]
    text = await told(stage, ident, "delivered")
    assert "mx.accept.test [127.0.0.11], over TLSv1.3, said 250 2.0.0 Ok: taken by the sandbox." in text


async def test_a_deferred_message_is_told_with_its_reply_and_its_next_try(stage: Stage) -> None:
    ident = (await stage.submit(content("full"), "someone@full.test")).rpartition(" ")[2]
    text = await told(stage, f"{ident}.1", "deferred")
    assert "at mx.full.test [127.0.0.17]: RCPT was answered with 452 4.2.2 Mailbox full." in text
    assert "`spec.retry` of SendingPool mail-system/default" in text


async def test_a_failed_message_is_told_with_its_report(stage: Stage) -> None:
    ident = (await stage.submit(content("refused"), "unknown@refuse.test")).rpartition(" ")[2]
    await told(stage, ident, "failed")
    async with asyncio.timeout(30):  # the report comes home a moment later
        while ": delivered at" not in (text := await explain(stage, ident)):
            pass
    assert "The report to orders@shop.test is " in text


async def test_programs_get_the_facts_beside_the_sentences(stage: Stage) -> None:
    ident = (await stage.submit(content("json"), "someone@full.test")).rpartition(" ")[2]
    await told(stage, ident, "deferred")
    answer = json.loads(await explain(stage, ident, "--output", "json"))
    assert answer["explanations"][0]["state"] == "deferred"
    assert answer["facts"]["kept"][0]["delivery"]["last_reply"]["code"] == 452
    assert answer["facts"]["deliverers"][0]["pool"] == "mail-system_default"


async def test_what_never_was_is_told_as_unknown(stage: Stage) -> None:
    assert "unknown" in await explain(stage, "01a216ec-a929-7560-941e-5f1997be831f")


async def test_tenants_pools_sites_and_domains_are_told_by_their_names(stage: Stage) -> None:
    await stage.submit(content("slow"), "someone@throttle.test")
    assert "The tenant sends from shop.test (pool mail-system/default), with shop.orders." in await explain(
        stage, "shop"
    )
    assert "owns 16 of 16 partitions" in await explain(stage, "mail-system/default")
    assert "DestinationPolicy throttled (throttle.test) allows 2 connections" in await explain(stage, "throttled")
    assert "mx.accept.test (20)" in await explain(stage, "someone@accept.test")


async def test_a_suspension_is_told_with_its_author_and_how_it_ends(stage: Stage) -> None:
    orders = ["news", "--reason", "too much", "--author", "ann", "--state", str(stage.root)]
    await asyncio.to_thread(CliRunner().invoke, main, ["suspend", "tenant", *orders])
    reply = await stage.submit(content("stopped", NEWSLETTER), "a@accept.test", username=NEWS, sender=NEWSLETTER)
    text = await told(stage, reply.rpartition(" ")[2], "deferred")
    assert "Tenant news is suspended by ann: too much, until" in text
    assert "To send again sooner: `paquebot resume tenant news`." in text
    assert "To send again sooner: `paquebot resume tenant news`." in await explain(stage, "news")


async def test_a_name_of_nothing_is_refused_with_what_is_known(stage: Stage) -> None:
    invoke = CliRunner().invoke
    result = await asyncio.to_thread(invoke, main, ["explain", "nobody", "--state", str(stage.root)])
    assert result.exit_code == 1
    assert (
        "nothing is called nobody; known are tenants: mail-system, news, shop; pools: mail-system/default"
        in result.output
    )
