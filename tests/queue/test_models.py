"""Stored models: whole or not at all, by digest, and which is chosen."""

import hashlib

import pytest

from paquebot.queue.jetstream import JetStream, QueueUnavailableError
from paquebot.queue.models import CHUNK_BYTES, MODELS_MAX, NONE, SHIPPED, Card, Choice, Models, TooManyModelsError


def octets_of(number: int, length: int = 100) -> bytes:
    return number.to_bytes(2) * (length // 2)


async def put(js: JetStream, octets: bytes, at_ms: int = 1) -> str:
    digest = hashlib.sha256(octets).hexdigest()
    await Models(js).put(octets, Card(digest, len(octets), at_ms, "ann", "a test"))
    return digest


@pytest.mark.parametrize("length", [2, CHUNK_BYTES, CHUNK_BYTES + 2, 3 * CHUNK_BYTES])
async def test_a_model_comes_back_whole(js: JetStream, connect, length: int) -> None:
    octets = octets_of(7, length)
    digest = await put(js, octets)
    assert await Models(await connect("spamfilter")).get(digest) == octets


async def test_what_is_not_whole_is_not_there(js: JetStream) -> None:
    digest = await put(js, octets_of(7, 2 * CHUNK_BYTES))
    await js.publish(f"$KV.models.{digest}.1", b"something else")
    assert await Models(js).get(digest) is None
    assert await Models(js).get("0" * 64) is None


async def test_models_are_listed_the_newest_first_and_dropped_by_digest(js: JetStream) -> None:
    one, two = await put(js, octets_of(1), 1), await put(js, octets_of(2), 2)
    assert [card.digest for card in await Models(js).cards()] == [two, one]
    assert await Models(js).drop(one)
    assert not await Models(js).drop(one)
    assert [card.digest for card in await Models(js).cards()] == [two]


async def test_no_more_are_stored_than_may_be_and_a_repeat_is_no_more(js: JetStream) -> None:
    for number in range(MODELS_MAX):
        await put(js, octets_of(number))
    await put(js, octets_of(0))
    with pytest.raises(TooManyModelsError):
        await put(js, octets_of(99))


async def test_what_nobody_chose_is_what_was_shipped_and_the_filter_cannot_choose(js: JetStream, connect) -> None:
    assert await Models(js).chosen() == Choice(SHIPPED, NONE)
    await Models(js).choose(Choice("abc", NONE, 5, "ann", "better"))
    spamfilter = await connect("spamfilter")
    assert (await Models(spamfilter).chosen()).model == "abc"
    with pytest.raises(QueueUnavailableError):
        await spamfilter.ask("$KV.models.choice", b"{}", 0.3)
