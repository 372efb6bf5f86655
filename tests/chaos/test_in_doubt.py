"""kill -9 between final dots and their replies: exactly those are in doubt, and their host is asked first again."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from chaos import doomed
from chaos.doomed import deliver
from deliverer.hosts import HANG_UP, SILENCE, Host, listening
from paquebot.mail.record import Kind, Record
from paquebot.queue import provision
from paquebot.queue.buckets import Bucket
from paquebot.queue.events import read_records
from paquebot.queue.jetstream import JetStream
from paquebot.queue.server import NatsServer
from queue_fixtures import POLICY
from queue_making import delivery
from queue_owner import accept, nothing_waits
from tests_support import wait_for

TESTS = Path(__file__).parents[1]
WAIT_S = 90


class Odd(Host):
    """Answers nobody's final dot who is called dot, and no RCPT for early, while it is odd."""

    is_odd = True

    def __init__(self) -> None:
        super().__init__(RCPT=self.rcpt)
        self.named: list[bytes] = []

    def rcpt(self, line: bytes) -> object:
        self.named.append(line)
        self.script[b"."] = SILENCE if self.is_odd and b"dot" in line else b"250 taken\r\n"
        return SILENCE if self.is_odd and b"early" in line else b"250 ok\r\n"

    async def say(self, writer: asyncio.StreamWriter, answer: object) -> bool:
        if answer is SILENCE:
            await asyncio.sleep(60)
        return await super().say(writer, answer)


@asynccontextmanager
async def doomed_deliverer(nats: NatsServer, identities: Path, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    arguments = (doomed.__file__, nats.url, str(identities), str(port))
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, env={"PYTHONPATH": str(TESTS)})
    yield process
    if process.returncode is None:
        process.kill()
    await process.wait()


async def records(js: JetStream) -> list[Record]:
    return [record async for record in read_records(js, 0)]


async def recorded(js: JetStream, ident: str, kind: Kind) -> None:
    for _ in range(1000):
        if any(each.id == ident and each.kind is kind for each in await records(js)):
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"{ident} was not {kind}")


@pytest.mark.timeout(300)
async def test_what_had_its_final_dot_sent_is_in_doubt_and_nothing_else(
    js: JetStream, connect, nats: NatsServer, identities: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provision, "ACK_WAIT_S", doomed.ACK_WAIT_S)
    first, second = Host(greeting=HANG_UP), Odd()
    names = ("dot", "early", "fine")
    async with listening(first, second) as port:
        async with doomed_deliverer(nats, identities, port) as doomed_one:
            for name in names:
                await accept(js, delivery(name, site=f"{name}.example"), content=f"Subject: {name}\r\n\r\n".encode())
            await recorded(js, "fine", Kind.DELIVERED)
            await wait_for(lambda: any(b"dot" in each for each in second.taken), WAIT_S)
            await wait_for(lambda: any(b"early" in each for each in second.named), WAIT_S)
            doomed_one.kill()
            await doomed_one.wait()
        await Bucket(js, "members").delete("pod-0")  # its time to live would do so
        first.greeting, second.is_odd = b"220 mx.test\r\n", False
        successor = asyncio.create_task(deliver(await connect("deliverer"), "pod-1", port, POLICY))
        try:
            for name in ("dot", "early"):
                await recorded(js, name, Kind.DELIVERED)
        finally:
            successor.cancel()
            await asyncio.gather(successor, return_exceptions=True)
    told = await records(js)
    doubts = [each for each in told if each.kind is Kind.IN_DOUBT]
    assert [(each.id, each.host) for each in doubts] == [("dot", "b.mx [127.0.0.2]")]
    hosts = {each.id: each.host for each in told if each.kind is Kind.DELIVERED}
    assert hosts["dot"] == "b.mx [127.0.0.2]"  # the same host, though the other one comes first and is well again
    assert hosts["early"] == "a.mx [127.0.0.1]"
    assert sum(b"Subject: fine" in each for each in (*first.taken, *second.taken)) == 1
    await nothing_waits(js)
