import asyncio
import smtplib
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from email import message_from_bytes
from pathlib import Path
from typing import TypeVar

import dns.asyncresolver
import dns.rdatatype
import dns.resolver
import pytest
import uvloop

from paquebot.sandbox.internet import DEMO_RECIPIENTS, DOMAINS, Internet, Manners

T = TypeVar("T")
CONTENT = b"From: a@shop.test\r\nSubject: hello\r\n\r\n.a dot\r\n..two\r\n"
LAX = ssl.create_default_context()
LAX.check_hostname = False
LAX.verify_mode = ssl.CERT_NONE


@pytest.fixture
async def internet() -> AsyncIterator[Internet]:
    manners = Manners(greylist_s=0.2, messages_per_connection_max=2, messages_per_second_max=1000)
    world = Internet(
        own_domains=("shop.test",),
        txt_of=lambda: {"sel._domainkey.shop.test": "v=DKIM1; p=" + "A" * 400},
        manners=manners,
    )
    await world.start()
    yield world
    await world.stop()


def resolver(world: Internet) -> dns.asyncresolver.Resolver:
    found = dns.asyncresolver.Resolver(configure=False)
    found.nameservers = [world.resolver_address.host]
    found.port = world.resolver_address.port
    return found


async def hosts_of(world: Internet, domain: str) -> list[str]:
    answer = await resolver(world).resolve(domain, "MX")
    names = [record.exchange for record in sorted(answer, key=lambda record: record.preference)]
    return [(await resolver(world).resolve(name, "A"))[0].address for name in names]


async def talk(world: Internet, domain: str, dialogue: Callable[[smtplib.SMTP], T]) -> T:
    """Speak to the domain's last MX with the standard library's client."""
    address = (await hosts_of(world, domain))[-1]

    def connected() -> T:
        with smtplib.SMTP(address, world.mx_port, "client.example", timeout=10) as client:
            return dialogue(client)

    return await asyncio.to_thread(connected)


def send_to(*recipients: str) -> Callable[[smtplib.SMTP], dict[str, tuple[int, bytes]]]:
    return lambda client: client.sendmail("a@shop.test", recipients, CONTENT)


async def test_mail_to_an_accepting_host_is_kept_as_it_came(internet: Internet) -> None:
    await talk(internet, "accept.test", send_to("b@accept.test"))
    (received,) = internet
    assert received.content == CONTENT
    assert received.envelope.reverse_path == "a@shop.test"
    assert received.envelope.recipients == ("b@accept.test",)
    assert (received.host, received.tls, received.hello_name) == ("mx.accept.test", False, "client.example")


async def test_starttls_works_and_is_recorded(internet: Internet) -> None:
    def dialogue(client: smtplib.SMTP) -> None:
        client.starttls(context=LAX)
        client.sendmail("a@shop.test", ["b@accept.test"], CONTENT)

    await talk(internet, "accept.test", dialogue)
    assert internet.received[0].tls


async def test_a_client_that_dislikes_the_certificate_leaves_and_the_host_lives_on(internet: Internet) -> None:
    def dialogue(client: smtplib.SMTP) -> None:
        with pytest.raises(ssl.SSLCertVerificationError):
            client.starttls(context=ssl.create_default_context())
        client.close()

    await talk(internet, "accept.test", dialogue)
    await talk(internet, "accept.test", send_to("b@accept.test"))
    assert len(internet.received) == 1


async def test_the_plain_host_offers_no_starttls(internet: Internet) -> None:
    def dialogue(client: smtplib.SMTP) -> bool:
        client.ehlo()
        return client.has_extn("starttls")

    assert not await talk(internet, "plain.test", dialogue)
    assert await talk(internet, "accept.test", dialogue)


async def test_greylisting_defers_the_first_try_and_takes_a_later_one(internet: Internet) -> None:
    async def code() -> int:
        try:
            await talk(internet, "greylist.test", send_to("b@greylist.test"))
        except smtplib.SMTPRecipientsRefused as refused:
            return refused.recipients["b@greylist.test"][0]
        return 250

    assert await code() == 451
    async with asyncio.timeout(20):
        while await code() != 250:
            await asyncio.sleep(0.05)
    assert len(internet.received) == 1


async def test_the_throttling_host_says_421_after_some_messages(internet: Internet) -> None:
    def dialogue(client: smtplib.SMTP) -> tuple[int, bytes]:
        for _ in range(2):
            client.sendmail("a@shop.test", ["b@throttle.test"], CONTENT)
        return client.mail("a@shop.test")

    code, text = await talk(internet, "throttle.test", dialogue)
    assert (code, text[:5]) == (421, b"4.7.0")
    assert len(internet.received) == 2


async def test_unknown_users_are_refused_and_others_are_not(internet: Internet) -> None:
    refused = await talk(internet, "refuse.test", send_to("unknown.7@refuse.test", "known@refuse.test"))
    assert {name: code for name, (code, _) in refused.items()} == {"unknown.7@refuse.test": 550}
    assert internet.received[0].envelope.recipients == ("known@refuse.test",)


@pytest.mark.parametrize(("domain", "code"), [("full.test", 452), ("spam.test", 554)])
async def test_hosts_that_take_nothing_say_so(internet: Internet, domain: str, code: int) -> None:
    with pytest.raises(smtplib.SMTPException) as refused:
        await talk(internet, domain, send_to(f"b@{domain}"))
    assert str(code) in str(refused.value)
    assert not internet.received


async def test_no_host_relays(internet: Internet) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused, match=r"5\.7\.1"):
        await talk(internet, "accept.test", send_to("b@elsewhere.example"))


async def test_the_first_mx_is_dead_and_the_second_accepts(internet: Internet) -> None:
    dead, alive = await hosts_of(internet, "firstdead.test")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.to_thread(socket.create_connection, (dead, internet.mx_port), 5)
    await talk(internet, "firstdead.test", send_to("b@firstdead.test"))
    assert internet.received[0].host == internet.hosts["mx.firstdead.test"].name
    assert alive == internet.hosts["mx.firstdead.test"].address


async def test_the_dns_tells_each_fate(internet: Internet) -> None:
    asked = resolver(internet)
    (null,) = await asked.resolve("nullmx.test", "MX")
    assert (null.preference, null.exchange.to_text()) == (0, ".")
    with pytest.raises(dns.resolver.NXDOMAIN):
        await asked.resolve("nxdomain.test", "MX")
    with pytest.raises(dns.resolver.NoAnswer):
        await asked.resolve("implicit.test", "MX")
    assert len(await asked.resolve("implicit.test", "A")) == 1
    with pytest.raises(dns.resolver.NoNameservers, match="SERVFAIL"):
        await asked.resolve("servfail.test", "MX")


async def test_mail_for_the_own_domains_comes_home(internet: Internet) -> None:
    await talk(internet, "shop.test", lambda client: client.sendmail("", ["orders@shop.test"], CONTENT))
    assert internet.received[0].envelope.reverse_path == ""


async def test_a_domain_of_our_own_may_come_later(internet: Internet) -> None:
    internet.receive_for(("shop.test", "late.example"))
    internet.receive_for(("late.example",))
    assert len(await resolver(internet).resolve("late.example", "MX")) == 1
    await talk(internet, "late.example", lambda client: client.sendmail("", ["a@late.example"], CONTENT))
    assert internet.received[0].envelope.recipients == ("a@late.example",)


async def test_dkim_records_can_be_asked_for(internet: Internet) -> None:
    internet.publish_txt("other._domainkey.news.test", "v=DKIM1; p=BBBB")
    (long,) = await resolver(internet).resolve("sel._domainkey.shop.test", "TXT")
    assert b"".join(long.strings) == b"v=DKIM1; p=" + b"A" * 400
    (short,) = await resolver(internet).resolve("other._domainkey.news.test", "TXT")
    assert short.strings == (b"v=DKIM1; p=BBBB",)


async def test_what_is_received_can_also_be_read_from_files(tmp_path: Path) -> None:
    world = Internet(folder=tmp_path / "received")
    await world.start()
    await talk(world, "accept.test", send_to("b@accept.test", "c@accept.test"))
    await world.wait_for(1, 10)
    await world.stop()
    (path,) = (tmp_path / "received").iterdir()
    assert path.read_bytes().endswith(CONTENT)
    written = message_from_bytes(path.read_bytes())
    assert written["Return-Path"] == "<a@shop.test>"
    assert written.get_all("Delivered-To") == ["b@accept.test", "c@accept.test"]


async def test_a_taken_port_is_an_error_and_leaves_nothing_open(internet: Internet) -> None:
    second = Internet(mx_port=internet.mx_port)
    with pytest.raises(OSError, match="in use"):
        await second.start()


def test_it_runs_on_uvloop_as_the_services_do() -> None:
    def dialogue(client: smtplib.SMTP) -> None:
        client.starttls(context=LAX)
        client.sendmail("a@shop.test", ["b@accept.test"], CONTENT)

    async def main() -> list[bool]:
        world = Internet()
        await world.start()
        await talk(world, "accept.test", dialogue)
        await world.stop()
        return [received.tls for received in world]

    assert uvloop.run(main()) == [True]


def test_the_demo_sends_to_domains_of_the_sandbox() -> None:
    assert {domain for domain, _ in DEMO_RECIPIENTS} <= DOMAINS.keys()
