"""What is ready is counted by group and site, what is deferred as a whole, with samples of when it is due."""

from paquebot.mail.delivery import Lane, Plan
from paquebot.queue.acceptance import Acceptance
from paquebot.queue.backlog import SAMPLES, Place, backlog
from paquebot.queue.jetstream import JetStream
from paquebot.queue.subjects import PARTITIONS, partition_of
from queue_making import POOL, delivery, now_ms

HOUR_MS = 3_600_000


async def put(js: JetStream, ident: str, site: str = "b.example", **changes: object) -> None:
    await Acceptance(js).accept(Plan((delivery(ident, 1, site, **changes),)), b"content")


async def test_an_empty_pool_has_nothing_to_do(js: JetStream) -> None:
    found = await backlog(js, POOL)
    assert (found.ready, found.depth.ready, found.depth.later, found.deferred) == ({}, 0, 0, ())


async def test_what_is_ready_is_counted_by_group_and_site_over_all_lanes(js: JetStream) -> None:
    for number, lane in enumerate((Lane.NORMAL, Lane.BULK, Lane.BULK)):
        await put(js, f"b{number}", lane=lane)
    for slot in range(2):
        await put(js, f"g{slot}", "big-mail", group="big-mail", partition=partition_of("big-mail", slot))
    found = await backlog(js, POOL)
    assert found.ready == {
        Place("other", "b_example", partition_of("b.example")): 3,
        Place("big-mail", "big-mail", partition_of("big-mail", 0)): 1,
        Place("big-mail", "big-mail", partition_of("big-mail", 1)): 1,
    }
    assert found.depth.ready == 5
    assert found.depth.oldest_ready_ms > 0


async def test_what_is_deferred_is_sampled_and_stands_for_the_rest(js: JetStream) -> None:
    for number in range(60):
        due_ms = now_ms() + (HOUR_MS if number % 2 else 5 * HOUR_MS)
        await put(js, f"d{number}", "big-mail", group="big-mail", partition=0, next_ms=due_ms, attempts=1)
    found = await backlog(js, POOL)
    assert found.ready == {}
    assert found.depth.later == 60
    assert 2 <= len(found.deferred) <= SAMPLES
    assert sum(each.stands_for for each in found.deferred) == 60
    assert {each.place for each in found.deferred} == {Place("big-mail", "big-mail", 0)}
    assert min(each.due_ms for each in found.deferred) > now_ms()


async def test_a_few_deferred_deliveries_are_all_read(js: JetStream) -> None:
    for number in range(PARTITIONS):
        await put(js, f"d{number}", partition=number, next_ms=now_ms() + HOUR_MS, attempts=1)
    found = await backlog(js, POOL)
    assert len(found.deferred) == PARTITIONS
    assert {each.stands_for for each in found.deferred} == {1.0}
