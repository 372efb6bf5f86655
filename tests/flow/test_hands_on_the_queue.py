"""People steer what waits: seen beforehand, with a reason that the events keep, harmless to repeat."""

import asyncio
import json

import pytest
from click.testing import CliRunner, Result

from paquebot.cli.main import main
from paquebot.mail.record import Kind
from platform_support import Stage, content

pytestmark = pytest.mark.asyncio(loop_scope="module")
WHY = ("--reason", "incident 42", "--author", "ann")


async def queue(stage: Stage, *arguments: str) -> Result:
    command = ["queue", *arguments, "--state", str(stage.root)]
    return await asyncio.to_thread(CliRunner().invoke, main, command)


async def waits(stage: Stage, subject: str, domain: str = "full.test") -> str:
    """Send a message that cannot be delivered now; return its id when it has been tried."""
    reply = await stage.submit(content(subject), f"{subject}@{domain}")
    ident = reply.rpartition(" ")[2]
    await stage_is(stage, ident, "deferred")
    for _ in range(200):  # until the deliverer has acknowledged what it put back
        if "1 delivery would be changed" in (await queue(stage, "hold", ident, "--dry-run", *WHY)).output:
            return ident
    return pytest.fail(f"{ident} stays in a deliverer's hands")


async def stage_is(stage: Stage, ident: str, state: str, why: str = "") -> str:
    """Return why a message waits, once it is in a state, and for a reason that says so."""
    for _ in range(200):
        found = json.loads((await queue(stage, "list", ident, "--output", "json")).output)
        told = found[0]["why"] if found else ""
        if found and found[0]["state"] == state and told != "its turn has not come yet" and why in told:
            return str(found[0]["why"])
    pytest.fail(f"{ident} is not {state}: {found}")


async def kinds(stage: Stage, ident: str) -> list[tuple[Kind, str, str]]:
    return [(each.kind, each.author, each.reason) for each in await stage.records(ident) if each.author]


async def test_hold_release_and_cancel_with_their_records(stage: Stage) -> None:
    ident = await waits(stage, "steered")
    held = await queue(stage, "hold", ident, *WHY)
    assert (held.exit_code, held.output) == (0, "held: 1 delivery\n")
    assert await stage_is(stage, ident, "held") == "held by ann: incident 42"
    again = await queue(stage, "hold", ident, *WHY)
    assert again.exit_code == 1
    assert "nothing that is ready or deferred matches" in again.output
    assert (await queue(stage, "release", ident, "--author", "ann")).exit_code == 0
    await stage_is(stage, ident, "deferred", "452 4.2.2")  # it was tried, and is in nobody's hands
    cancelled = await queue(stage, "cancel", "--domain", "full.test", *WHY)
    assert (cancelled.exit_code, cancelled.output.splitlines()[0]) == (0, "cancelled: 1 delivery")
    assert (await queue(stage, "list", ident)).output == "nothing waits\n"
    assert await kinds(stage, ident) == [
        (Kind.HELD, "ann", "incident 42"),
        (Kind.RELEASED, "ann", ""),
        (Kind.CANCELLED, "ann", "incident 42"),
    ]


async def test_a_dry_run_counts_and_changes_nothing(stage: Stage) -> None:
    ident = await waits(stage, "counted")
    before = (await queue(stage, "list", ident, "--output", "json")).output
    dry = await queue(stage, "cancel", "--reply", "452*full", "--dry-run", *WHY)
    assert dry.exit_code == 0
    assert "1 delivery would be changed; nothing was" in dry.output
    values = json.loads((await queue(stage, "cancel", ident, "--dry-run", "--output", "json", *WHY)).output)
    assert (values["matched"], values["counts"][0]["tenant"], values["sample"]) == (1, "shop", [f"{ident}.1"])
    after = json.loads((await queue(stage, "list", ident, "--output", "json")).output)
    assert after[0]["delivery"] == json.loads(before)[0]["delivery"]
    assert (await queue(stage, "cancel", ident, *WHY)).exit_code == 0


async def test_all_mail_is_only_meant_when_it_is_said(stage: Stage) -> None:
    refused = await queue(stage, "cancel", *WHY)
    assert refused.exit_code == 2
    assert "narrow it, such as with --tenant or --site, or say --all" in refused.output
    assert (await queue(stage, "cancel", "--all", "--dry-run", *WHY)).exit_code in {0, 1}
    assert (await queue(stage, "cancel", "not-an-id", *WHY)).exit_code == 2
    assert (await queue(stage, "release", "--status", "ready", "--tenant", "shop")).exit_code == 2


async def test_what_is_retried_or_requeued_is_tried_before_its_time(stage: Stage) -> None:
    ident = await waits(stage, "tried")
    assert (await queue(stage, "requeue", ident, "--author", "ann", "--fresh-expiry")).exit_code == 0
    await stage_is(stage, ident, "deferred")
    (found,) = json.loads((await queue(stage, "list", ident, "--output", "json")).output)
    assert found["attempts"] <= 2
    assert (await queue(stage, "cancel", ident, *WHY)).exit_code == 0
    assert [kind for kind, *_ in await kinds(stage, ident)] == [Kind.REQUEUED, Kind.CANCELLED]


async def test_what_waits_is_counted_by_what_people_ask_for(stage: Stage) -> None:
    idents = [await waits(stage, f"counted-{number}") for number in range(2)]
    counts = json.loads((await queue(stage, "list", "--by", "domain", "--output", "json")).output)
    assert counts == {"full.test": 2}
    table = await queue(stage, "list", "--by", "reason", "--tenant", "shop")
    assert "452 4.2.2" in table.output
    cancelled = await queue(stage, "cancel", *idents, *WHY)
    assert (cancelled.exit_code, cancelled.output.splitlines()[0]) == (0, "cancelled: 2 deliveries")


async def test_two_operators_cancel_while_schedules_fire_and_each_message_arrives_or_is_cancelled(stage: Stage) -> None:
    before = len(stage.internet.received)
    replies = [await stage.submit(content(f"race-{n}"), f"race-{n}@greylist.test") for n in range(24)]
    idents = {reply.rpartition(" ")[2] for reply in replies}
    for _ in range(60):
        cancelled = [queue(stage, "cancel", "--domain", "greylist.test", *WHY) for _ in range(2)]
        for result in await asyncio.gather(*cancelled):
            assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        if not await stage.waiting():
            break
    gone = {record.id for record in await stage.records() if record.kind is Kind.CANCELLED} & idents
    arrived = [each for each in stage.internet.received[before:] if b"race-" in each.content]
    assert len(gone) + len(arrived) == 24
    assert len({each.envelope.recipients for each in arrived}) == len(arrived)
