"""A whole platform for a test: real services as processes, a real queue, the sandbox as the world."""

import asyncio
import smtplib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paquebot.auth.password import hash_password
from paquebot.cli.demo.account import Account, Arrival, Sent, Waiting, settle_account
from paquebot.cli.dkim import dkim_records
from paquebot.cli.place import Place
from paquebot.cli.platform import Platform, Wanted, World
from paquebot.cli.queue import all_waiting
from paquebot.cli.send import hand_over, trust
from paquebot.mail.record import Record
from paquebot.policy.compile import compile_policy
from paquebot.policy.manifests import parse
from paquebot.queue.events import read_records
from paquebot.queue.jetstream import JetStream
from paquebot.sandbox.internet import Internet, Manners
from paquebot.sandbox.zone import Record as DnsRecord

PASSWORD = "correct horse battery staple"
SHOP, NEWS, RELAY = "shop.orders", "news.weekly", "mail-system.relay"
SENDER = "orders@shop.test"

MANIFESTS = """
{apiVersion: paquebot.dev/v1alpha1, kind: SendingPool, metadata: {name: default, namespace: mail-system},
 spec: {heloHostname: out.paquebot.test, scaling: {mode: Manual}, allowedNamespaces: {names: ["*"]},
        retry: {quick: [1s, 2s, 2s, 2s, 2s], initial: 5s, max: 10s, multiplier: 2, expiry: 1h}}}
---
{apiVersion: paquebot.dev/v1alpha1, kind: MailDomain,
 metadata: {name: shop, namespace: shop}, spec: {domain: shop.test}}
---
{apiVersion: paquebot.dev/v1alpha1, kind: MailDomain,
 metadata: {name: news, namespace: news}, spec: {domain: news.test}}
---
{apiVersion: paquebot.dev/v1alpha1, kind: SMTPCredential, metadata: {name: orders, namespace: shop},
 spec: {domainRefs: [{name: shop, senders: [orders@shop.test]}]}}
---
{apiVersion: paquebot.dev/v1alpha1, kind: SMTPCredential, metadata: {name: weekly, namespace: news},
 spec: {domainRefs: [{name: news}]}}
---
{apiVersion: paquebot.dev/v1alpha1, kind: SMTPCredential, metadata: {name: relay, namespace: mail-system},
 spec: {anySender: true, poolRef: {name: default}}}
---
{apiVersion: paquebot.dev/v1alpha1, kind: DestinationPolicy, metadata: {name: throttled},
 spec: {match: {domains: [throttle.test]}, limits: {maxConnections: 2, messagesPerConnection: 20},
        backoff: {initial: 1s, max: 4s, multiplier: 2}}}
"""


def manifests(extra: str = "") -> list[dict[str, Any]]:
    return [located.object for located in parse(MANIFESTS + extra, "test.yaml")]


def content(subject: str, sender: str = SENDER, body: str = "Hello.\r\n") -> bytes:
    fields = [f"From: {sender}", "To: someone@accept.test", f"Subject: {subject}"]
    fields += ["Date: Tue, 24 Nov 2026 10:00:00 +0000", f"Message-ID: <{subject}@shop.test>", "MIME-Version: 1.0"]
    return ("\r\n".join(fields) + "\r\n\r\n" + body).encode()


@dataclass(slots=True)
class Stage:
    """Platform and sandbox of one test. Use `start` and `stop`, or the fixture."""

    root: Path
    extra: str = ""
    retry: dict[str, str] = field(default_factory=dict)  # beside what the pool's says
    replicas: int = 1
    manners: Manners = field(default_factory=lambda: Manners(greylist_s=1.0))
    sent: list[Sent] = field(default_factory=list)
    internet: Internet = field(init=False)
    platform: Platform = field(init=False)
    mx_port: int = 0
    more_records: tuple[DnsRecord, ...] = ()
    patience: float = 1.0

    @property
    def place(self) -> Place:
        return Place(self.root)

    async def start(self) -> None:
        objects = manifests(self.extra)
        objects[0]["spec"]["retry"] |= self.retry
        policy = compile_policy(objects)
        for username in policy.credentials:
            self.place.write_hash(username, hash_password(PASSWORD.encode()))
        self.internet = Internet(
            own_domains=tuple(policy.domains),
            txt_of=lambda: dkim_records(self.place, policy),
            manners=self.manners,
            more_records=self.more_records,
        )
        await self.internet.start()
        world = World(str(self.internet.resolver_address), self.mx_port or self.internet.mx_port, self.patience)
        self.platform = Platform(self.place, Wanted(objects, "mail.paquebot.test", world, self.replicas))
        await self.platform.start()

    async def stop(self) -> None:
        await self.platform.stop()
        await self.internet.stop()

    def client(self, username: str = SHOP) -> smtplib.SMTP_SSL:
        client = smtplib.SMTP_SSL("localhost", self.platform.ports["smtps"], context=trust(self.place), timeout=60)
        try:
            client.login(username, PASSWORD)
        except smtplib.SMTPException:
            client.close()
            raise
        return client

    def send(
        self, message: bytes, *recipients: str, client: smtplib.SMTP, sender: str = SENDER, envid: str = ""
    ) -> str:
        """Run one transaction; note what was accepted; return the reply."""
        accepted, reply = hand_over(client, sender, recipients, message, envid)
        if accepted:
            self.sent.append(Sent(reply.rpartition(" ")[2], message, sender, accepted))
        return reply

    async def submit(self, message: bytes, *recipients: str, username: str = SHOP, sender: str = SENDER) -> str:
        """Send one message over a connection of its own; return the reply."""

        def session() -> str:
            with self.client(username) as client:
                return self.send(message, *recipients, client=client, sender=sender)

        return await asyncio.to_thread(session)

    async def admin(self) -> JetStream:
        assert self.platform.nats is not None
        return await JetStream.connect(self.platform.nats.url, self.place.identity("admin"), "test")

    async def waiting(self) -> list[Waiting]:
        js = await self.admin()
        try:
            return [
                Waiting(each.delivery.id, recipient, each.delivery.reason)
                for each in await all_waiting(js, 100_000)
                for recipient in each.delivery.recipients
            ]
        finally:
            await js.close()

    async def records(self, ident: str = "") -> list[Record]:
        js = await self.admin()
        try:
            return [record async for record in read_records(js, 0) if not ident or record.id == ident]
        finally:
            await js.close()

    async def account(self) -> Account:
        arrivals = [
            Arrival(each.host, each.envelope.reverse_path, each.envelope.recipients, each.content)
            for each in self.internet
        ]
        return settle_account(self.sent, arrivals, await self.waiting(), {})

    async def settled(self, timeout_s: float = 120.0) -> Account:
        """Wait until every accepted pair is delivered or has failed with a report."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while True:
            account = await self.account()
            if account.delivered + account.failed >= account.accepted and not account.waiting:
                return account
            assert asyncio.get_running_loop().time() < deadline, f"not settled in time: {account}"
            await asyncio.sleep(0.3)
