"""One connection, one dialogue at a time, whatever the other end does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Generator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from deliverer.hosts import EHLO, HANG_UP, SILENCE, Host, listening
from paquebot.deliverer import connection as connecting
from paquebot.deliverer.connection import Connection, LeaseLostError, Warrant
from paquebot.deliverer.wheel import DeadlineWheel
from paquebot.smtp.client import BrokenSession, Need, Timeout, Transaction
from tests_support import wait_for

MESSAGE = Transaction("a@shop.example", ("b@b.example",), b"Subject: x\r\n\r\nHello\r\n")
LARGE = Transaction("a@shop.example", ("b@b.example",), b"Subject: x\r\n\r\n" + b"y" * 62 + b"\r\n" + b"z" * (64 << 20))


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Connection]:
    """Open a connection and turn its wheel."""
    wheel = DeadlineWheel()
    turning = asyncio.create_task(wheel.run())
    loop = asyncio.get_running_loop()
    connection = Connection(wheel, "a.mx", "127.0.0.1")
    await loop.create_connection(lambda: connection, "127.0.0.1", port)
    yield connection
    connection.abort()
    turning.cancel()


async def greeted(connection: Connection) -> None:
    await connection.run(connection.session.greeting())
    await connection.run(connection.session.ehlo("out.example"))


async def test_transactions_follow_each_other_on_one_connection() -> None:
    host = Host()
    async with listening(host) as port, connected(port) as connection:
        await greeted(connection)
        for _ in range(3):
            result = await connection.run(connection.session.transaction(MESSAGE))
            assert result.accepted == (True,)
            assert connection.reusable
    assert (len(host.taken), host.connections) == (3, 1)


async def test_replies_that_come_octet_by_octet_are_read_whole() -> None:
    class Drop(Host):
        async def say(self, writer: asyncio.StreamWriter, answer: object) -> bool:
            assert isinstance(answer, bytes)
            for octet in answer:
                writer.write(bytes([octet]))
                await writer.drain()
                await asyncio.sleep(0)
            return True

    async with listening(Drop()) as port, connected(port) as connection:
        await greeted(connection)
        assert connection.session.extensions == {"PIPELINING": "", "8BITMIME": "", "SIZE": "1000"}
        result = await connection.run(connection.session.transaction(MESSAGE))
    assert result.accepted == (True,)


async def test_a_connection_that_is_closed_while_idle_is_not_used_again() -> None:
    host = Host()
    async with listening(host) as port, connected(port) as connection:
        await greeted(connection)
        assert connection.reusable
        host.writers[0].close()
        await wait_for(lambda: not connection.reusable)


async def test_a_connection_on_which_something_was_said_unasked_is_not_used_again() -> None:
    host = Host()
    async with listening(host) as port, connected(port) as connection:
        await greeted(connection)
        host.writers[0].write(b"421 4.3.2 going down\r\n")
        await wait_for(lambda: not connection.reusable)


async def test_after_421_in_a_transaction_there_is_no_other() -> None:
    async with listening(Host(RCPT=b"421 4.7.0 slow down\r\n")) as port, connected(port) as connection:
        await greeted(connection)
        result = await connection.run(connection.session.transaction(MESSAGE))
        assert [str(reply) for reply in result.recipients] == ["421 4.7.0 slow down"]
        assert not connection.reusable


@pytest.mark.parametrize("answer", [HANG_UP, b"what\r\n", b"2 50\r\n", b"250-never ends\r\n" * 1000, b"x" * 100_000])
async def test_a_host_that_breaks_off_or_talks_nonsense_ends_dialogue_and_connection(answer: object) -> None:
    async with listening(Host(MAIL=answer)) as port, connected(port) as connection:
        await greeted(connection)
        with pytest.raises(BrokenSession):
            await connection.run(connection.session.transaction(MESSAGE))
        assert not connection.reusable
        assert connection.wheel.armed == {}


async def test_a_fault_of_ours_in_a_dialogue_is_heard_of_by_who_waits() -> None:
    def faulty() -> Generator[Need, None, None]:
        yield Timeout.GREETING
        raise ValueError("ours")

    async with listening(Host()) as port, connected(port) as connection:
        with pytest.raises(ValueError, match="ours"):
            await connection.run(faulty())
        assert not connection.reusable


async def test_who_stops_waiting_for_a_dialogue_leaves_no_trace() -> None:
    async with listening(Host()) as port, connected(port) as connection:
        await greeted(connection)
        dialogue = connection.run(connection.session.transaction(MESSAGE))
        dialogue.cancel()
        await wait_for(lambda: connection.reusable)
        assert connection.wheel.armed == {}


class Unread(Host):
    """Reads nothing of a content."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        self.connections += 1
        writer.write(b"220 mx.test\r\n")
        await reader.readline()
        writer.write(EHLO.replace(b"1000", b"0"))
        while await reader.readline() != b"DATA\r\n":
            writer.write(b"250 ok\r\n")
        writer.write(b"354 go\r\n")
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(30)


async def test_a_host_that_does_not_read_is_not_written_to_without_bound_and_is_cut_at_last(monkeypatch) -> None:
    monkeypatch.setattr(connecting, "FAREWELL_S", 0.2)
    async with listening(Unread()) as port, connected(port) as connection:
        await greeted(connection)
        sending = connection.run(connection.session.transaction(LARGE))
        transport = connection.transport
        assert transport is not None
        await wait_for(lambda: transport.get_write_buffer_size() > 0)
        await asyncio.sleep(0.2)
        assert transport.get_write_buffer_size() < 1 << 20
        assert not sending.done()
        await connection.leave()
        with pytest.raises(BrokenSession):
            await asyncio.wait_for(sending, 10)
        await wait_for(lambda: connection.wheel.armed == {})


async def test_a_large_content_arrives_whole_however_slowly_it_is_read() -> None:
    content = b"Subject: x\r\n\r\n" + b"".join(b"%070d\r\n" % number for number in range(60_000))
    host = Host(EHLO=EHLO.replace(b"1000", b"0"))
    async with listening(host) as port, connected(port) as connection:
        await greeted(connection)
        result = await connection.run(
            connection.session.transaction(Transaction("a@shop.example", ("b@b.example",), content))
        )
    assert result.accepted == (True,)
    assert host.taken == [content + b".\r\n"]


async def test_quit_is_said_before_the_connection_closes() -> None:
    said: list[bytes] = []

    def answer(line: bytes) -> bytes:
        said.append(line)
        return b"221 bye\r\n"

    async with listening(Host(QUIT=answer)) as port, connected(port) as connection:
        await greeted(connection)
        await connection.leave()
        await wait_for(lambda: said == [b"QUIT\r\n"])
        assert not connection.reusable


async def test_who_leaves_waits_until_the_host_has_seen_the_end() -> None:
    closed: list[bool] = []

    class Closing(Host):
        async def say(self, writer: asyncio.StreamWriter, answer: object) -> bool:
            await super().say(writer, answer)
            if answer == b"221 bye\r\n":
                await asyncio.sleep(0.05)
                closed.append(True)
            return not closed

    async with listening(Closing()) as port, connected(port) as connection:
        await greeted(connection)
        await connection.leave()
        assert closed == [True]  # its place in the host's count is free
        assert connection.ended.is_set()


async def test_a_host_that_leaves_it_to_us_to_close_is_left_soon() -> None:
    async with listening(Host()) as port, connected(port) as connection:
        await greeted(connection)
        await connection.leave()
        assert connection.ended.is_set()


async def test_a_host_that_does_not_answer_quit_is_left_all_the_same(monkeypatch) -> None:
    monkeypatch.setattr(connecting, "FAREWELL_S", 0.2)
    async with listening(Host(QUIT=SILENCE)) as port, connected(port) as connection:
        await greeted(connection)
        await connection.leave()
        await connection.ended.wait()
        assert not connection.reusable


async def test_what_is_broken_off_before_the_final_dot_is_not_sent() -> None:
    host = Host(DATA=SILENCE)
    async with listening(host) as port, connected(port) as connection:
        await greeted(connection)
        sending = connection.run(connection.session.transaction(MESSAGE))
        await asyncio.sleep(0.1)
        connection.break_off()
        with pytest.raises(LeaseLostError):
            await sending
    assert host.taken == []


async def test_what_is_broken_off_behind_the_final_dot_is_in_doubt() -> None:
    host = Host(dot=SILENCE)
    async with listening(host) as port, connected(port) as connection:
        await greeted(connection)
        sending = connection.run(connection.session.transaction(MESSAGE))
        await wait_for(lambda: host.taken)
        assert connection.committed
        connection.break_off()
        assert (await sending).in_doubt
        assert not connection.committed


class Noted:
    """A journal that takes its time."""

    def __init__(self) -> None:
        self.where: list[str] = []
        self.done = asyncio.get_running_loop().create_future()
        self.ours = True

    def before_dot(self, where: str) -> "asyncio.Future[None]":
        self.where.append(where)
        return self.done

    @property
    def warrant(self) -> Warrant:
        return Warrant(lambda: self.ours, self.before_dot)


@asynccontextmanager
async def noting(host: Host, noted: Noted) -> AsyncIterator[tuple[Connection, Awaitable[Any]]]:
    """Have a message under way whose final dot waits to be noted."""
    async with listening(host) as port, connected(port) as connection:
        await greeted(connection)
        sending = connection.run(connection.session.transaction(MESSAGE), noted.warrant)
        await wait_for(lambda: noted.where)
        yield connection, sending


async def test_the_final_dot_waits_until_it_is_noted() -> None:
    host, noted = Host(), Noted()
    async with noting(host, noted) as (connection, sending):
        await asyncio.sleep(0.1)
        assert (noted.where, host.taken, connection.committed) == (["a.mx [127.0.0.1]"], [], False)
        noted.done.set_result(None)
        assert (await sending).accepted == (True,)


async def test_what_ends_while_the_dot_is_noted_was_never_sent() -> None:
    host, noted = Host(), Noted()
    async with noting(host, noted) as (connection, sending):
        host.writers[0].transport.abort()
        await connection.ended.wait()
        noted.done.set_result(None)
        with pytest.raises(BrokenSession, match="while sending content"):
            await sending


async def test_a_lease_that_is_lost_while_the_dot_is_noted_keeps_it_back() -> None:
    host, noted = Host(), Noted()
    async with noting(host, noted) as (_, sending):
        noted.ours = False
        noted.done.set_result(None)
        with pytest.raises(LeaseLostError):
            await sending
    assert host.taken in ([], [b""])


async def test_what_is_broken_off_while_the_dot_is_noted_is_not_sent() -> None:
    host, noted = Host(), Noted()
    async with noting(host, noted) as (connection, sending):
        connection.break_off()
        noted.done.set_result(None)
        with pytest.raises(LeaseLostError):
            await sending
    assert host.taken in ([], [b""])
