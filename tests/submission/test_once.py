"""What is sent again is stored once: over a real queue, whoever dies at which step."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from paquebot.mail.delivery import Plan
from paquebot.mail.envelope import Envelope
from paquebot.mail.principal import Principal
from paquebot.mail.record import Kind
from paquebot.policy.idempotency import Idempotency
from paquebot.policy.values import SMTPCredential
from paquebot.queue.acceptance import Acceptance
from paquebot.queue.claims import Claims
from paquebot.queue.inspection import list_waiting
from paquebot.queue.jetstream import JetStream, QueueFullError
from paquebot.submission import once
from paquebot.submission.counts import UNCLAIMED
from paquebot.submission.handed import Mail
from paquebot.submission.repeat import repeatable
from paquebot.wire.submission import SubmitAnswer
from queue_fixtures import connect, identities, js, nats
from submission.conftest import POLICY, POOL, World

__all__ = ["connect", "identities", "js", "nats"]

CONTENT = (
    b"Date: Mon, 24 Nov 2025 16:00:00 +0000\r\nFrom: ann@shop.example\r\nMessage-ID: <1@shop.example>\r\n\r\nHi\r\n"
)
OTHER = CONTENT.replace(b"Hi", b"Ho")


class Killed(BaseException):
    """Kill -9 of submission, as far as the queue can see it: its connection is gone, and nothing comes any more."""


@dataclass
class Replica(World):
    """A submission process with a real queue. `dies` says at which step of storing a message."""

    js: Any = None
    dies: str = ""
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    way_in: Any = None

    async def accept(self, plan: Plan, content: bytes) -> None:
        self.reached.set()
        if self.dies == "before":
            await self.js.close()
            raise Killed
        if self.dies == "paused":
            await self.go_on.wait()
        await Acceptance(self.js).accept(plan, content)
        self.kept.append((plan, content))
        if self.dies == "after":
            await self.js.close()
            raise Killed

    async def take(self, mail: Mail) -> SubmitAnswer:
        self.way_in = self.way_in or self.intake(self.js)
        return await self.way_in.take(mail)


@pytest.fixture
async def start(js: JetStream, connect: Any) -> Any:
    del js  # it makes the streams
    replicas: list[Replica] = []

    async def started(dies: str = "", policy: Any = POLICY) -> Replica:
        replica = Replica(js=await connect("submission"), dies=dies)
        replica.way_in = replica.intake(replica.js)
        replica.way_in.follow(policy)
        replicas.append(replica)
        return replica

    yield started
    for replica in replicas:
        await replica.way_in._once.drain(0)


def mail(content: bytes = CONTENT, envid: str = "order-7", **rest: Any) -> Mail:
    envelope = Envelope("ann@shop.example", ("bob@one.example", "eve@one.example"), envelope_id=envid)
    web = Principal("shop", "web", senders=("*@shop.example",))
    return replace(Mail(web, envelope, content, "ESMTPSA"), **rest)


async def stored(js: JetStream) -> int:
    return len(await list_waiting(js, POOL.token))


async def test_what_is_sent_again_is_answered_with_the_first_id_and_stored_once(start: Any, js: JetStream) -> None:
    first, second = await start(), await start()
    answer = await first.take(mail())
    assert answer.reply.code == 250
    assert [await second.take(mail()), await first.take(mail())] == [answer, answer]
    assert await stored(js) == 1
    assert (second.judged, second.plans, second.leased) == ([], [], [])
    (record,) = second.records
    assert (record.kind, record.id, record.n, record.reply) == (Kind.REPEATED, answer.id, 0, None)
    assert record.reason == "sent again with its ENVID: answered with this id, stored once"


async def test_another_content_under_the_same_key_is_refused_with_the_first_id_and_the_cure(
    start: Any, js: JetStream
) -> None:
    replica = await start()
    first = await replica.take(mail())
    refused = await replica.take(mail(OTHER))
    assert (refused.reply.code, refused.reply.enhanced, refused.id) == (554, "5.5.4", first.id)
    assert refused.reply.text.startswith(f"This ENVID stands for another message, {first.id}, until 20")
    assert refused.reply.text.endswith(": give this one a new one")
    assert await stored(js) == 1
    assert (replica.records[-1].kind, replica.records[-1].reply) == (Kind.REPEATED, refused.reply)


@pytest.mark.parametrize("dies", ["before", "after"])
async def test_a_process_killed_while_it_stores_loses_nothing_and_leaves_nothing_twice(
    start: Any, js: JetStream, dies: str
) -> None:
    """Between claim and publish, and between publish and 250."""
    killed, other = await start(dies), await start()
    with pytest.raises(Killed):
        await killed.take(mail())
    if dies == "before":
        await age(js, mail())  # who claimed it might be storing it yet
    answer = await other.take(mail())
    assert answer.reply.code == 250
    assert killed.plans[0].id == answer.id
    assert len(other.kept) == (dies == "before")
    assert await (await start()).take(mail()) == answer
    assert await stored(js) == 1


async def age(js: JetStream, sent: Mail) -> None:
    """Let the time pass in which the claim of a message is another's."""
    claims, wanted = Claims(js), repeatable(sent, Idempotency())
    assert wanted is not None
    known = await claims.read(wanted.key)
    assert known is not None
    assert not known.claim.stored
    await claims.let_go(wanted.key, known, 60)


async def test_after_a_kill_before_it_was_stored_another_content_may_have_the_key(start: Any, js: JetStream) -> None:
    killed, other = await start("before"), await start()
    with pytest.raises(Killed):
        await killed.take(mail())
    await age(js, mail())
    answer = await other.take(mail(OTHER))
    assert answer.reply.code == 250
    assert answer.id != killed.plans[0].id
    assert (await other.take(mail())).reply.code == 554
    assert await stored(js) == 1


async def test_what_is_being_stored_elsewhere_is_waited_for(start: Any, js: JetStream) -> None:
    first, second = await start("paused"), await start()
    storing = asyncio.create_task(first.take(mail()))
    await first.reached.wait()
    waiting = asyncio.create_task(second.take(mail()))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    first.go_on.set()
    assert await waiting == await storing
    assert await stored(js) == 1


async def test_what_is_stored_elsewhere_for_too_long_is_put_off(
    start: Any, js: JetStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(once, "WAIT_S", 0.2)
    first, second = await start("paused"), await start()
    storing = asyncio.create_task(first.take(mail()))
    await first.reached.wait()
    answer = await second.take(mail())
    assert (answer.reply.code, answer.reply.enhanced, answer.id) == (451, "4.3.0", "")
    first.go_on.set()
    assert await second.take(mail()) == await storing
    assert await stored(js) == 1


async def test_two_at_the_same_moment_on_two_replicas_get_one_id(start: Any, js: JetStream) -> None:
    replicas = [await start(), await start()]
    for number in range(10):
        answers = await asyncio.gather(*(each.take(mail(envid=f"order-{number}")) for each in replicas))
        assert [each.reply.code for each in answers] == [250, 250]
        assert answers[0].id == answers[1].id
    assert await stored(js) == 10


async def test_what_could_not_be_stored_is_free_at_once(start: Any, js: JetStream) -> None:
    replica = await start()
    good, replica.way_in._doors = replica.way_in._doors, replace(replica.way_in._doors, accept=refuses)
    assert (await replica.take(mail())).reply.code == 452
    await replica.way_in._once.drain(10)
    replica.way_in._doors = good
    assert (await replica.take(mail())).reply.code == 250
    assert await stored(js) == 1


async def refuses(_plan: Plan, _content: bytes) -> None:
    raise QueueFullError("no room")


async def test_who_cannot_store_in_time_lets_go(start: Any, js: JetStream, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others may take the key over after a while: nobody may still be storing then."""
    monkeypatch.setattr(once, "PUBLISH_MAX_S", 0.2)
    slow, other = await start("paused"), await start()
    assert (await slow.take(mail())).reply.code == 451
    monkeypatch.undo()
    assert (await other.take(mail())).reply.code == 250
    assert await stored(js) == 1


async def test_when_its_time_is_over_a_key_is_free(start: Any, js: JetStream) -> None:
    credential = SMTPCredential("shop", "web", idempotency=Idempotency(window_s=1))
    replica = await start(policy=replace(POLICY, credentials={"shop.web": credential}))
    first = await replica.take(mail())
    async with asyncio.timeout(30):
        while (second := await replica.take(mail())).id == first.id:
            await asyncio.sleep(0.2)
    assert second.reply.code == 250
    assert await stored(js) == 2


async def test_without_its_bucket_smtp_is_taken_and_who_insists_is_put_off(start: Any, js: JetStream) -> None:
    replica = await start()
    await js.request("STREAM.DELETE.KV_claims")
    before = UNCLAIMED._value.get()
    assert (await replica.take(mail())).reply.code == 250
    assert UNCLAIMED._value.get() == before + 1
    assert (await replica.take(mail(idempotency_key="k"))).reply.code == 451
    assert await stored(js) == 1


async def test_a_claim_that_cannot_be_written_stops_only_who_insists(start: Any, js: JetStream) -> None:
    config = (await js.request("STREAM.INFO.KV_claims"))["config"]
    await js.request("STREAM.UPDATE.KV_claims", config | {"max_bytes": 1, "discard": "new"})
    replica = await start()
    assert (await replica.take(mail())).reply.code == 250
    assert (await replica.take(mail(idempotency_key="k"))).reply.code == 452
    assert await stored(js) == 1


async def test_a_message_without_a_key_asks_nobody() -> None:
    world = World()
    assert (await world.intake(None).take(mail(envid=""))).reply.code == 250
