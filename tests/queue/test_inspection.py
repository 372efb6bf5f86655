"""What waits is found, batch by batch, by everything that a selector can say."""

from paquebot.mail.delivery import Plan
from paquebot.mail.selector import Selector
from paquebot.queue import inspection, scan
from paquebot.queue.acceptance import Acceptance
from paquebot.queue.inspection import find, list_waiting
from paquebot.queue.jetstream import JetStream
from paquebot.queue.subjects import ready_subject
from queue_making import POOL, delivery, now_ms


async def accept(js: JetStream, ident: str, **changes: object) -> None:
    await Acceptance(js).accept(Plan((delivery(ident, **changes),)), b"content")


async def waiting(js: JetStream):
    await accept(js, "m1", next_ms=now_ms() + 3_600_000, reason="greylisted", attempts=2)
    (found,) = await find(js, POOL, "m1")
    return found


async def test_a_waiting_delivery_is_found_by_its_id(js: JetStream) -> None:
    found = await waiting(js)
    assert (found.state, found.delivery.reason, found.content) == ("deferred", "greylisted", b"content")
    assert await find(js, POOL, "m1", "2") == []


async def test_only_what_matches_is_listed_whatever_its_number(js: JetStream, monkeypatch) -> None:
    monkeypatch.setattr(scan, "BATCH", 2)
    monkeypatch.setattr(inspection, "AT_ONCE", 1)
    for number in range(5):
        await accept(js, f"d{number}", site=f"s{number % 2}.example", next_ms=now_ms() + 3_600_000)
        await accept(js, f"r{number}", site=f"s{number % 2}.example")
    deferred = await list_waiting(js, POOL, selector=Selector(sites=("s1.example",), states=("deferred",)))
    assert [each.delivery.id for each in deferred] == ["d1", "d3"]
    ready = await list_waiting(js, POOL, selector=Selector(sites=("s0.example",), states=("ready",)))
    assert [each.delivery.id for each in ready] == ["r0", "r2", "r4"]
    assert len(await list_waiting(js, POOL)) == 10
    assert len(await list_waiting(js, POOL, limit=7)) == 7


async def test_a_message_that_is_not_expanded_yet_is_found_by_the_sites_of_its_deliveries(js: JetStream) -> None:
    parts = tuple(delivery("m1", n, f"s{n}.example") for n in (1, 2))
    await Acceptance(js).accept(Plan(parts), b"content")
    (found,) = await list_waiting(js, POOL, selector=Selector(sites=("s2.example",)))
    assert (found.delivery.name, found.state) == ("m1.2", "ready")


async def test_names_are_found_in_every_state(js: JetStream) -> None:
    await accept(js, "m1", next_ms=now_ms() + 3_600_000)
    await accept(js, "m1", n=2)
    await accept(js, "m2")
    found = await list_waiting(js, POOL, selector=Selector(names=("m1", "m2.1")))
    assert [each.delivery.name for each in found] == ["m1.1", "m1.2", "m2.1"]


async def test_an_item_of_another_release_does_not_hide_the_others(js: JetStream) -> None:
    item = delivery("m2")
    await js.publish(ready_subject(item), b"\xff\x00\x00\x00\x00")
    await waiting(js)
    assert [each.delivery.id for each in await list_waiting(js, POOL)] == ["m1"]
