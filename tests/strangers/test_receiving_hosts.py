"""Strangers as receiving hosts, each EHLO keyword off in turn: what arrives is equal octet for octet, DKIM is good."""

import asyncio
import os

import pytest
import pytest_asyncio

from paquebot.sandbox.mxhost import Received
from paquebot.sandbox.signatures import Verifier
from platform_support import SENDER, SHOP, content
from strangers.conftest import CROWD, CROWD_SENDER, Hosts
from strangers.door import wait_for_mail
from strangers.exim import SWITCHES as EXIM_SWITCHES
from strangers.postfix import KEYWORDS
from strangers.sink import SWITCHES as SINK_SWITCHES
from tests_support import wait_for

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]
FULL = bool(os.environ.get("STRANGERS_FULL"))  # `make strangers`

LACKING = {"postfix": KEYWORDS, "exim": tuple(EXIM_SWITCHES), "opensmtpd": ("STARTTLS", "DSN")}
LACKING |= {"sink": tuple(filter(None, SINK_SWITCHES))}
DOORS = [
    f"no-{without.lower()}.{name}" if without else name for name, lacks in LACKING.items() for without in ("", *lacks)
]
LONG = "x" * 998
SEVEN = content("seven", body=f".\r\n..\r\n.end\r\n\r\n  \t\r\n{LONG}\r\n \r\n\r\n")
EIGHT = content("eight", body="Grüße, žluťoučký kůň\r\n")
UTF8 = content("utf8", body="Grüße\r\n").replace(b"Subject: utf8", "Subject: Grüße, 你好".encode())
LARGE = content(
    "large", body=("A line of a large message, seventy octets of it, that says nothing new." + "\r\n") * 340_000
)
CROWDED = content("crowded", CROWD_SENDER)
KINDS = {
    # what is sent, to whom, with which parameters of MAIL, and what a host must offer for it
    "seven": (SEVEN, "someone", (), set()),
    "eight": (EIGHT, "someone", ("BODY=8BITMIME",), {"8BITMIME"}),
    "utf8": (UTF8, "jürgen", ("BODY=8BITMIME", "SMTPUTF8"), {"8BITMIME", "SMTPUTF8"}),
}


async def send(
    hosts: Hosts, message: bytes, recipients: list[str], options: tuple[str, ...] = (), sender: str = SENDER
) -> None:
    def session() -> None:
        with hosts.stage.client(CROWD if sender == CROWD_SENDER else SHOP) as client:
            assert client.mail(sender, list(options))[0] == 250
            for recipient in recipients:
                assert client.rcpt(recipient)[0] == 250
            code, text = client.data(message)
            assert code == 250, text

    await asyncio.to_thread(session)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def sent(hosts: Hosts) -> Hosts:
    """Send one message of each kind to every door, all at once."""
    for message, local, options, _ in KINDS.values():
        await send(hosts, message, [f"{local}@{door.domain}" for door in hosts.doors.values()], options)
    return hosts


def mark(message: bytes) -> bytes:
    return next(line for line in message.split(b"\r\n") if line.startswith(b"Message-ID:"))


async def is_good(hosts: Hosts, mail: bytes) -> bool | None:
    """Say whether the signatures verify; what the host has put above our Received is not ours."""
    ours = mail[mail.index(b"\nReceived: from ", mail.index(b"Received: ") + 1) + 1 :]
    verifier = Verifier(hosts.stage.internet.resolver_address)
    return await asyncio.to_thread(verifier.is_good, ours.replace(b"\n", b"\r\n"))


def reports_about(hosts: Hosts, message: bytes, recipient: str) -> list[Received]:
    final = f"-Recipient: {'rfc822' if recipient.isascii() else 'utf-8'}; {recipient}\r\n".encode()
    return [each for each in hosts.stage.internet if mark(message) in each.content and final in each.content]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kind", KINDS)
async def test_it_arrives_equal_or_comes_back_with_the_reason(sent: Hosts, kind: str, door: str) -> None:
    message, local, _, needed = KINDS[kind]
    stranger, one = sent.stranger(door), sent.doors[door]
    offered = one.keywords(sent.port)
    assert one.without not in offered
    if needed <= offered:
        mail = await wait_for_mail(stranger, one, message)
        assert mail.endswith(message.replace(b"\r\n", b"\n"))
        assert await is_good(sent, mail)
    else:
        recipient = f"{local}@{one.domain}"
        await wait_for(lambda: reports_about(sent, message, recipient), 60)
        (report,) = reports_about(sent, message, recipient)
        status = "5.6.7" if "SMTPUTF8" in needed - offered else "5.6.3"
        assert f"\r\nStatus: {status}\r\n".encode() in report.content


@pytest.mark.parametrize("door", ["postfix", "exim", "opensmtpd"] if FULL else ["postfix"])
async def test_25_megabytes_arrive_equal(hosts: Hosts, door: str) -> None:
    assert 24_000_000 < len(LARGE) < 25_000_000
    message = LARGE.replace(b"<large@", f"<large-{door}@".encode())
    await send(hosts, message, [f"someone@{hosts.doors[door].domain}"])
    mail = await wait_for_mail(hosts.stranger(door), hosts.doors[door], message, 120)
    assert mail.endswith(message.replace(b"\r\n", b"\n"))
    assert await is_good(hosts, mail)


@pytest.mark.parametrize("door", ["postfix", "exim", "opensmtpd"] if FULL else ["exim"])
async def test_500_recipients_each_get_it(hosts: Hosts, door: str) -> None:
    one = hosts.doors[door]
    message = CROWDED.replace(b"<crowded@", f"<crowded-{door}@".encode())
    recipients = [f"someone-{number}@{one.domain}" for number in range(500)]
    await send(hosts, message, recipients, sender=CROWD_SENDER)

    def copies() -> list[bytes]:
        return [mail for mail in hosts.stranger(door).mails(one) if mark(message) in mail]

    await wait_for(lambda: len(copies()) >= 500, 120)
    assert len(copies()) == 500
    assert all(mail.endswith(message.replace(b"\r\n", b"\n")) for mail in copies())
