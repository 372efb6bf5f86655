"""A key is claimed once; whether its message was stored is known whatever broke in between."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from paquebot.mail.delivery import Plan
from paquebot.queue import claims
from paquebot.queue.acceptance import Acceptance
from paquebot.queue.claims import STREAM, USED, Claim, Claims
from paquebot.queue.inspection import list_waiting
from paquebot.queue.jetstream import ApiError, FenceLostError, JetStream, QueueUnavailableError
from paquebot.queue.provision import stream_config
from paquebot.queue.server import NatsServer, find_nats_server
from paquebot.queue.users import ServerPlace, server_config
from queue_fixtures import free_port
from queue_making import POOL, delivery, now_ms
from queue_owner import killed_and_started

KEY = "shop.00112233"
PLAN = Plan((delivery(),))
SPLIT = Plan((delivery(), delivery(n=2, site="c.example")))
HELD = Plan((delivery(held=True, next_ms=now_ms() + 3_600_000),))


def claim(plan: Plan = PLAN) -> Claim:
    return Claim.of(plan, "digest", now_ms(), now_ms() + 30_000)


async def test_submission_claims_a_key_and_everybody_reads_the_claim(js: JetStream, connect) -> None:
    mine = Claims(await connect("submission"))
    assert await mine.read(KEY) is None
    wanted = claim()
    known = await mine.take(KEY, wanted, 0, 60)
    assert known.claim == wanted
    assert await Claims(js).read(KEY) == known


async def test_of_two_who_claim_a_key_one_wins(js: JetStream) -> None:
    first, second = claim(), replace(claim(), id="m2")
    taken = await asyncio.gather(
        Claims(js).take(KEY, first, 0, 60), Claims(js).take(KEY, second, 0, 60), return_exceptions=True
    )
    assert [type(each) for each in taken].count(FenceLostError) == 1
    (won,) = [each for each in taken if isinstance(each, claims.Known)]
    assert await Claims(js).read(KEY) == won


async def test_a_claim_whose_answer_was_lost_is_still_ours(js: JetStream) -> None:
    wanted = claim()
    known = await Claims(js).take(KEY, wanted, 0, 60)
    assert await Claims(js).take(KEY, wanted, 0, 60) == known


async def test_a_claim_is_marked_let_go_and_taken_over_by_its_sequence(js: JetStream) -> None:
    first = await Claims(js).take(KEY, claim(), 0, 60)
    await Claims(js).let_go(KEY, first, 60)
    free = await Claims(js).read(KEY)
    assert free is not None
    assert (free.claim.until_ms, free.claim.stored) == (0, False)
    second = await Claims(js).take(KEY, replace(free.claim, until_ms=now_ms() + 30_000), free.seq, 60)
    with pytest.raises(FenceLostError):  # who was let go marks nothing any more
        await Claims(js).mark(KEY, first, 60)
    await Claims(js).mark(KEY, second, 60)
    marked = await Claims(js).read(KEY)
    assert marked is not None
    assert marked.claim.stored


@pytest.mark.parametrize("plan", [PLAN, SPLIT, HELD])
async def test_the_queue_knows_whether_a_message_came_and_is_not_changed_by_the_question(
    js: JetStream, connect, plan: Plan
) -> None:
    asking = Claims(await connect("submission"))
    state = f"STREAM.INFO.MQ_{POOL}_{claim(plan).stream}"
    before = (await js.request(state))["state"]["last_seq"]
    assert not await asking.is_stored(claim(plan))
    assert (await js.request(state))["state"]["last_seq"] == before
    await Acceptance(js).accept(plan, b"content")
    stored = (await js.request(state))["state"]["last_seq"]
    assert await asking.is_stored(claim(plan))
    assert (await js.request(state))["state"]["last_seq"] == stored > before


async def test_a_question_takes_no_message_away(js: JetStream) -> None:
    """A frozen process may still publish after the question: it must not be told that it came twice."""
    assert not await Claims(js).is_stored(claim())
    await Acceptance(js).accept(PLAN, b"content")
    assert len(await list_waiting(js, POOL)) == 1


async def test_a_restarted_server_still_knows_what_it_keeps(js: JetStream, nats: NatsServer) -> None:
    known = await Claims(js).take(KEY, claim(), 0, 60)
    await Acceptance(js).accept(PLAN, b"content")
    await killed_and_started(nats, js)
    assert await Claims(js).is_stored(known.claim)


async def test_a_claim_goes_when_its_time_is_over(js: JetStream) -> None:
    known = await Claims(js).take(KEY, claim(), 0, 1)

    async def gone() -> bool:
        return await Claims(js).read(KEY) is None

    async with asyncio.timeout(30):
        while not await gone():
            await asyncio.sleep(0.1)
    again = await Claims(js).take(KEY, claim(), 0, 60)
    assert again.seq > known.seq


async def test_a_full_bucket_forgets_the_oldest_and_says_how_full_it_is(
    js: JetStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = (await js.request(f"STREAM.INFO.{STREAM}"))["config"] | {"max_msgs": 2}
    await js.request(f"STREAM.UPDATE.{STREAM}", config)
    monkeypatch.setattr(claims, "CLAIMS_MAX", 2)
    for number in range(3):
        await Claims(js).take(f"shop.{number}", claim(), 0, 60)
    assert await Claims(js).read("shop.0") is None
    assert await Claims(js).read("shop.2") is not None
    await Claims(js).look()
    assert USED._value.get() == 1.0


@pytest.fixture
async def three(identities: Path, tmp_path: Path) -> AsyncIterator[JetStream]:
    """Return a connection to three servers that keep what is stored together."""
    listens = [free_port() for _ in range(3)]
    routes = ", ".join(f"nats://127.0.0.1:{port}" for port in listens)
    ports, servers = [free_port() for _ in range(3)], []
    for number, (port, listen) in enumerate(zip(ports, listens, strict=True)):
        place = ServerPlace(tmp_path / f"store{number}", identities / "nats", port, storage_max_bytes=1 << 30)
        config = server_config(place).replace("server_name: paquebot", f"server_name: paquebot-{number}")
        file = tmp_path / f"nats{number}.conf"
        file.write_text(f'{config}cluster {{ name: three, listen: "127.0.0.1:{listen}", routes: [{routes}] }}\n')
        with (tmp_path / f"nats{number}.log").open("wb") as log:
            servers.append(subprocess.Popen([find_nats_server(), "-c", file], stdout=log, stderr=log))
    js = await reached(f"tls://127.0.0.1:{ports[0]}", identities / "admin")
    yield js
    await js.close()
    for server in servers:
        server.kill()
        server.wait()


async def reached(url: str, identity: Path) -> JetStream:
    async with asyncio.timeout(60):
        while True:
            try:
                return await JetStream.connect(url, identity, "admin")
            except QueueUnavailableError:
                await asyncio.sleep(0.1)


async def test_three_servers_answer_the_question_as_one_does(three: JetStream) -> None:
    """On several servers some refused publishes leave their Msg-Id behind: this one must not."""
    config = stream_config(POOL, claim().stream, 3)
    async with asyncio.timeout(120):
        while not await made(three, config):
            await asyncio.sleep(0.2)
    for number in range(20):
        plan = Plan((delivery(f"m{number}"),))
        assert not await Claims(three).is_stored(claim(plan))
        assert not await Claims(three).is_stored(claim(plan))
        await Acceptance(three).accept(plan, b"content")
        assert await Claims(three).is_stored(claim(plan))
    assert (await three.request(f"STREAM.INFO.{config['name']}"))["state"]["messages"] == 20


async def made(js: JetStream, config: dict[str, Any]) -> bool:
    """Make a stream, once the servers have found each other; say whether it is there."""
    with contextlib.suppress(QueueUnavailableError, ApiError):
        await js.request(f"STREAM.CREATE.{config['name']}", config, timeout_s=10)
    try:
        return bool(await js.request(f"STREAM.INFO.{config['name']}"))
    except (QueueUnavailableError, ApiError):
        return False


async def test_without_the_bucket_it_says_so(js: JetStream) -> None:
    await js.request(f"STREAM.DELETE.{STREAM}")
    with pytest.raises((ApiError, QueueUnavailableError)):
        await Claims(js).read(KEY)
