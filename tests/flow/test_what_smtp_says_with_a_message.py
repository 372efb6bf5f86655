"""What SMTP's extensions say with a message comes out at the other end as it went in."""

import asyncio
from collections.abc import Callable

import pytest

import dkim
from paquebot.cli.dkim import dkim_records
from paquebot.mail.envelope import Wish
from platform_support import SENDER, Stage, content
from tests_support import wait_for

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_wishes_for_reports_reach_the_host_that_takes_the_message(stage: Stage) -> None:
    message = content("wishes")

    def session() -> tuple[int, bytes]:
        with stage.client() as client:
            assert client.has_extn("dsn")
            client.mail(SENDER, ["RET=HDRS", "ENVID=QQ+2B1"])
            client.rcpt("someone@accept.test", ["NOTIFY=SUCCESS,DELAY", "ORCPT=rfc822;Some.One@accept.test"])
            return client.data(message)

    code, _ = await asyncio.to_thread(session)
    assert code == 250
    await wait_for(lambda: [each for each in stage.internet if each.content.endswith(message)], 30)
    (arrived,) = (each for each in stage.internet if each.content.endswith(message))
    assert (arrived.envelope.ret, arrived.envelope.envelope_id) == ("HDRS", "QQ+1")
    wish = Wish(("SUCCESS", "DELAY"), "rfc822;Some.One@accept.test")
    assert arrived.envelope.wishes == {"someone@accept.test": wish}


async def test_an_address_beyond_ascii_and_a_utf8_header_arrive_as_they_were_sent_and_verify(stage: Stage) -> None:
    message = content("Grüße", sender="Änne <orders@shop.test>")

    def session() -> list[int]:
        with stage.client() as client:
            client.command_encoding = "utf-8"
            mailed, _ = client.mail(SENDER, ["SMTPUTF8"])
            code, _ = client.rcpt("jürgen@accept.test")
            return [mailed, code, client.data(message)[0]]

    assert await asyncio.to_thread(session) == [250, 250, 250]
    await wait_for(lambda: [each for each in stage.internet if each.content.endswith(message)], 30)
    (arrived,) = (each for each in stage.internet if each.content.endswith(message))
    assert arrived.envelope.recipients == ("jürgen@accept.test",)
    assert arrived.envelope.utf8
    received = arrived.content.partition(b"\r\nDKIM-")[0]
    assert b"with UTF8SMTPSA" in received.replace(b"\r\n", b"")
    assert received.isascii()
    verified = await asyncio.to_thread(lambda: dkim.verify(arrived.content, dnsfunc=_txt_of(stage)))
    assert verified


def _txt_of(stage: Stage) -> Callable[..., bytes | None]:
    records = dkim_records(stage.place, stage.platform.policy)
    return lambda name, timeout=5: records[name.decode().rstrip(".")].encode() if timeout else None
