"""Strangers as clients: what they hand to us arrives at the receiving host octet for octet, DKIM is good."""

import asyncio
import os
import re
import smtplib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from paquebot.cli.send import trust
from paquebot.sandbox.mxhost import Received
from paquebot.sandbox.signatures import Verifier
from platform_support import PASSWORD, SENDER, SHOP, Stage, content
from strangers.clients import CLIENTS, Errand
from strangers.conftest import CROWD, CROWD_SENDER, EXTRA, require
from strangers.door import Door
from strangers.postfix import Postfix, Relaying
from tests_support import wait_for

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]
FULL = bool(os.environ.get("STRANGERS_FULL"))  # `make strangers`
ENTRANCE, CROWD_ENTRANCE = Door("relay", "127.0.31.1"), Door("crowd", "127.0.31.2")
LARGE = "A line of a large message, seventy octets of it, that says nothing new.\r\n" * 340_000
BODIES = {
    "seven": ".\r\n..\r\n.end\r\n\r\n  x\r\n",
    "eight": "Grüße, žluťoučký kůň\r\n",
    "utf8": "Grüße\r\n",
    "large": LARGE,
    "crowd": "Hello, all of you.\r\n",
}
MANY = {*CLIENTS} - {"git-send-email"}  # nobody sends such mail with it
LARGE_BY, CROWD_BY = (MANY, MANY) if FULL else (set[str](), {"msmtp"})
REFUSED = {("swaks", "utf8"), ("git-send-email", "utf8"), ("msmtp", "utf8")}  # they do not say SMTPUTF8
CELLS = [
    (client, kind)
    for client in CLIENTS
    for kind in BODIES
    if (kind != "large" or client in LARGE_BY) and (kind != "crowd" or client in CROWD_BY)
]


@dataclass
class Clients:
    stage: Stage
    folder: Path

    def errand(self, client: str, kind: str) -> Errand:
        sender = CROWD_SENDER if kind == "crowd" else SENDER
        crowd = tuple(f"someone-{number}@accept.test" for number in range(500))
        recipients = {"crowd": crowd, "utf8": ("jürgen@accept.test",)}.get(kind, ("someone@accept.test",))
        message = content(f"{kind}-by-{client}", sender, BODIES[kind])
        if not message.isascii():
            fields = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            message = message.replace(b"\r\n\r\n", b"\r\n" + fields, 1)
        path = self.folder / f"{kind}-by-{client}.eml"
        path.write_bytes(message)
        entrance, username = (CROWD_ENTRANCE, CROWD) if kind == "crowd" else (ENTRANCE, SHOP)
        return Errand(self.stage, username, sender, recipients, path, entrance)

    def arrived(self, errand: Errand) -> list[Received]:
        mark = f"<{errand.path.stem}@".encode()
        return [each for each in self.stage.internet if mark in each.content and each.envelope.reverse_path]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def clients(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Clients]:
    require("postfix", "swaks", "msmtp", "curl", "git-send-email")
    stage = Stage(tmp_path_factory.mktemp("platform"), EXTRA)
    await stage.start()
    identity, smtps = stage.place.identity("smtp"), stage.platform.ports["smtps"]
    relays = [
        Postfix(folder / door.name, (), Relaying(door, smtps, identity / "ca.crt", f"{username}:{PASSWORD}"))
        for door, username in ((ENTRANCE, SHOP), (CROWD_ENTRANCE, CROWD))
    ]
    try:
        for relay in relays:
            await asyncio.to_thread(relay.start, stage.internet.mx_port, identity)
        yield Clients(stage, tmp_path_factory.mktemp("mail"))
    finally:
        for relay in relays:
            relay.stop()
        await stage.stop()


@pytest.mark.parametrize(("client", "kind"), CELLS)
async def test_what_it_hands_over_arrives_equal(clients: Clients, client: str, kind: str) -> None:
    errand = clients.errand(client, kind)
    told = await asyncio.to_thread(CLIENTS[client], errand)
    if (client, kind) in REFUSED:
        assert re.search(r"55[03] 5\.6\.7|SMTPUTF8", told), told[-2000:]
        return

    def taken() -> list[str]:
        return [recipient for each in clients.arrived(errand) for recipient in each.envelope.recipients]

    await wait_for(lambda: len(taken()) >= len(errand.recipients), 40)
    assert sorted(taken()) == sorted(errand.recipients), told[-2000:]
    for each in clients.arrived(errand):
        assert same(client, each.content, errand.path.read_bytes())
    verifier = Verifier(clients.stage.internet.resolver_address)
    assert await asyncio.to_thread(verifier.is_good, clients.arrived(errand)[0].content)


def same(client: str, arrived: bytes, handed: bytes) -> bool:
    """Compare all octets; git composes a header of its own around the body."""
    return arrived.endswith(handed.partition(b"\r\n\r\n")[2] if client == "git-send-email" else handed)


async def test_smtplib_sends_over_both_ports(clients: Clients) -> None:
    stage = clients.stage
    messages = [content("over-465"), content("over-587")]

    def both() -> None:
        with stage.client() as client:
            assert stage.send(messages[0], "a@plain.test", client=client).startswith("250")
        with smtplib.SMTP("localhost", stage.platform.ports["smtp"], timeout=30) as client:
            with pytest.raises(smtplib.SMTPNotSupportedError):
                client.login(SHOP, PASSWORD)  # not before STARTTLS
            client.starttls(context=trust(stage.place))
            client.login(SHOP, PASSWORD)
            assert stage.send(messages[1], "a@plain.test", client=client).startswith("250")

    await asyncio.to_thread(both)
    for message in messages:
        await wait_for(lambda: any(each.content.endswith(message) for each in stage.internet), 30)  # noqa: B023


async def test_nobody_relays_without_authentication(clients: Clients) -> None:
    def try_it() -> tuple[int, bytes]:
        with smtplib.SMTP("localhost", clients.stage.platform.ports["smtp"], timeout=30) as client:
            client.starttls(context=trust(clients.stage.place))
            client.ehlo()
            return client.mail("orders@shop.test")

    code, text = await asyncio.to_thread(try_it)
    assert (code, text[:5]) == (530, b"5.7.0")
