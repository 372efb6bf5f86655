"""The publisher makes the streams; services notice when they differ."""

from paquebot.queue.jetstream import JetStream
from paquebot.queue.provision import drift, provision, stream_config
from queue_fixtures import POLICY


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


async def test_twelve_consumers_stand_on_each_stream(js: JetStream) -> None:
    listing = await js.request("CONSUMER.NAMES.MQ_mail_main_1")
    assert sorted(listing["consumers"]) == sorted(f"p{p}l{lane}" for p in (1, 5, 9, 13) for lane in range(3))
