"""A taken-over account is caught, held, suspended and cleaned up after, while its neighbours send on."""

import asyncio
import smtplib
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from click.testing import CliRunner, Result

from history_support import own
from paquebot.cli.main import main
from paquebot.mail.record import Kind
from paquebot.queue.reputation import Shelf
from paquebot.spamfilter.history.account import Account, newcomer
from paquebot.spamfilter.history.codec import encode_account
from paquebot.spamfilter.history.keys import account_key
from platform_support import Stage, content

pytestmark = pytest.mark.asyncio(loop_scope="module")
VAULT, SENDER = "vault.app", "desk@vault.test"
# Content alone decides nothing here: what stops the mail is that the account does not act like itself.
VAULT_MANIFESTS = """
---
{apiVersion: paquebot.dev/v1alpha1, kind: MailDomain, metadata: {name: vault, namespace: vault},
 spec: {domain: vault.test, content: {tag: Never, hold: Never, reject: Never}}}
---
{apiVersion: paquebot.dev/v1alpha1, kind: SMTPCredential, metadata: {name: app, namespace: vault},
 spec: {domainRefs: [{name: vault}]}}
"""
KEY = account_key("vault", "app")
NEWS = ("news.weekly", "editor@news.test")
FRAUD_MAX = 60
FRAUD = (
    '<form action="http://192.0.2.9/in"><input type="password"></form><script>go()</script>'
    '<a href="http://user@192.0.2.9/x">https://www.paypal.com/</a> Your account is locked. Sign in within 24 hours.\r\n'
)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("platform"), VAULT_MANIFESTS)
    await stage.start()
    yield stage
    await stage.stop()


def fraud(number: int) -> bytes:
    fields = ["From: PayPal <desk@vault.test>", f"Subject: Locked {number}", "MIME-Version: 1.0"]
    fields += ["Reply-To: help@gmx.net", "Content-Type: text/html; charset=utf-8"]
    return ("\r\n".join(fields) + "\r\n\r\n" + FRAUD).encode()


def habits(now_s: float) -> Account:
    """Return the history of an account that has sent plain mail for weeks."""
    account = newcomer(now_s - 100 * 7200)
    for number in range(100):
        account = account.after(own(number, now_s - (100 - number) * 7200, -4.5))
    return account


async def command(stage: Stage, *arguments: str) -> Result:
    given = [*arguments, "--state", str(stage.root)]
    return await asyncio.to_thread(CliRunner().invoke, main, given)


async def remembered(stage: Stage) -> None:
    """Give the account a history, and have the filter look it up and count a message of it."""
    js = await stage.admin()
    try:
        shelf = Shelf(js)
        seq = await shelf.write(KEY, encode_account(habits(time.time())), 0, 3600)
        await stage.submit(content("first", SENDER), "someone@accept.test", username=VAULT, sender=SENDER)
        async with asyncio.timeout(60):
            while (await shelf.read((KEY,)))[KEY].seq == seq:
                await asyncio.sleep(0.2)
    finally:
        await js.close()


async def sent_until_refused(stage: Stage) -> tuple[list[str], str]:
    """Send fraud in one session until it is refused for good; return what was accepted, and the refusal."""

    def session() -> tuple[list[str], str]:
        accepted: list[str] = []
        with stage.client(VAULT) as client:
            for number in range(FRAUD_MAX):
                to = f"victim{number}@{'full.test' if number % 2 else 'accept.test'}"
                try:
                    client.sendmail(SENDER, [to], fraud(number))
                except smtplib.SMTPSenderRefused as refused:
                    return accepted, f"{refused.smtp_code} {refused.smtp_error.decode()}"
                except smtplib.SMTPResponseException as refused:
                    accepted.append(f"{refused.smtp_code}")
                    continue
                accepted.append("250")
                time.sleep(0.2)
        return accepted, ""

    return await asyncio.to_thread(session)


async def test_it_is_held_then_suspended_then_cancelled_and_resumed(stage: Stage) -> None:
    begun = datetime.now(UTC).isoformat(timespec="seconds")
    await remembered(stage)
    neighbours = [
        asyncio.create_task(
            stage.submit(content(f"news-{n}", NEWS[1]), f"r{n}@accept.test", username=NEWS[0], sender=NEWS[1])
        )
        for n in range(5)
    ]
    accepted, refusal = await sent_until_refused(stage)
    assert refusal.startswith("550 5.7.13 Credential vault.app is suspended until "), (accepted, refusal)
    assert "its mail is unlike what it sent before" in refusal
    arrived = [each for each in stage.internet.received if b"Locked" in each.content]
    assert len(arrived) < FRAUD_MAX / 3  # it would have been half of all
    assert await until_login(stage, lets_in=False) == 525
    kinds = {record.kind for record in await stage.records()}
    assert {Kind.ALARMED, Kind.SUSPENDED, Kind.HELD} <= kinds
    listed = await command(stage, "orders")
    assert "the spam filter" in listed.output
    selected = ("--credential", VAULT, "--since", begun, "--reason", "taken over", "--author", "ann")
    dry = await command(stage, "queue", "cancel", *selected, "--dry-run")
    assert "would be changed; nothing was" in dry.output
    async with asyncio.timeout(120):
        while not (await command(stage, "queue", "cancel", *selected, "--dry-run")).exit_code:
            await command(stage, "queue", "cancel", *selected, "--yes")
    assert all(reply.startswith("250") for reply in await asyncio.gather(*neighbours))
    resumed = await command(stage, "resume", "credential", VAULT, "--author", "ann")
    assert "credential vault.app is resumed" in resumed.output
    assert await until_login(stage, lets_in=True) == 0
    assert len([each for each in stage.internet.received if b"Locked" in each.content]) == len(arrived)


async def until_login(stage: Stage, *, lets_in: bool) -> int:
    """Return what a login is answered with, 0 when it is let in, once that is as it should be."""
    async with asyncio.timeout(60):
        while True:
            code = 0
            try:
                (await asyncio.to_thread(stage.client, VAULT)).close()
            except smtplib.SMTPAuthenticationError as refused:
                code = refused.smtp_code
            if lets_in is not bool(code):
                return code
            await asyncio.sleep(0.5)
