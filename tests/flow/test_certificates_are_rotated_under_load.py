"""Every leaf and the root itself change while mail flows: no session ends, no message is lost or sent twice."""

import asyncio
import signal
import smtplib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paquebot.cli.place import IDENTITIES
from paquebot.runtime.authority import Pair, make_authority, make_leaf
from platform_support import Stage, content

pytestmark = pytest.mark.asyncio(loop_scope="module")
SITTING = 5  # messages of one session, at each step


def replace(path: Path, text: bytes) -> None:
    fresh = path.with_suffix(".fresh")
    fresh.write_bytes(text)
    fresh.chmod(0o600)
    fresh.replace(path)


def write(stage: Stage, roots: bytes, issuer: Pair | None = None) -> None:
    """Give every identity these roots, and a leaf of the issuer, as the operator and a kubelet would."""
    for name in (*IDENTITIES, "smtp"):
        folder = stage.place.identity(name)
        if issuer is not None:
            leaf = make_leaf(
                issuer, (name, "localhost", "mail.paquebot.test", "127.0.0.1", "::1"), 90, datetime.now(UTC)
            )
            replace(folder / "tls.crt", leaf.certificate)
            replace(folder / "tls.key", leaf.key)
        replace(folder / "ca.crt", roots)
    assert stage.platform.nats is not None
    assert stage.platform.nats.process is not None
    stage.platform.nats.process.send_signal(signal.SIGHUP)


async def test_a_root_is_replaced_in_three_steps_and_nobody_notices(stage: Stage) -> None:
    old = (stage.place.root / "authority" / "ca.crt").read_bytes()
    new = make_authority("another", 3650, datetime.now(UTC))
    replies: list[str] = []
    long_lived = await asyncio.to_thread(stage.client)
    for number, (roots, issuer) in enumerate(
        ((old, None), (old + new.certificate, None), (old + new.certificate, new), (new.certificate, None))
    ):
        if number:
            write(stage, roots, issuer)
        for message in range(SITTING):
            name = f"kept-{number}-{message}"
            replies.append(await asyncio.to_thread(send, stage, long_lived, name))
            replies.append(await stage.submit(content(f"new-{number}-{message}"), "b@accept.test"))
    assert all(reply.startswith("250") for reply in replies)
    await asyncio.to_thread(long_lived.quit)
    await stage.internet.wait_for(len(stage.sent), 60)  # what a killed deliverer has in hand comes a minute later
    # Whoever starts anew now, or connects again, does so with what was written last.
    for name, service in stage.platform.services.items():
        if name in {"router", "auth"} or service.module == "paquebot.deliverer":
            assert service.process is not None
            service.process.kill()
    restarted = stage.platform.nats
    assert restarted is not None
    await asyncio.to_thread(restarted.stop)
    await asyncio.to_thread(restarted.start)
    async with asyncio.timeout(60):
        while not (await again(stage)).startswith("250"):
            await asyncio.sleep(0.2)
    await stage.internet.wait_for(len(stage.sent), 60)
    assert len({each.content for each in stage.internet}) == len(stage.sent)


def send(stage: Stage, client: smtplib.SMTP, name: str) -> str:
    return stage.send(content(name), "a@accept.test", client=client)


async def again(stage: Stage) -> str:
    try:
        return await stage.submit(content("at-the-end"), "c@accept.test")
    except (smtplib.SMTPException, OSError) as error:
        return str(error)
