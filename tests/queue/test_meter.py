"""Depth and age are what lies in the streams, by group and state, whoever reads them."""

from prometheus_client import REGISTRY

from paquebot.mail.delivery import Plan
from paquebot.queue.acceptance import Acceptance
from paquebot.queue.jetstream import JetStream
from paquebot.queue.meter import Depth, Meter, look_at_stream, measure
from paquebot.queue.subjects import PARTITIONS, partition_of, stream_of
from queue_making import POOL, delivery, now_ms

EVERYTHING = range(PARTITIONS)
HOUR_MS = 3_600_000


async def put(js: JetStream, ident: str, site: str = "b.example", **changes: object) -> None:
    await Acceptance(js).accept(Plan((delivery(ident, 1, site, **changes),)), b"content")


async def test_what_lies_there_is_counted_by_group_and_state(js: JetStream) -> None:
    later = now_ms() + HOUR_MS
    for number in range(3):
        await put(js, f"d{number}", next_ms=later, attempts=1)
    await put(js, "r0")
    for number in range(2):
        await put(js, f"g{number}", "bigmail", group="bigmail", next_ms=later, attempts=1)
    await put(js, "g9", "bigmail", group="bigmail")
    found = await measure(js, POOL, EVERYTHING, {"bigmail": 1})
    assert {key: depth.messages for key, depth in found.items()} == {
        ("other", "deferred"): 3,
        ("other", "ready"): 1,
        ("bigmail", "deferred"): 2,
        ("bigmail", "ready"): 1,
    }


async def test_only_owned_partitions_are_measured(js: JetStream) -> None:
    await put(js, "r0")
    here = partition_of("b.example")
    assert (await measure(js, POOL, (here,), {}))["other", "ready"].messages == 1
    assert (await measure(js, POOL, {*EVERYTHING} - {here}, {}))["other", "ready"] == Depth()


async def test_a_group_with_slots_is_counted_in_each_of_its_partitions(js: JetStream) -> None:
    for slot in range(3):
        await put(js, f"s{slot}", "bigmail", group="bigmail", partition=partition_of("bigmail", slot))
    assert (await measure(js, POOL, EVERYTHING, {"bigmail": 3}))["bigmail", "ready"].messages == 3


async def test_age_is_since_acceptance_and_due_since_it_lies_there(js: JetStream) -> None:
    await put(js, "old", accepted_ms=now_ms() - 2 * HOUR_MS)
    await put(js, "new")
    await Meter(js, POOL, lambda: EVERYTHING, dict).look()
    labels = {"pool": POOL, "group": "other"}
    age = REGISTRY.get_sample_value("paquebot_queue_oldest_age_seconds", labels | {"state": "ready"})
    due = REGISTRY.get_sample_value("paquebot_queue_due_age_seconds", labels)
    assert age is not None
    assert due is not None
    assert 7200 <= age < 7300
    assert 0 <= due < 100
    assert REGISTRY.get_sample_value("paquebot_queue_messages", labels | {"state": "ready"}) == 2


async def test_what_is_gone_is_told_no_more(js: JetStream) -> None:
    owned: list[int] = [*EVERYTHING]
    await put(js, "r0")
    meter = Meter(js, POOL, lambda: owned, dict)
    await meter.look()
    owned.clear()
    await meter.look()
    labels = {"pool": POOL, "group": "other", "state": "ready"}
    assert REGISTRY.get_sample_value("paquebot_queue_messages", labels) is None


async def test_a_stream_on_one_server_leads_itself(js: JetStream) -> None:
    await put(js, "r0")
    state = await look_at_stream(js, stream_of(POOL, partition_of("b.example")))
    assert (state.has_leader, state.current, state.behind, state.lag) == (True, 1, 0, 0)
    assert state.octets > 0


class Answering:
    """A queue that answers STREAM.INFO as a cluster of three would."""

    def __init__(self, cluster: dict) -> None:
        self.cluster = cluster

    async def request(self, _subject: str) -> dict:
        return {"state": {"bytes": 5}, "cluster": self.cluster}


async def test_replicas_of_a_cluster_are_counted_by_how_they_do() -> None:
    replicas = [{"name": "b", "current": True}, {"name": "c", "current": False, "lag": 7}]
    led = await look_at_stream(Answering({"leader": "a", "replicas": replicas}), "S")  # type: ignore[arg-type]
    assert (led.has_leader, led.current, led.behind, led.lag) == (True, 2, 1, 7)
    headless = await look_at_stream(Answering({"replicas": replicas}), "S")  # type: ignore[arg-type]
    assert not headless.has_leader
