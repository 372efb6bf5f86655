"""The store of histories: compare-and-set, what changed, events for one replica at a time; and no more than that."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from paquebot.mail.record import Kind, Record
from paquebot.queue.events import EventWriter
from paquebot.queue.jetstream import FenceLostError, JetStream, Message, QueueUnavailableError
from paquebot.queue.reputation import Events, Shelf, Stored, forget_senders, records_of
from queue_fixtures import Connect
from tests_support import wait_for


def record(kind: Kind = Kind.ACCEPTED, ident: str = "one") -> Record:
    return Record(kind, 1_000, ident, 1, "shop", ("bob@far.example",), credential="orders")


async def test_keys_are_read_together_and_written_over_what_was_read(js: JetStream, connect: Connect) -> None:
    del js
    shelf = Shelf(await connect("spamfilter"))
    assert await shelf.read(()) == {}
    assert await shelf.read(("account.a.b", "link.x")) == {"account.a.b": Stored(), "link.x": Stored()}
    seq = await shelf.write("account.a.b", b"1", 0, 60)
    assert await shelf.read(("account.a.b", "link.x")) == {"account.a.b": Stored(b"1", seq), "link.x": Stored()}
    with pytest.raises(FenceLostError):
        await shelf.write("account.a.b", b"2", 0, 60)
    assert await shelf.write("account.a.b", b"2", seq, 60) > seq


async def test_what_changed_is_told_from_a_sequence_on(js: JetStream, connect: Connect) -> None:
    del js
    shelf = Shelf(await connect("spamfilter"))
    begin = await shelf.last()
    first = await shelf.write("link.x", b"1", 0, 60)
    await shelf.write("link.x", b"2", first, 60)
    entries, seq = await shelf.since(begin)
    assert ({key: each.value for key, each in entries.items()}, seq) == ({"link.x": b"2"}, await shelf.last())
    assert await shelf.since(seq) == ({}, seq)


async def test_one_replica_takes_events_and_another_takes_over(js: JetStream, connect: Connect) -> None:
    writer = EventWriter(js)
    async with AsyncExitStack() as stack:
        replicas = [Events(await connect("spamfilter")) for _ in range(2)]
        first = asyncio.create_task(replicas[0].follow())
        stack.callback(first.cancel)
        await writer.add(record())
        await wait_for(lambda: replicas[0].arrived)
        second = asyncio.create_task(replicas[1].follow())
        stack.callback(second.cancel)
        messages = replicas[0].taken()
        assert records_of(messages) == [(record(),)]
        replicas[0].done(messages)
        first.cancel()
        await asyncio.wait([first])
        await writer.add(record(Kind.REFUSED, "two"))
        await writer.add(record(Kind.DELIVERED, "two"))  # is of no interest
        await writer.add(record(Kind.REFUSED, "three"))
        arrived: list[Message] = []

        def has_all() -> bool:
            arrived.extend(replicas[1].taken())
            return len(arrived) == 2

        await wait_for(has_all)
        assert [each.id for records in records_of(arrived) for each in records] == ["two", "three"]


def test_an_event_that_cannot_be_read_is_none() -> None:
    assert records_of([Message("ev.shop.accepted", b"\xff", 1, {})]) == []


async def test_the_filter_writes_histories_and_reads_no_other_stream(js: JetStream, connect: Connect) -> None:
    spamfilter = await connect("spamfilter")
    for subject in (
        "$KV.suppression.a.b.c",
        "$KV.orders.suspend.tenants.shop",
        "$JS.API.CONSUMER.CREATE.EV.spy",
        "$JS.API.CONSUMER.MSG.NEXT.MQ_mail_main_0.p0l1",
        "ev.shop.accepted",
    ):
        with pytest.raises(QueueUnavailableError):
            await spamfilter.ask(subject, b"{}", 0.3)
    submission = await connect("submission")
    with pytest.raises(QueueUnavailableError):
        await submission.ask("$KV.reputation.account.a.b", b"{}", 0.3)
    assert await Shelf(js).last() == 0


async def test_a_tenants_accounts_are_forgotten_and_no_others(js: JetStream) -> None:
    shelf = Shelf(js)
    for key in ("account.shop.a", "account.shop.b", "author.shop.a.x_example", "account.news.a", "domain.x_example"):
        await shelf.write(key, b"1", 0, 60)
    assert await forget_senders(js, "shop") == 3
    entries, _ = await shelf.since(0)
    assert set(entries) == {"account.news.a", "domain.x_example"}
    assert await forget_senders(js, "shop") == 0
