"""One message to each manner of host ends where it should, with its records."""

import pytest

from paquebot.mail.record import Kind
from platform_support import NEWS, Stage, content
from tests_support import wait_for

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    "domain",
    ["accept.test", "plain.test", "implicit.test", "firstdead.test", "greylist.test", "throttle.test"],
)
async def test_it_arrives_once_with_every_octet(stage: Stage, domain: str) -> None:
    message = content(f"to-{domain}")
    reply = await stage.submit(message, f"someone@{domain}")
    assert reply.startswith("250 2.0.0 Ok: queued as ")
    await wait_for(lambda: [each for each in stage.internet if each.content.endswith(message)], 30)
    arrived = [each for each in stage.internet if each.content.endswith(message)]
    assert len(arrived) == 1
    assert arrived[0].envelope.recipients == (f"someone@{domain}",)
    assert arrived[0].tls == (domain != "plain.test")


@pytest.mark.parametrize(
    ("recipient", "status"),
    [
        ("unknown@refuse.test", "5.1.1"),
        ("x@nullmx.test", "5.1.10"),
        ("x@nxdomain.test", "5.1.2"),
        ("x@spam.test", "5.7.1"),
    ],
)
async def test_a_failure_comes_home_as_a_report(stage: Stage, recipient: str, status: str) -> None:
    before = len(stage.internet.received)
    reply = await stage.submit(content(f"fails-{recipient.partition('@')[2]}"), recipient)
    await wait_for(lambda: any(status.encode() in each.content for each in stage.internet.received[before:]), 30)
    report = next(each for each in stage.internet.received[before:] if status.encode() in each.content)
    assert report.envelope.reverse_path == ""
    assert report.envelope.recipients == ("orders@shop.test",)
    kinds: list[Kind] = []
    for _ in range(100):  # the report goes first, its record follows
        kinds = [each.kind for each in await stage.records(reply.rpartition(" ")[2]) if each.kind is not Kind.ACCEPTED]
        if kinds:
            break
    assert kinds == [Kind.FAILED]


async def test_recipients_of_one_message_each_have_their_own_fate(stage: Stage) -> None:
    message = content("many-fates")
    reply = await stage.submit(message, "a@accept.test", "b@plain.test", "unknown@refuse.test", "known@refuse.test")
    await wait_for(lambda: len([each for each in stage.internet if each.content.endswith(message)]) == 3, 30)
    arrived = [
        recipient for each in stage.internet if each.content.endswith(message) for recipient in each.envelope.recipients
    ]
    assert sorted(arrived) == ["a@accept.test", "b@plain.test", "known@refuse.test"]
    assert reply.startswith("250")


async def test_what_waits_says_why_and_until_when(stage: Stage) -> None:
    reply = await stage.submit(content("waits"), "someone@full.test")
    ident = reply.rpartition(" ")[2]
    waiting = []
    for _ in range(50):
        waiting = [each for each in await stage.waiting() if each.id == ident and each.reason]
        if waiting:
            break
    assert waiting[0].reason == "RCPT was answered with 452 4.2.2 Mailbox full"


async def test_a_credential_sends_only_as_its_own(stage: Stage) -> None:
    assert (await stage.submit(content("x"), "a@accept.test", username=NEWS)).startswith("550 5.7.1")
    forged = content("forged", sender="ceo@bank.example")
    assert (await stage.submit(forged, "a@accept.test")).startswith("550 5.7.1")
