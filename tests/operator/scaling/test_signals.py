"""A look at a real queue tells what lies there and what was learned, or why it cannot."""

from dataclasses import replace

from paquebot.mail.delivery import Plan
from paquebot.policy.values import DestinationPolicy
from paquebot.queue.acceptance import Acceptance
from paquebot.queue.buckets import Bucket
from paquebot.queue.jetstream import JetStream
from paquebot.queue.lesson import BUCKET, Lesson, encode, key_of
from paquebot.queue.server import NatsServer
from paquebot_operator.scaling.destinations import Name
from paquebot_operator.scaling.readings import Reading
from paquebot_operator.scaling.signals import look
from queue_fixtures import POLICY
from queue_making import POOL, delivery, now_ms
from tests_support import wait_for

LIMITED = replace(POLICY, destinations={"big": DestinationPolicy("big", slots=2)})


async def test_a_look_has_the_backlog_and_the_lessons_of_what_lies_there(js: JetStream) -> None:
    for number in range(3):
        await Acceptance(js).accept(Plan((delivery(f"b{number}", 1, "big", group="big"),)), b"content")
    learned = Lesson("READY", pace=5.0)
    await Bucket(js, BUCKET).put(key_of(POOL, "big", 1), encode(learned))
    await Bucket(js, BUCKET).put(key_of(POOL, "elsewhere", 0), encode(learned))
    found = await look(js, LIMITED, POOL, [], now_ms() / 1000)
    assert isinstance(found, Reading)
    assert {name: heap.count for name, heap in found.heaps.items()} == {Name("big"): 3}
    assert found.lessons == {key_of(POOL, "big", 1): learned}


async def test_what_cannot_be_seen_is_said(js: JetStream, nats: NatsServer) -> None:
    assert "nobody serves" in str(await look(js, POLICY, "mail_gone", [], 0.0))
    nats.kill()
    await wait_for(lambda: not js.connected)
    assert "not connected" in str(await look(js, POLICY, POOL, [], 0.0))
