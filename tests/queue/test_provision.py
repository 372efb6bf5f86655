"""The publisher makes the streams; services notice when they differ."""

import asyncio
from dataclasses import replace

import pytest

from paquebot.policy.values import SendingPool
from paquebot.queue.jetstream import ApiError, JetStream
from paquebot.queue.provision import POOLS_MAX, SLICES, drift, ensure_consumers, provision, stream_config
from paquebot.queue.server import NatsServer
from queue_fixtures import POLICY
from tests_support import wait_for


def with_pools(count: int) -> dict[str, SendingPool]:
    pools = [SendingPool("mail", f"p{number}", "out.example") for number in range(count)]
    return {pool.token: pool for pool in pools}


async def test_provisioning_twice_changes_nothing_and_there_is_no_drift(js: JetStream) -> None:
    await provision(js, POLICY)
    assert await drift(js, "mail_main") == []


async def test_drift_names_stream_setting_and_values(js: JetStream) -> None:
    config = stream_config("mail_main", 0) | {"duplicate_window": 60 * 10**9}
    await js.request("STREAM.UPDATE.MQ_mail_main_0", config)
    assert await drift(js, "mail_main") == [
        "stream MQ_mail_main_0: duplicate_window is 60000000000, expected 600000000000"
    ]
    await provision(js, POLICY)
    assert await drift(js, "mail_main") == []


async def test_a_pool_without_streams_is_told(js: JetStream) -> None:
    assert await drift(js, "no_pool") == [f"stream MQ_no_pool_{number}: stream not found" for number in range(4)]


async def test_sixteen_consumers_stand_on_each_stream(js: JetStream) -> None:
    listing = await js.request("CONSUMER.NAMES.MQ_mail_main_1")
    assert sorted(listing["consumers"]) == sorted(f"p{p}l{way}" for p in (1, 5, 9, 13) for way in range(4))


async def test_the_most_pools_that_are_allowed_stand_on_one_server(js: JetStream) -> None:
    await provision(js, replace(POLICY, pools=with_pools(POOLS_MAX)))
    names = (await js.request("STREAM.NAMES"))["streams"]
    assert {f"MQ_mail_p{pool}_{number}" for pool in range(POOLS_MAX) for number in range(SLICES)} <= set(names)
    assert await drift(js, f"mail_p{POOLS_MAX - 1}") == []


async def test_a_pool_too_many_is_refused_before_anything_is_made(js: JetStream) -> None:
    before = (await js.request("STREAM.NAMES"))["streams"]
    with pytest.raises(ValueError, match="21 pools: at most 20"):
        await provision(js, replace(POLICY, pools=with_pools(POOLS_MAX + 1)))
    assert (await js.request("STREAM.NAMES"))["streams"] == before


async def test_replicas_are_asked_for_and_refused_by_a_single_server(js: JetStream) -> None:
    with pytest.raises(ApiError, match="replicas > 1 not supported"):
        await provision(js, POLICY, replicas=3)


async def test_a_repaired_stream_keeps_its_mail(js: JetStream) -> None:
    config = stream_config("mail_main", 0) | {"duplicate_window": 60 * 10**9}
    await js.request("STREAM.UPDATE.MQ_mail_main_0", config)
    kept = await js.publish("mq.mail_main.0.r.0.1.other.example", b"kept")
    await provision(js, POLICY)
    found = await js.read("MQ_mail_main_0", "mq.mail_main.0.r.>", batch=1)
    assert [(message.seq, message.payload) for message in found] == [(kept.seq, b"kept")]


async def test_a_deliverer_makes_consumers_again_that_went_with_the_server(
    js: JetStream, nats: NatsServer, connect
) -> None:
    deliverer = await connect("deliverer")
    nats.kill()
    await wait_for(lambda: not (js.connected or deliverer.connected))
    await asyncio.to_thread(nats.start)
    await wait_for(lambda: js.connected and deliverer.connected)
    assert await consumers(js) == []
    await ensure_consumers(deliverer, "mail_main", 5)
    assert await consumers(js) == ["p5l0", "p5l1", "p5l2", "p5l3"]


async def consumers(js: JetStream) -> list[str]:
    return sorted((await js.request("CONSUMER.NAMES.MQ_mail_main_1"))["consumers"] or [])
