"""What SMTP's extensions say with a message comes out at the other end as it went in."""

import asyncio

import pytest

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
