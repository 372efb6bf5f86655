"""What JetStream answers reaches the caller, errors and silence too."""

import asyncio
import contextlib
import shutil
import signal
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from paquebot.queue import jetstream
from paquebot.queue.jetstream import (
    ApiError,
    FenceLostError,
    JetStream,
    QueueFullError,
    QueueUnavailableError,
    _error,
)
from paquebot.queue.provision import stream_config
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


async def test_a_wrong_fence_of_another_subject_is_a_lost_fence(js: JetStream) -> None:
    record = await js.publish("mq.mail_main.0.o.0", b"", {"Nats-Rollup": "sub"})
    fence = {
        "Nats-Expected-Last-Subject-Sequence": str(record.seq + 1),
        "Nats-Expected-Last-Subject-Sequence-Subject": "mq.mail_main.0.o.0",
    }
    with pytest.raises(FenceLostError):
        await js.publish("mq.mail_main.0.r.0.1.other.example", b"", fence)
    fence["Nats-Expected-Last-Subject-Sequence"] = str(record.seq)
    assert (await js.publish("mq.mail_main.0.r.0.1.other.example", b"", fence)).seq == record.seq + 1


async def test_a_store_without_room_is_full_and_reading_and_purging_go_on(connect, nats: NatsServer) -> None:
    nats.stop()
    nats.place = replace(nats.place, storage_max_bytes=32 << 20)
    await asyncio.to_thread(nats.start)
    admin = await connect("admin")
    await admin.request("STREAM.CREATE.MQ_mail_main_0", stream_config("mail_main", 0))
    await admin.publish("mq.mail_main.0.r.0.1.other.example", b"kept")

    async def fill() -> None:
        for _ in range(8):
            await admin.publish("mq.mail_main.0.r.0.1.other.example", bytes(6 << 20), timeout_s=30)

    with pytest.raises(QueueFullError):
        await fill()
    kept = await admin.read("MQ_mail_main_0", "mq.mail_main.0.r.>", batch=1)
    assert [message.payload for message in kept] == [b"kept"]
    await admin.request("STREAM.PURGE.MQ_mail_main_0")
    assert (await admin.publish("mq.mail_main.0.r.0.1.other.example", b"again")).seq


async def test_a_stream_larger_than_the_account_is_refused_as_full(js: JetStream, nats: NatsServer) -> None:
    config = {"name": "BIG", "subjects": ["big"], "max_bytes": 2 * nats.place.storage_max_bytes}
    with pytest.raises(QueueFullError):
        await js.request("STREAM.CREATE.BIG", config)


async def test_silence_is_unavailable_at_the_deadline(js: JetStream, nats: NatsServer) -> None:
    assert nats.process is not None
    nats.process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(QueueUnavailableError, match="no acknowledgement in time"):
            await js.publish("ev.shop.accepted", b"", timeout_s=0.3)
        with pytest.raises(QueueUnavailableError, match="no answer to"):
            await js._read("$JS.API.DIRECT.GET.EV", {"last_by_subj": "ev.>"}, 0.3)
    finally:
        nats.process.send_signal(signal.SIGCONT)
    assert (await js.publish("ev.shop.accepted", b"")).seq


async def test_a_late_answer_and_a_caller_that_left_disturb_nobody(js: JetStream) -> None:
    leaving = asyncio.create_task(js.publish("ev.shop.accepted", b"1"))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert (await js.publish("ev.shop.accepted", b"2")).seq == 2


@pytest.fixture
def quick_pings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jetstream, "PING_S", 1)


@pytest.mark.usefixtures("quick_pings")
async def test_a_connection_to_a_frozen_server_is_told_dead(js: JetStream, nats: NatsServer) -> None:
    assert nats.process is not None
    nats.process.send_signal(signal.SIGSTOP)
    try:
        await asyncio.wait_for(js.dead.wait(), 20)
    finally:
        nats.process.send_signal(signal.SIGCONT)


@pytest.mark.usefixtures("quick_pings")
async def test_a_client_that_no_longer_reads_is_told_dead(js: JetStream) -> None:
    reader = js.client._reading_task
    assert reader is not None
    reader.cancel()  # as after an exception in nats-py's read loop (its issue 914)
    assert js.connected
    await asyncio.wait_for(js.dead.wait(), 20)


@pytest.mark.usefixtures("quick_pings")
async def test_a_restarted_server_is_not_a_dead_connection(js: JetStream, nats: NatsServer) -> None:
    nats.kill()
    await asyncio.sleep(3.5)
    await asyncio.to_thread(nats.start)
    await wait_for(lambda: js.connected)
    await asyncio.sleep(3.5)
    assert not js.dead.is_set()


async def test_the_identity_is_the_certificates_whatever_its_folder_is_called(
    js: JetStream, nats: NatsServer, identities: Path, tmp_path: Path
) -> None:
    del js
    shutil.copytree(identities / "submission", tmp_path / "mounted")
    submission = await JetStream.connect(nats.url, tmp_path / "mounted", "submission")
    assert (await submission.publish("ev.shop.accepted", b"")).seq == 1
    await submission.close()


async def test_a_renewed_certificate_is_used_from_the_next_connection_on(
    nats: NatsServer, identities: Path, tmp_path: Path
) -> None:
    mounted = shutil.copytree(identities / "admin", tmp_path / "mounted")
    js = await JetStream.connect(nats.url, mounted, "renewing")
    assert (await js.ask("$SYS.REQ.USER.INFO"))["data"]["user"] == "admin"
    shutil.copytree(identities / "publisher", mounted, dirs_exist_ok=True)
    nats.kill()
    await wait_for(lambda: not js.connected)
    await asyncio.to_thread(nats.start)
    await wait_for(lambda: js.connected)
    assert (await js.ask("$SYS.REQ.USER.INFO"))["data"]["user"] == "publisher"
    await js.close()


async def test_nobody_listening_is_unavailable(identities: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jetstream, "CONNECT_S", 1.0)
    with pytest.raises(QueueUnavailableError, match=r"127\.0\.0\.1:1: "):
        await JetStream.connect("tls://127.0.0.1:1", identities / "admin", "nobody")


async def test_closing_fails_what_waits(connect, nats: NatsServer) -> None:
    admin = await connect("admin")
    assert nats.process is not None
    nats.process.send_signal(signal.SIGSTOP)
    waiting = asyncio.create_task(admin.publish("ev.shop.accepted", b""))
    await asyncio.sleep(0.1)
    closing = asyncio.create_task(admin.close())
    await asyncio.sleep(0.1)
    nats.process.send_signal(signal.SIGCONT)
    await closing
    with pytest.raises(QueueUnavailableError):
        await waiting
    with pytest.raises(QueueUnavailableError, match="not connected"):
        await admin.publish("ev.shop.accepted", b"")


async def test_a_server_that_says_nothing_is_given_up_in_time(
    monkeypatch: pytest.MonkeyPatch, identities: Path
) -> None:
    monkeypatch.setattr(jetstream, "CONNECT_S", 0.3)
    writers: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _reader, writer: writers.append(writer), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    with pytest.raises(QueueUnavailableError, match="no answer in time"):
        async with asyncio.timeout(10):
            await JetStream.connect(f"tls://127.0.0.1:{port}", identities / "router", "router")
    for writer in writers:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    silent.close()
    await silent.wait_closed()


async def test_a_connection_that_is_no_longer_wanted_is_closed(identities: Path) -> None:
    ended = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.read()  # up to the end
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        ended.set()

    silent = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    connecting = asyncio.create_task(JetStream.connect(f"tls://127.0.0.1:{port}", identities / "router", "router"))
    await asyncio.sleep(0.3)
    connecting.cancel()
    async with asyncio.timeout(10):
        await ended.wait()
    await asyncio.gather(connecting, return_exceptions=True)
    silent.close()
    await silent.wait_closed()


async def test_a_try_to_connect_again_that_fails_leaves_no_connection_behind(
    js: JetStream, nats: NatsServer, identities: Path
) -> None:
    ended = asyncio.Queue[bytes]()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"no server of yours\r\n")
        with contextlib.suppress(OSError):
            ended.put_nowait(await reader.read())  # up to the end
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(identities / "nats" / "tls.crt", identities / "nats" / "tls.key")
    port = int(nats.url.rpartition(":")[2])
    nats.kill()
    other = await asyncio.start_server(refuse, "127.0.0.1", port, ssl=context)
    async with asyncio.timeout(20):
        await ended.get()
        await ended.get()
    assert not js.connected
    other.close()
    await other.wait_closed()


def test_a_write_beside_another_with_the_same_expectation_may_succeed_later() -> None:
    """Three servers refuse the second one while the first is on its way: nobody else has written."""
    refused = _error({"code": 400, "err_code": 10164, "description": "wrong last sequence"})
    assert isinstance(refused, QueueUnavailableError)
    assert isinstance(_error({"code": 400, "err_code": 10071, "description": "wrong last sequence: 7"}), FenceLostError)
