"""One run of the demo: platform and sandbox up, messages sent, arrivals awaited, everything accounted for."""

import asyncio
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from paquebot.auth.password import hash_password, new_password
from paquebot.cli.demo.account import Account, Arrival, Expected, Waiting, settle_account
from paquebot.cli.demo.compose import Composed
from paquebot.cli.demo.sending import Sending, send_all
from paquebot.cli.dkim import dkim_records
from paquebot.cli.place import Place
from paquebot.cli.platform import Platform, Wanted, World
from paquebot.cli.queue import all_waiting
from paquebot.mail.record import Kind, Record
from paquebot.policy.compile import compile_policy
from paquebot.policy.manifests import parse
from paquebot.queue.events import read_records
from paquebot.queue.jetstream import JetStream
from paquebot.sandbox.internet import Internet
from paquebot.sandbox.signatures import Verifier, count_verified

USERNAMES = ("shop.orders", "news.weekly", "mail-system.relay")
HOSTNAME = "mail.paquebot.test"
MANIFESTS = Path(__file__).with_name("manifests.yaml")
LIMIT_S = 35.0  # for sending and waiting, so that the whole ends within a minute
PATIENCE = 0.01  # a final dot is waited for 6 s
AFTER_S = 8.0  # at least, on a slow machine
QUIET_S = 8.0  # nothing arrived for so long: what is left waits for later
LOOK_S = 0.25


@dataclass(slots=True)
class Demo:
    """A run in progress; `internet` and `sending` may be looked at while it goes on."""

    place: Place
    say: Callable[[str], None]
    sending: Sending = field(default_factory=Sending)
    internet: Internet = field(init=False)
    platform: Platform = field(init=False)

    def __post_init__(self) -> None:
        shutil.rmtree(self.place.root, ignore_errors=True)
        objects = [located.object for located in parse(MANIFESTS.read_text(), MANIFESTS.name)]
        policy = compile_policy(objects)
        self.internet = Internet(
            own_domains=tuple(policy.domains),
            txt_of=lambda: dkim_records(self.place, policy),
            folder=self.place.received,
        )
        self.platform = Platform(self.place, Wanted(objects, HOSTNAME), self.say)

    async def start(self) -> dict[str, str]:
        """Bring everything up; return the passwords by user name."""
        passwords = {username: new_password() for username in USERNAMES}
        for username, password in passwords.items():
            self.place.write_hash(username, hash_password(password.encode()))
        await self.internet.start()
        world = World(str(self.internet.resolver_address), self.internet.mx_port, PATIENCE)
        self.platform.wanted = Wanted(self.platform.wanted.objects, HOSTNAME, world)
        await self.platform.start()
        return passwords

    async def send(self, passwords: dict[str, str], messages: Iterable[Composed]) -> None:
        """Hand all messages over."""
        port = self.platform.ports["smtps"]
        await asyncio.to_thread(send_all, self.place, port, passwords, messages, self.sending)

    async def wait(self, began: float) -> None:
        """Wait until everything that can arrive soon has arrived."""
        quiet_since, seen = time.monotonic(), -1
        end = max(began + LIMIT_S, quiet_since + AFTER_S)
        while time.monotonic() < end:
            if len(self.internet.received) != seen:
                quiet_since, seen = time.monotonic(), len(self.internet.received)
            if time.monotonic() - quiet_since > QUIET_S:
                return
            await asyncio.sleep(LOOK_S)

    async def account(self, tick: Callable[[], None]) -> Account:
        """Settle the account of a still queue: what moves while it is read is in neither place."""
        deliverers = [each for each in self.platform.services.values() if each.module == "paquebot.deliverer"]
        await asyncio.gather(*(deliverer.end() for deliverer in deliverers))
        js = await JetStream.connect(self.platform.running().nats_url, self.place.identity("admin"), "demo")
        try:
            waiting = await all_waiting(js, 1_000_000)
            records = [record async for record in read_records(js, 0)]
        finally:
            await js.close()
        arrivals = [
            Arrival(each.host, each.envelope.reverse_path, each.envelope.recipients, each.content)
            for each in self.internet
        ]
        account = settle_account(
            self.sending.sent,
            arrivals,
            [
                Waiting(each.delivery.id, recipient, each.delivery.reason or "its turn has not come yet")
                for each in waiting
                for recipient in each.delivery.recipients
            ],
            self.sending.refusals,
            self._expected(records),
        )
        contents = [arrival.content for arrival in arrivals]
        verifier = Verifier(self.internet.resolver_address)
        account.verified, account.unverified = await asyncio.to_thread(count_verified, contents, verifier, tick)
        return account

    def _expected(self, records: Iterable[Record]) -> Expected:
        doubts = (record for record in records if record.kind is Kind.IN_DOUBT)
        doubted = frozenset((record.id, recipient) for record in doubts for recipient in record.recipients)
        return Expected({domain.name: domain.fates for domain in self.internet.cast.domains}, doubted)

    async def stop(self) -> None:
        """Drain everything."""
        await self.platform.stop()
        await self.internet.stop()
