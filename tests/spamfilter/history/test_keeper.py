"""Histories are counted once by many, survive all of them, and come into memory by themselves."""

import asyncio
import time
from contextlib import AsyncExitStack

import pytest

from paquebot.mail.envelope import Envelope
from paquebot.mail.origin import Origin
from paquebot.mail.principal import Principal
from paquebot.mail.record import Kind, Record
from paquebot.mail.traits import Traits
from paquebot.mail.verdict import Action, Verdict
from paquebot.queue.events import EventWriter
from paquebot.queue.jetstream import JetStream
from paquebot.queue.reputation import Events, Shelf
from paquebot.spamfilter.facts import gather
from paquebot.spamfilter.history.account import Account
from paquebot.spamfilter.history.codec import decode_account, decode_counts
from paquebot.spamfilter.history.counts import Span, What
from paquebot.spamfilter.history.histories import Histories
from paquebot.spamfilter.history.keeper import Counting, Following, keep
from paquebot.spamfilter.history.keys import Hashes, account_key
from paquebot.spamfilter.history.tally import Change, Tally
from queue_fixtures import Connect
from tests_support import wait_for

HASHES = Hashes(b"k" * 32)
KEY = account_key("shop", "orders")
NOW = time.time()


@pytest.fixture(autouse=True)
def _now() -> None:
    """Let what a test tells be of now, however long after its import it runs: own messages are known for minutes."""
    globals()["NOW"] = time.time()


TRAITS = Traits(-3.0, "shop.example", 7, 8, ("one.example",), 1 << 40)


def accepted(number: int) -> Record:
    verdict = Verdict(Action.ACCEPT, traits=TRAITS)
    ident, recipient = f"id-{number}", f"someone{number}@far.example"
    at_ms = int(NOW * 1000) + number
    return Record(Kind.ACCEPTED, at_ms, ident, 1, "shop", (recipient,), "", "orders", verdict=verdict)


async def stored(js: JetStream) -> Account | None:
    value = (await Shelf(js).read((KEY,)))[KEY].value
    return decode_account(value) if value else None


async def until_sent(js: JetStream, count: int) -> Account:
    async with asyncio.timeout(60):
        while True:
            account = await stored(js)
            if account is not None and round(account.counts.count(What.SENT, Span.MONTH, NOW + 1)) == count:
                return account
            await asyncio.sleep(0.1)


def sent(histories: Histories) -> int:
    seen = histories.accounts.get(KEY)
    return round(seen.now.counts.count(What.SENT, Span.MONTH, NOW + 1)) if seen else 0


def judged(histories: Histories, ident: str) -> None:
    origin = Origin(ident, "shop", "orders")
    content = b"From: a@shop.example\r\n\r\nHi\r\n"
    facts = gather(content, Envelope("", ("x@far.example",)), Principal("shop", "o"), origin)
    histories.standing(facts, -4.0, NOW)


async def test_events_are_counted_across_restarts_and_seen_by_all_replicas(js: JetStream, connect: Connect) -> None:
    writer = EventWriter(js)
    async with AsyncExitStack() as stack:
        replicas = []
        for _ in range(2):
            histories = Histories(HASHES)
            keeping = asyncio.create_task(keep(await connect("spamfilter"), histories))
            stack.callback(keeping.cancel)
            judged(histories, "own")
            replicas.append((histories, keeping))
        await asyncio.gather(*(writer.add(accepted(number)) for number in range(20)))
        await until_sent(js, 20)
        for histories, _ in replicas:
            await wait_for(lambda histories=histories: sent(histories) == 21)  # with its own, which no event told of
        for _, keeping in replicas:
            keeping.cancel()
        await asyncio.wait([keeping for _, keeping in replicas])
        await writer.add(accepted(20))
        again = Histories(HASHES)
        keeping = asyncio.create_task(keep(await connect("spamfilter"), again))
        stack.callback(keeping.cancel)
        account = await until_sent(js, 21)
        assert len(account.recent) == 21
        domain = (await Shelf(js).read(("domain.shop_example",)))["domain.shop_example"].value
        counts = decode_counts(domain or b"")
        assert counts is not None
        assert round(counts.count(What.SENT, Span.MONTH, NOW + 1)) == 21


async def test_two_who_count_at_once_lose_nothing(js: JetStream, connect: Connect) -> None:
    shelf = Shelf(await connect("spamfilter"))
    counting = [Counting(shelf, Events(js), Tally(HASHES)) for _ in range(3)]
    change = Change(NOW, {What.COMPLAINTS: 1.0})
    for _ in range(4):
        await asyncio.gather(*(each.write({KEY: [change], "link.x": [change]}) for each in counting))
    account = await stored(js)
    assert account is not None
    assert round(account.counts.count(What.COMPLAINTS, Span.MONTH, NOW)) == 12
    other = decode_counts((await shelf.read(("link.x",)))["link.x"].value or b"")
    assert other is not None
    assert round(other.count(What.COMPLAINTS, Span.MONTH, NOW)) == 12


async def test_a_value_that_cannot_be_read_begins_anew(js: JetStream) -> None:
    shelf = Shelf(js)
    await shelf.write(KEY, b"of another format", 0, 60)
    counting = Counting(shelf, Events(js), Tally(HASHES))
    await counting.write({KEY: [Change(NOW, {What.COMPLAINTS: 1.0})]})
    assert await stored(js) is not None


async def test_what_changed_elsewhere_replaces_what_is_in_memory(js: JetStream) -> None:
    histories = Histories(HASHES)
    following = Following(Shelf(js), histories)
    judged(histories, "own")
    await following.catch_up()
    counting = Counting(Shelf(js), Events(js), Tally(HASHES))
    for number in range(3):
        ((key, change), *_) = counting.tally.changes((accepted(number),))
        await counting.write({key: [change]})
    await following.catch_up()
    assert sent(histories) == 4
