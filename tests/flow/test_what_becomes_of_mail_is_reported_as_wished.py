"""Reports come home as the sender wished, each told by a message that a mail program understands."""

import asyncio
import email
from collections.abc import AsyncIterator
from email import policy
from email.message import EmailMessage

import pytest
import pytest_asyncio

from deliverer.hosts import Host
from paquebot.cli.demo.account import queued_id
from paquebot.mail.envelope import Wish
from paquebot.mail.record import Kind, Record
from paquebot.sandbox.mxhost import Received
from paquebot.sandbox.zone import Record as DnsRecord
from platform_support import SENDER, Stage, content
from tests_support import wait_for

pytestmark = pytest.mark.asyncio(loop_scope="module")
PLAIN_HOST = "127.0.1.9"  # it has never heard of DSN


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    records = DnsRecord("nodsn.test", "MX", "10 mx.nodsn.test."), DnsRecord("mx.nodsn.test", "A", PLAIN_HOST)
    stage = Stage(tmp_path_factory.mktemp("platform"), retry={"delayNotice": "2s"}, more_records=records)
    await stage.start()
    host = Host(EHLO=b"250-mx.nodsn.test\r\n250 PIPELINING\r\n")
    server = await asyncio.start_server(host.serve, PLAIN_HOST, stage.internet.mx_port)
    yield stage
    server.close()
    for writer in host.writers:
        writer.transport.abort()
    await stage.stop()


async def send(stage: Stage, message: bytes, recipient: str, wish: str, *about: str) -> str:
    """Send with DSN parameters; return the id."""

    def session() -> str:
        with stage.client() as client:
            assert client.mail(SENDER, list(about))[0] == 250
            assert client.rcpt(recipient, wish.split())[0] == 250
            code, text = client.data(message)
            assert code == 250
            return text.decode().rpartition(" ")[2]

    return await asyncio.to_thread(session)


async def report_about(stage: Stage, subject: str) -> Received:
    def found() -> list[Received]:
        return [
            each
            for each in stage.internet
            if each.envelope.reverse_path == "" and f"Message-ID: <{subject}@".encode() in each.content
        ]

    await wait_for(found, 40)
    return found()[0]


def read(report: Received) -> tuple[str, list[dict[str, str]], str, str]:
    """Return a report's text, its groups of fields, the type of what is returned, and that itself."""
    message = email.message_from_bytes(report.content, policy=policy.SMTP)
    assert not message.defects
    assert message["To"] == SENDER
    assert message["Auto-Submitted"] == "auto-replied"
    text, status, returned = message.iter_parts()  # type: ignore[attr-defined]
    assert isinstance(text, EmailMessage)
    groups = [{name: " ".join(str(value).split()) for name, value in group.items()} for group in status.get_payload()]
    return " ".join(text.get_content().split()), groups, returned.get_content_type(), returned.as_string()


async def happened(stage: Stage, ident: str, kind: Kind) -> list[Record]:
    """Wait until that has happened to a message; return all of its records."""
    for _ in range(200):
        records = await stage.records(ident)
        if any(record.kind is kind for record in records):
            return records
        await asyncio.sleep(0.1)
    raise AssertionError(f"{ident} was never {kind}")


async def test_a_failure_names_sender_s_and_our_names_and_gives_all_back(stage: Stage) -> None:
    message = content("fails")
    wish = "NOTIFY=FAILURE ORCPT=rfc822;Some+2BOne@elsewhere.test"
    ident = await send(stage, message, "unknown@refuse.test", wish, "RET=FULL", "ENVID=order+3D7")
    report = await report_about(stage, "fails")
    assert report.envelope.recipients == (SENDER,)
    assert report.envelope.wishes == {SENDER: Wish(("NEVER",))}
    text, (about, recipient), returned_type, returned = read(report)
    assert about.pop("Arrival-Date")
    assert about == {"Original-Envelope-Id": "order=7", "Reporting-MTA": "dns; mail.paquebot.test"}
    assert recipient.pop("Last-Attempt-Date")
    assert recipient == {
        "Original-Recipient": "rfc822; Some+One@elsewhere.test",
        "Final-Recipient": "rfc822; unknown@refuse.test",
        "Action": "failed",
        "Status": "5.1.1",
        "Remote-MTA": "dns; mx.refuse.test",
        "Diagnostic-Code": "smtp; 550 5.1.1 No such user here",
    }
    assert "It will not be tried again" in text
    assert returned_type == "message/rfc822"
    assert "DKIM-Signature:" in returned
    assert message.decode().replace("\r\n", "\n") in returned.replace("\r\n", "\n")
    records = await happened(stage, ident, Kind.FAILED)
    assert [record.report for record in records if record.kind is Kind.FAILED] == [queued_id(report.content)]


async def test_that_it_is_late_is_told_once_and_until_when(stage: Stage) -> None:
    ident = await send(stage, content("late"), "someone@full.test", "")
    report = await report_about(stage, "late")
    text, (_, recipient), returned_type, returned = read(report)
    assert (recipient["Action"], recipient["Status"]) == ("delayed", "4.2.2")
    assert recipient["Will-Retry-Until"] in text
    assert "You need not do anything" in text
    assert returned_type == "text/rfc822-headers"
    assert "Hello." not in returned
    tried: list[Record] = []
    while len(tried) < 5 or tried[-1].report:  # and again after the report
        tried = [record for record in await stage.records(ident) if record.kind is Kind.DEFERRED]
    assert [record.report for record in tried if record.report] == [queued_id(report.content)]
    assert len([each for each in stage.internet if f"{ident}." in each.content.decode("latin-1")]) == 1


async def test_success_is_told_where_the_next_host_will_not_tell_it(stage: Stage) -> None:
    ident = await send(stage, content("relayed"), "someone@nodsn.test", "NOTIFY=SUCCESS", "RET=FULL")
    report = await report_about(stage, "relayed")
    text, (_, recipient), returned_type, _ = read(report)
    assert (recipient["Action"], recipient["Status"]) == ("relayed", "2.0.0")
    assert recipient["Remote-MTA"] == "dns; mx.nodsn.test"
    assert "They do not send reports of success" in text
    assert returned_type == "text/rfc822-headers"
    records = await happened(stage, ident, Kind.DELIVERED)
    assert records[-1].report == queued_id(report.content)


@pytest.mark.parametrize(
    ("recipient", "wish", "end"),
    [
        ("someone@accept.test", "NOTIFY=SUCCESS", Kind.DELIVERED),  # it has taken the duty over
        ("someone@nodsn.test", "", Kind.DELIVERED),
        ("unknown@refuse.test", "NOTIFY=NEVER", Kind.FAILED),
        ("unknown@refuse.test", "NOTIFY=SUCCESS,DELAY", Kind.FAILED),
        ("someone@full.test", "NOTIFY=FAILURE", Kind.DEFERRED),
    ],
)
async def test_nothing_is_told_that_was_not_wished_for(stage: Stage, recipient: str, wish: str, end: Kind) -> None:
    ident = await send(stage, content("quiet"), recipient, wish)
    records = await happened(stage, ident, end)
    while end is Kind.DEFERRED and records[-1].at_ms < records[0].at_ms + 2000:
        records = await stage.records(ident)
    assert not [record.report for record in records if record.report]
    assert not [record for record in await stage.records() if record.report_of.startswith(ident)]
