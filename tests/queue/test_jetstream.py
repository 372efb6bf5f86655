"""What JetStream answers reaches the caller, errors and silence too."""

import asyncio

import pytest

from paquebot.queue.jetstream import ApiError, FenceLostError, JetStream, QueueUnavailableError
from paquebot.queue.server import NatsServer
from tests_support import wait_for


async def test_a_publish_is_acknowledged_with_its_sequence(js: JetStream) -> None:
    first = await js.publish("ev.shop.accepted", b"a")
    second = await js.publish("ev.shop.accepted", b"b")
    assert second.seq == first.seq + 1


async def test_a_repeated_msg_id_is_a_duplicate(js: JetStream) -> None:
    first = await js.publish("ev.shop.accepted", b"a", {"Nats-Msg-Id": "x"})
    again = await js.publish("ev.shop.accepted", b"a", {"Nats-Msg-Id": "x"})
    assert (first.duplicate, again.duplicate, again.seq) == (False, True, first.seq)


async def test_a_wrong_expected_sequence_is_a_lost_fence(js: JetStream) -> None:
    with pytest.raises(FenceLostError):
        await js.publish("mq.mail_main.0.o.0", b"", {"Nats-Expected-Last-Subject-Sequence": "7"})


async def test_a_subject_that_nobody_stores_is_unavailable_at_once(js: JetStream) -> None:
    with pytest.raises(QueueUnavailableError, match="nobody serves"):
        await js.publish("nowhere", b"")


async def test_an_api_refusal_carries_its_number(js: JetStream) -> None:
    with pytest.raises(ApiError) as error:
        await js.request("STREAM.INFO.NONE")
    assert error.value.err_code == 10059


async def test_last_and_ranges_are_read_directly(js: JetStream) -> None:
    for number in range(600):
        await js.publish(f"ev.shop.k{number % 3}", str(number).encode())
    last = await js.get_last("EV", "ev.shop.k0")
    assert last is not None
    assert (last.subject, last.payload) == ("ev.shop.k0", b"597")
    assert await js.get_last("EV", "ev.none.at") is None
    assert [message.payload for message in await js.read_all("EV", "ev.shop.k1")] == [
        str(number).encode() for number in range(600) if number % 3 == 1
    ]


async def test_a_killed_server_fails_what_waits_and_the_connection_mends(js: JetStream, nats: NatsServer) -> None:
    await js.publish("ev.shop.accepted", b"kept")
    nats.kill()
    with pytest.raises(QueueUnavailableError):
        await js.publish("ev.shop.accepted", b"lost?", timeout_s=2)
    await asyncio.to_thread(nats.start)
    await wait_for(lambda: js.connected)
    assert [message.payload for message in await js.read_all("EV", "ev.>")] == [b"kept"]
