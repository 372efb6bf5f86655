"""What the filter holds is seen, explained and decided about; what nobody decides about ends as its domain wants."""

import asyncio
import contextlib
import json
import os
import pty
import subprocess
import sys

import pytest
import pytest_asyncio
from click.testing import CliRunner, Result

from paquebot.cli.main import main
from paquebot.mail.record import Kind, Record
from paquebot.mail.reference import reference_of
from paquebot.queue.replay import read_shared
from platform_support import RELAY, Stage, content

pytestmark = pytest.mark.asyncio(loop_scope="module")
EXTRA = """
---
{apiVersion: paquebot.dev/v1alpha1, kind: MailDomain, metadata: {name: careful, namespace: shop},
 spec: {domain: careful.test, content: {hold: 0%, reject: 95%, shareForTraining: true}}}
---
{apiVersion: paquebot.dev/v1alpha1, kind: MailDomain, metadata: {name: strict, namespace: shop},
 spec: {domain: strict.test, content: {hold: 0%, reject: 95%, holdFor: 2s, onHoldExpiry: Refuse}}}
"""
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"
BY = ("--author", "ann", "--reason", "known customer")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory):
    stage = Stage(tmp_path_factory.mktemp("platform"), extra=EXTRA)
    await stage.start()
    yield stage
    await stage.stop()


async def spam(stage: Stage, *arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, ["spam", *arguments, "--state", str(stage.root)])


async def sends(stage: Stage, subject: str, domain: str, body: str = "Hello.\r\n") -> str:
    sender = f"ann@{domain}"
    message = content(subject, f"Ann [bold] <{sender}>", body)
    return await stage.submit(message, "bob@accept.test", username=RELAY, sender=sender)


async def held(stage: Stage, subject: str) -> str:
    """Send a message that is held; return its id."""
    reply = await sends(stage, subject, "careful.test")
    assert reply.startswith("250 2.0.0 Ok: queued as ")
    return reply.rpartition(" ")[2]


async def told(stage: Stage, ident: str, kind: Kind) -> Record:
    for _ in range(300):
        for record in await stage.records(ident):
            if record.kind is kind:
                return record
        await asyncio.sleep(0.1)
    pytest.fail(f"{ident} was never {kind}")


async def test_what_is_held_is_reviewed_explained_and_released_and_then_arrives(stage: Stage) -> None:
    ident = await held(stage, "released")
    (row,) = json.loads((await spam(stage, "review", ident, "--output", "json")).output)
    assert (row["id"], row["from"], row["subject"]) == (ident, "Ann [bold] <ann@careful.test>", "released")
    assert (row["then"], row["alarmed"]) == ("deliver", False)
    listed = (await spam(stage, "review")).output
    assert "Ann [bold] <ann@careful.test>" in listed
    assert "then delivered" in listed
    explained = (await spam(stage, "explain", ident)).output
    assert f"{ident}: held at" in explained
    assert "tag 50.00%, hold 0.00%, reject 95.00%, as MailDomain shop/careful has them" in explained
    assert f"paquebot spam release {ident}.1" in explained
    dry = await spam(stage, "release", ident, "--dry-run", *BY)
    assert "1 delivery would be changed; nothing was" in dry.output
    released = await spam(stage, "release", ident, *BY)
    assert (released.exit_code, released.output) == (0, "released: 1 delivery\n")
    await told(stage, ident, Kind.DELIVERED)
    record = await told(stage, ident, Kind.RELEASED)
    assert (record.author, record.reason) == ("ann", "known customer")
    values = json.loads((await spam(stage, "explain", ident, "--output", "json")).output)
    assert [each["kind"] for each in values["fates"]] == ["released", "delivered"]
    assert values["verdict"]["levels"]["hold"] == 0.0


async def test_what_a_person_refuses_is_reported_to_its_sender_without_the_reason(stage: Stage) -> None:
    ident = await held(stage, "refused")
    refused = await spam(stage, "refuse", ident, "--author", "ann", "--reason", "a scam")
    assert (refused.exit_code, refused.output) == (0, "refused: 1 delivery\n")
    record = await told(stage, ident, Kind.FAILED)
    assert record.reply is not None
    assert (record.reply.code, record.reply.enhanced) == (550, "5.7.1")
    assert record.report
    await told(stage, record.report, Kind.DELIVERED)
    report = next(each.content for each in stage.internet if record.id.encode() in each.content)
    assert reference_of(ident).encode() in report.replace(b"\r\n  ", b" ")
    assert b"a scam" not in report
    assert (await told(stage, ident, Kind.REFUSED)).author == "ann"


async def test_what_nobody_decides_about_is_refused_when_its_time_is_over(stage: Stage) -> None:
    reply = await sends(stage, "late", "strict.test")
    ident = reply.rpartition(" ")[2]
    record = await told(stage, ident, Kind.FAILED)
    assert reference_of(ident) in record.reason
    await told(stage, record.report, Kind.DELIVERED)
    assert not [each for each in await stage.records(ident) if each.kind is Kind.DELIVERED]


async def test_a_refused_sender_gets_a_reference_that_explains_it(stage: Stage) -> None:
    reply = await sends(stage, "gtube", "careful.test", GTUBE)
    assert reply.startswith("550 5.7.1 Refused as unwanted mail.")
    assert "GTUBE" not in reply
    reference = reply.rpartition(" ")[2]
    for _ in range(100):  # until the events have it
        explained = await spam(stage, "explain", reference.upper())
        if explained.exit_code == 0:
            break
    assert "refused at submission at" in explained.output
    assert "It holds the test string for unwanted mail (GTUBE)." in explained.output
    assert "Probability 100.00%: content +" in explained.output


async def test_held_mail_is_decided_about_key_by_key(stage: Stage) -> None:
    idents = [await held(stage, f"key-{number}") for number in range(2)]
    shown = await asyncio.to_thread(at_a_terminal, ["spam", "review", "--state", str(stage.root)], idents)
    assert "2 messages are held by the spam filter" in shown
    assert (await told(stage, idents[0], Kind.RELEASED)).reason == "reviewed"
    assert (await told(stage, idents[1], Kind.REFUSED)).reason == "reviewed: unwanted"
    assert (await spam(stage, "review")).output == "the filter holds nothing\n"


def at_a_terminal(arguments: list[str], idents: list[str]) -> str:
    """Run a command at a terminal; release the first message, refuse the second, quit; return what was shown."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", "from paquebot.cli.main import main; main()", *arguments]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=os.environ | {"TERM": "xterm", "COLUMNS": "200"}
    ) as process:
        os.close(theirs)
        shown = ""
        for awaited, keys in (("key-0", "j\r"), (f"explain {idents[1]}", "kr"), ("released", "x"), ("refused", "q")):
            while awaited not in shown:
                shown += os.read(ours, 65536).decode(errors="replace")
            os.write(ours, keys.encode())
        with contextlib.suppress(OSError):  # the terminal ends with its command
            while os.read(ours, 65536):
                pass
        assert process.wait(30) == 0
    os.close(ours)
    return shown


async def test_what_people_decide_is_shared_for_training_where_the_domain_wants_that(stage: Stage) -> None:
    wanted, unwanted = await held(stage, "share-1"), await held(stage, "share-2")
    await spam(stage, "release", wanted, *BY)
    await spam(stage, "refuse", unwanted, *BY)
    js = await stage.admin()
    shared = {each.id: each for each in await read_shared(js)}
    assert (shared[wanted].label, shared[unwanted].label) == ("ham", "spam")
    assert "Subject: share-1" in shared[wanted].raw
    few = await spam(stage, "retrain", "--data", str(stage.root))
    assert "too few to learn from" in few.output
    assert (await spam(stage, "forget", "mail-system")).exit_code == 0
    assert await read_shared(js) == []
    await js.close()


async def test_what_cannot_be_meant_is_told(stage: Stage) -> None:
    assert "say --all" in (await spam(stage, "refuse", *BY)).output
    assert "no message has the reference" in (await spam(stage, "explain", "06h1s-nt681-r33ch")).output
    assert (await spam(stage, "explain", "nonsense")).exit_code == 2
    assert (await spam(stage, "release", "0193665f-1234-7abc-8def-0123456789ab", *BY)).exit_code == 1
