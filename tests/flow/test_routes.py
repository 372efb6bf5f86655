"""Mail that takes another way: through a smarthost that wants a login, another pool, held, and refused."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from paquebot.mail.record import Kind
from paquebot.runtime.authority import create_authority, issue
from paquebot.runtime.tls import server_context
from paquebot.sandbox.zone import Record as DnsRecord
from platform_support import Stage, content
from relay import Relay, listening
from tests_support import wait_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

POOL = """---
{apiVersion: paquebot.dev/v1alpha1, kind: SendingPool, metadata: {name: bulk, namespace: mail-system},
 spec: {heloHostname: bulk.paquebot.test}}
"""
ROUTE = """---
{apiVersion: paquebot.dev/v1alpha1, kind: TransportRoute, metadata: {name: %s, namespace: mail-system},
 spec: {match: {recipientDomains: [%s]}, action: {%s}}}
"""


def routes(port: int) -> str:
    smarthost = f"smarthost: {{host: relay.test, port: {port}, credentialsSecretRef: {{name: partner}}}}"
    absent = f"smarthost: {{host: relay.test, port: {port}, credentialsSecretRef: {{name: absent}}}}"
    return POOL + "".join(
        ROUTE % each
        for each in (
            ("partner", "nxdomain.test", smarthost),
            ("absent", "nullmx.test", absent),
            ("bulk", "plain.test", "pool: {name: bulk}"),
            ("incident", "accept.test", "hold: {reason: incident 42}"),
            ("refuse", "spam.test", 'reject: {reply: "553 5.7.1 We do not write to them"}'),
        )
    )


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def relay(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Relay]:
    root: Path = tmp_path_factory.mktemp("relay")
    create_authority(root / "authority")
    issue(root / "authority", "relay", root / "relay", ("relay.test",))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(root / "relay" / "ca.crt"))
        async with listening(Relay(server_context(root / "relay"))) as one:
            yield one


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory, relay: Relay) -> AsyncIterator[Stage]:
    own = (DnsRecord("relay.test", "A", "127.0.0.1"),)
    stage = Stage(tmp_path_factory.mktemp("platform"), routes(relay.port), more_records=own)
    stage.place.write_login("mail-system.partner", relay.username, relay.password)
    await stage.start()
    yield stage
    await stage.stop()


async def waits(stage: Stage, reply: str) -> str:
    """Return the reason with which a message waits."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        reasons = [each.reason for each in await stage.waiting() if each.id == reply.rpartition(" ")[2]]
        if reasons and reasons[0]:
            return reasons[0]
    pytest.fail("it does not wait")


async def test_a_smarthost_takes_it_after_tls_and_login_whatever_dns_says(stage: Stage, relay: Relay) -> None:
    message = content("by-smarthost")
    await stage.submit(message, "someone@nxdomain.test")
    await wait_for(lambda: relay.taken, 30)
    assert relay.taken[0].endswith(message + b".\r\n")
    assert relay.logins == [("PLAIN", True)]
    logs = "".join(path.read_text() for path in stage.place.logs.glob("*.log"))
    assert relay.password not in logs


async def test_a_login_that_is_missing_defers_and_says_which(stage: Stage) -> None:
    reason = await waits(stage, await stage.submit(content("no-login"), "someone@nullmx.test"))
    assert "Secret mail-system/absent is not here with a username and a password" in reason


async def test_another_pool_sends_it(stage: Stage) -> None:
    message = content("by-another-pool")
    reply = await stage.submit(message, "a@plain.test")
    await wait_for(lambda: [each for each in stage.internet if each.content.endswith(message)], 30)
    pools: set[str] = set()
    for _ in range(100):
        pools = {each.pool for each in await stage.records(reply.rpartition(" ")[2])}
        if len(await stage.records(reply.rpartition(" ")[2])) > 1:
            break
    assert pools == {"mail-system_bulk"}


async def test_a_content_for_two_pools_reaches_both(stage: Stage) -> None:
    message = content("two-pools", body="0123456789abcdef\r\n" * 20_000)
    await stage.submit(message, "a@plain.test", "b@implicit.test")
    await wait_for(lambda: len([each for each in stage.internet if each.content.endswith(message)]) == 2, 30)


async def test_what_a_route_holds_waits_with_its_reason(stage: Stage) -> None:
    reply = await stage.submit(content("held"), "a@accept.test")
    assert await waits(stage, reply) == "held by TransportRoute mail-system/incident: incident 42"
    assert [each.kind for each in await stage.records(reply.rpartition(" ")[2])] == [Kind.ACCEPTED, Kind.HELD]


async def test_what_a_route_refuses_is_refused_at_rcpt(stage: Stage) -> None:
    reply = await stage.submit(content("refused"), "a@spam.test")
    assert reply == "553 5.7.1 We do not write to them"
