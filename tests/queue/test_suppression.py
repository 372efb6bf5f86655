"""Entries of SuppressionLists: hashes alone, followed without being read again."""

import asyncio
import time
from pathlib import Path

import pytest

from paquebot.policy.suppression import SuppressionList, SuppressionLists
from paquebot.policy.values import MailDomain, Policy
from paquebot.queue import suppression
from paquebot.queue.jetstream import JetStream, QueueUnavailableError
from paquebot.queue.suppression import PREFIX, STREAM, Entry, Suppressions, entries, key_of, put, read_secret, remove

KEY = b"k" * 32
POLICY = Policy(
    domains={"shop.example": MailDomain("shop", "main", "shop.example", "p")},
    suppression=SuppressionLists.of([SuppressionList("shop", "bounces")]),
)
NOW = int(time.time())
ENTRY = Entry("550 5.1.1 no such user", "hard-bounce", NOW)


def found(known: Suppressions, mailbox: str = "Bob@b.example", tenant: str = "shop") -> bool:
    return known.find(POLICY, tenant, "a@shop.example", mailbox) is not None


async def test_who_is_on_a_list_is_found_until_it_is_lifted(js: JetStream) -> None:
    known, key = Suppressions(KEY), key_of(KEY, "shop/bounces", "bob@b.example")
    await put(js, key, ENTRY)
    await known.catch_up(js)
    assert found(known)
    assert not found(known, "eve@b.example")
    assert not found(known, tenant="news")
    assert await remove(js, key)
    assert not await remove(js, key)
    await known.catch_up(js)
    assert not found(known)
    assert await suppression.counts(js) == {}


async def test_an_entry_ends_at_its_time_here_and_in_the_store(js: JetStream) -> None:
    known, key = Suppressions(KEY), key_of(KEY, "shop/bounces", "bob@b.example")
    await put(js, key, Entry("x", "person", NOW, int(time.time()) + 3600))
    await known.catch_up(js)
    assert found(known)
    (stored,) = await js.read_all(STREAM, f"{PREFIX}>")
    assert 3000 < int(stored.headers["Nats-TTL"].rstrip("s")) <= 3600
    await put(js, key, Entry("x", "person", NOW - 9, NOW - 1))
    await known.catch_up(js)
    assert not found(known)


async def test_only_what_is_new_is_read_and_everything_after_a_long_silence(js: JetStream) -> None:
    known = Suppressions(KEY)
    for number in range(300):
        await put(js, key_of(KEY, "shop/bounces", f"u{number}@b.example"), ENTRY)
    await known.catch_up(js)
    assert (len(known.entries), known.seq) == (300, 300)
    known.entries.clear()
    await put(js, key_of(KEY, "shop/bounces", "bob@b.example"), ENTRY)
    await known.catch_up(js)
    assert len(known.entries) == 1
    known.seen_s -= suppression.BLIND_S + 1
    await known.catch_up(js)
    assert len(known.entries) == 301


async def test_who_is_on_a_list_is_found_also_while_all_is_read_again(js: JetStream) -> None:
    known = Suppressions(KEY)
    for name in ("bob", *(f"u{number}" for number in range(300))):
        await put(js, key_of(KEY, "shop/bounces", f"{name}@b.example"), ENTRY)
    await known.catch_up(js)
    known.seen_s -= suppression.BLIND_S + 1
    reading = asyncio.create_task(known.catch_up(js))
    while not reading.done():
        assert found(known)
        await asyncio.sleep(0)
    await reading
    assert len(known.entries) == 301


async def test_no_address_stands_in_the_store(js: JetStream) -> None:
    await put(js, key_of(KEY, "shop/bounces", "bob@b.example"), ENTRY)
    (message,) = await js.read_all(STREAM, f"{PREFIX}>")
    assert b"b.example" not in message.payload + message.subject.encode()
    ((key, entry),) = await entries(js)
    assert (key, entry) == (key_of(KEY, "shop/bounces", "BOB@b.example"), ENTRY)


async def test_submission_reads_lists_and_only_deliverers_add_to_them(js: JetStream, connect) -> None:
    del js
    key = key_of(KEY, "shop/bounces", "bob@b.example")
    await put(await connect("deliverer"), key, ENTRY)
    submission, router = await connect("submission"), await connect("router")
    known = Suppressions(KEY)
    await known.catch_up(submission)
    assert found(known)
    for js_of in (submission, router):
        with pytest.raises(QueueUnavailableError):
            await js_of.publish(f"{PREFIX}{key}", b"{}", timeout_s=0.3)
    with pytest.raises(QueueUnavailableError):
        await router.request(f"STREAM.INFO.{STREAM}", timeout_s=0.3)


def test_a_key_that_is_none_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("ab" * 32 + "\n")
    assert read_secret(tmp_path / "key") == b"\xab" * 32
    (tmp_path / "short").write_text("abcd")
    with pytest.raises(ValueError, match="holds no key of 16 to 64 octets"):
        read_secret(tmp_path / "short")
    with pytest.raises(ValueError, match="cannot be read"):
        read_secret(tmp_path / "absent")
