"""A content too large to travel is stored once, serves each of its deliveries, and goes with the last."""

from dataclasses import replace

import pytest

from paquebot.queue.bodies import CHUNK_MAX_BYTES, BodyLostError, load, release, store
from paquebot.queue.jetstream import JetStream
from paquebot.queue.provision import stream_config
from paquebot.queue.subjects import chunk_filter, chunk_subject, marker_subject, stream_name
from queue_making import POOL, delivery

TWO = (delivery(), delivery(n=2, site="c.example"))


async def stored(js: JetStream) -> list[str]:
    return [message.subject for message in await js.read_all(stream_name(POOL, 0), chunk_filter(POOL, 0, "m1"))]


@pytest.mark.parametrize("size", [0, 1, CHUNK_MAX_BYTES - 1, CHUNK_MAX_BYTES, CHUNK_MAX_BYTES + 1])
async def test_what_is_stored_is_loaded_octet_by_octet(js: JetStream, size: int) -> None:
    content = (b"0123456789\r\n" * (size // 12 + 1))[:size]
    body = await store(js, 0, TWO, content, {})
    assert body.chunks == max(1, -(-size // CHUNK_MAX_BYTES))
    assert await load(js, TWO[1], body) == content


async def test_the_last_release_purges_and_a_repeated_one_harms_nothing(js: JetStream) -> None:
    body = await store(js, 0, TWO, b"content", {})
    await release(js, TWO[0], body)
    await release(js, TWO[0], body)
    assert await stored(js) == [chunk_subject(POOL, 0, "m1", 0), marker_subject(POOL, 0, "m1", 2)]
    await release(js, TWO[1], body)
    assert await stored(js) == []


async def test_storing_again_after_a_lost_acknowledgement_leaves_nothing_behind(js: JetStream) -> None:
    for _ in range(2):
        body = await store(js, 0, TWO, b"content", {})
    assert await load(js, TWO[0], body) == b"content"
    for each in TWO:
        await release(js, each, body)
    assert await stored(js) == []


async def test_a_missing_chunk_is_told_and_not_sent_as_a_shorter_content(js: JetStream) -> None:
    body = await store(js, 0, TWO, b"x" * (CHUNK_MAX_BYTES + 5), {})
    await js.request(f"STREAM.PURGE.{stream_name(POOL, 0)}", {"filter": chunk_subject(POOL, 0, "m1", 1)})
    with pytest.raises(BodyLostError, match=r"m1\.1: 1048576 of 1048581 octets"):
        await load(js, TWO[0], body)


async def test_everything_stored_has_a_time_to_live_beyond_expiry_and_hold(js: JetStream) -> None:
    await store(js, 0, TWO, b"content", {})
    messages = await js.read_all(stream_name(POOL, 0), chunk_filter(POOL, 0, "m1"))
    assert {message.headers["Nats-TTL"] for message in messages} == {f"{3600 + 14 * 86_400}s"}


async def test_deliveries_of_two_pools_each_find_the_content_in_their_own(js: JetStream) -> None:
    for number in range(4):
        await js.request(f"STREAM.CREATE.{stream_name('mail_bulk', number)}", stream_config("mail_bulk", number))
    two = (TWO[0], replace(TWO[1], pool="mail_bulk"))
    body = await store(js, 0, two, b"content", {})
    await release(js, two[0], body)
    assert await load(js, two[1], body) == b"content"
