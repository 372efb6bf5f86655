"""What is sent goes out in its order, pings too."""

import asyncio
import contextlib
import signal

import pytest
from nats.aio.msg import Msg
from nats.errors import BadHeaderError, FlushTimeoutError

from paquebot.queue.jetstream import JetStream
from paquebot.queue.natsclient import Heard
from paquebot.queue.server import NatsServer
from queue_fixtures import Connect
from tests_support import wait_for


@pytest.fixture
def wire(js: JetStream, monkeypatch: pytest.MonkeyPatch) -> bytearray:
    """Return what the client has given to its socket, as it goes on."""
    written = bytearray()
    transport = js.client._transport
    write, writelines = transport.write, transport.writelines

    def write_noted(content: bytes) -> None:
        written.extend(content)
        write(content)

    def writelines_noted(contents: list[bytes]) -> None:
        written.extend(b"".join(contents))
        writelines(contents)

    monkeypatch.setattr(transport, "write", write_noted)
    monkeypatch.setattr(transport, "writelines", writelines_noted)
    return written


async def nothing(_message: Msg) -> None:
    pass


async def test_a_flush_asks_after_what_was_sent_before_it(js: JetStream, wire: bytearray) -> None:
    await js.client.subscribe("late", cb=nothing)
    js.send("anywhere", b"sent before")
    await js.client.flush()
    assert wire.index(b"SUB late") < wire.index(b"sent before") < wire.index(b"PING")


async def test_a_subscription_is_drained_after_its_end_is_known(js: JetStream, wire: bytearray) -> None:
    subscription = await js.client.subscribe("late", cb=nothing)
    await js.client.flush()
    wire.clear()
    await subscription.drain()
    assert wire.index(b"UNSUB") < wire.index(b"PING")


async def test_what_is_sent_after_a_flush_finds_the_subscription_before_it(js: JetStream, connect: Connect) -> None:
    other = await connect("deliverer")
    seen: list[bytes] = []

    async def on_message(message: Msg) -> None:
        seen.append(message.data)

    for number in range(50):
        subject = f"$JS.ACK.none.{number}"
        await js.client.subscribe(subject, cb=on_message)
        await js.client.flush()
        other.send(subject, b"%d" % number)
    await wait_for(lambda: len(seen) == 50)


async def test_a_flush_over_a_broken_connection_ends_and_does_not_count_for_the_next(
    js: JetStream, nats: NatsServer
) -> None:
    nats.kill()
    await wait_for(lambda: not js.connected)
    with contextlib.suppress(FlushTimeoutError):
        await js.client.flush(1)
    await asyncio.to_thread(nats.start)
    await wait_for(lambda: js.connected)
    await js.client.flush()
    assert js.client._pongs == []


async def test_a_pong_that_comes_too_late_leaves_the_connection_as_it_is(js: JetStream, nats: NatsServer) -> None:
    assert nats.process is not None
    reader = js.client._reading_task
    nats.process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(FlushTimeoutError):
            await js.client.flush(1)
    finally:
        nats.process.send_signal(signal.SIGCONT)
    await js.client.flush(20)
    assert (await js.publish("ev.shop.accepted", b"", timeout_s=20)).seq
    assert js.client._reading_task is reader
    assert not reader.done()


async def test_what_is_posted_in_one_turn_leaves_in_one_write(js: JetStream, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[bytes] = []
    monkeypatch.setattr(js.client._transport, "write", writes.append)
    for number in range(3):
        js.send("anywhere", b"%d" % number, {"Kind": "a"})
    await wait_for(lambda: bool(writes))
    head = b"HPUB anywhere  21 22\r\nNATS/1.0\r\nKind: a\r\n\r\n"
    assert writes == [head + b"0\r\n" + head + b"1\r\n" + head + b"2\r\n"]


async def test_what_is_heard_has_its_headers_and_a_fault_in_one_message_ends_nothing(js: JetStream) -> None:
    heard: list[Heard] = []

    def on_message(message: Heard) -> None:
        heard.append(message)
        if message.payload == b"bad":
            raise ValueError("this one")

    await js.client.hear("$JS.ACK.none.1", on_message)
    for payload in (b"bad", b"good"):
        js.client.post("$JS.ACK.none.1", payload, "back", {"Nats-Msg-Id": "a: b"})
    await wait_for(lambda: len(heard) == 2)
    assert heard[1] == Heard("$JS.ACK.none.1", "back", b"good", {"Nats-Msg-Id": "a: b"})


async def test_a_header_cannot_begin_another(js: JetStream) -> None:
    with pytest.raises(BadHeaderError):
        js.client.post("anywhere", b"", headers={"Nats-Msg-Id": "a\r\nNats-Rollup: all"})


async def test_a_server_that_reads_nothing_is_not_written_to_without_end(js: JetStream, nats: NatsServer) -> None:
    assert nats.process is not None
    nats.process.send_signal(signal.SIGSTOP)
    try:
        for _ in range(20):
            js.send("ev.shop.accepted", bytes(1 << 19))
            await asyncio.sleep(0)
        await wait_for(lambda: js.client.pending_data_size > 0)
    finally:
        nats.process.send_signal(signal.SIGCONT)
    await js.client.flush(20)
    assert js.client.pending_data_size == 0
