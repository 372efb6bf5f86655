"""Against strangers: smtplib and swaks as clients, Postfix as a receiving MX, dkimpy as the verifier."""

import asyncio
import os
import shutil
import smtplib
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from paquebot.cli.send import trust
from paquebot.sandbox.signatures import Verifier
from paquebot.sandbox.zone import Record
from platform_support import PASSWORD, SHOP, Stage, content
from strangers.postfix import Postfix


def needs(program: str) -> pytest.MarkDecorator:
    """Skip loudly without a program that only a distribution can give; CI installs it."""
    return pytest.mark.skipif(
        shutil.which(program) is None, reason=f"{program} is not installed: apt-get install {program}"
    )


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path / "platform")
    await stage.start()
    yield stage
    await stage.stop()


async def test_smtplib_sends_over_both_ports(stage: Stage) -> None:
    def both() -> None:
        with stage.client() as client:
            assert stage.send(content("over-465"), "a@plain.test", client=client).startswith("250")
        with smtplib.SMTP("localhost", stage.platform.ports["smtp"], timeout=30) as client:
            with pytest.raises(smtplib.SMTPNotSupportedError):
                client.login(SHOP, PASSWORD)  # not before STARTTLS
            client.starttls(context=trust(stage.place))
            client.login(SHOP, PASSWORD)
            assert stage.send(content("over-587"), "a@plain.test", client=client).startswith("250")

    await asyncio.to_thread(both)
    await stage.internet.wait_for(2, 30)


async def test_nobody_relays_without_authentication(stage: Stage) -> None:
    def try_it() -> tuple[int, bytes]:
        with smtplib.SMTP("localhost", stage.platform.ports["smtp"], timeout=30) as client:
            client.starttls(context=trust(stage.place))
            client.ehlo()
            return client.mail("orders@shop.test")

    code, text = await asyncio.to_thread(try_it)
    assert (code, text[:5]) == (530, b"5.7.0")


@needs("swaks")
async def test_swaks_sends_with_starttls_and_auth(stage: Stage) -> None:
    command = ["swaks", "--server", f"localhost:{stage.platform.ports['smtp']}", "-tls", "--auth", "LOGIN"]
    command += ["--auth-user", SHOP, "--auth-password", PASSWORD, "--from", "orders@shop.test"]
    command += ["--to", "someone@accept.test", "--header", "Subject: from swaks"]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "250 2.0.0 Ok: queued as" in done.stdout
    await stage.internet.wait_for(1, 30)
    assert b"Subject: from swaks" in stage.internet.received[0].content


@needs("postfix")
@pytest.mark.skipif(os.geteuid() != 0, reason="Postfix needs root to start")
async def test_postfix_takes_every_octet_and_dkim_is_good(tmp_path_factory: pytest.TempPathFactory) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    folder = Path("/tmp") / f"paquebot-postfix-{os.getpid()}"  # noqa: S108  (unix sockets want short paths)
    postfix = Postfix(folder, "127.0.0.1", port)
    postfix.start()
    records = (Record("postfix.test", "MX", "10 mx.postfix.test."), Record("mx.postfix.test", "A", "127.0.0.1"))
    stage = Stage(tmp_path_factory.mktemp("platform"), mx_port=port, more_records=records)
    await stage.start()
    try:
        dots = content("dots", body=".\r\n..\r\n.end\r\n")
        binary = content("eight-bit", body="Grüße, žluťoučký kůň\r\n")
        large = content("large", body="A line of a large message.\r\n" * 40_000)
        for message in (dots, binary, large):
            assert (await stage.submit(message, "someone@postfix.test")).startswith("250")
        arrived = await postfix.wait_for(3)
        verifier = Verifier(stage.internet.resolver_address)
        for message in (dots, binary, large):
            whole = next(each for each in arrived if each.endswith(message.replace(b"\r\n", b"\n")))
            ours = whole[whole.index(b"Received: from ", whole.index(b"Received: ") + 1) :]
            assert await asyncio.to_thread(verifier.is_good, ours.replace(b"\n", b"\r\n"))
    finally:
        await stage.stop()
        postfix.stop()
        shutil.rmtree(folder, ignore_errors=True)
