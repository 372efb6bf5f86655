"""Each service may do its own work and nothing else."""

import pytest

from paquebot.queue.buckets import Bucket
from paquebot.queue.credentials import put_hash
from paquebot.queue.jetstream import JetStream, QueueUnavailableError
from paquebot.queue.provision import ensure_consumers
from paquebot.queue.pull import Pull
from tests_support import wait_for


@pytest.mark.parametrize("identity", ["submission", "spamfilter", "router", "deliverer"])
async def test_only_auth_reads_credentials(js: JetStream, connect, identity: str) -> None:
    await put_hash(js, "shop.orders", "hash")
    assert await Bucket(await connect("auth"), "credentials").get("shop.orders") == b"hash"
    stranger = await connect(identity)
    with pytest.raises(QueueUnavailableError):
        await stranger._read("$JS.API.DIRECT.GET.KV_credentials", {"last_by_subj": "$KV.credentials.>"}, 0.5)


@pytest.mark.parametrize("identity", ["submission", "auth", "spamfilter", "router", "deliverer"])
async def test_no_service_writes_policy_or_deletes_streams(js: JetStream, connect, identity: str) -> None:
    del js
    service = await connect(identity)
    for subject in ("$KV.policy.revision", "$JS.API.STREAM.DELETE.EV", "$KV.credentials.x"):
        with pytest.raises(QueueUnavailableError):
            await service.ask(subject, b"{}", 0.3)


async def test_submission_can_store_but_neither_take_nor_purge(js: JetStream, connect) -> None:
    del js
    submission = await connect("submission")
    assert (await submission.publish("mq.mail_main.0.r.0.1.other.example", b"x")).seq
    for subject in ("$JS.API.CONSUMER.MSG.NEXT.MQ_mail_main_0.p0l1", "$JS.API.STREAM.PURGE.MQ_mail_main_0"):
        with pytest.raises(QueueUnavailableError):
            await submission.ask(subject, b"{}", 0.3)


@pytest.mark.parametrize(
    "stream", ["EV", "DOUBT", "KV_credentials", "KV_policy", "KV_orders", "KV_members", "KV_platform"]
)
async def test_a_deliverer_neither_purges_nor_consumes_what_is_no_pools(js: JetStream, connect, stream: str) -> None:
    await put_hash(js, "shop.orders", "hash")
    deliverer = await connect("deliverer")
    config = {"stream_name": stream, "config": {"name": "spy", "ack_policy": "none", "deliver_policy": "all"}}
    for subject in (f"CONSUMER.CREATE.{stream}", f"CONSUMER.CREATE.{stream}.spy", f"STREAM.PURGE.{stream}"):
        with pytest.raises(QueueUnavailableError):
            await deliverer.request(subject, config, 0.3)
    assert await Bucket(js, "credentials").get("shop.orders") == b"hash"


@pytest.mark.parametrize("identity", ["submission", "deliverer"])
async def test_user_names_are_not_listed(js: JetStream, connect, identity: str) -> None:
    await put_hash(js, "shop.orders", "hash")
    with pytest.raises(QueueUnavailableError):
        await (await connect(identity)).request("STREAM.INFO.KV_credentials", {"subjects_filter": ">"}, 0.3)


async def test_a_deliverer_makes_purges_and_pulls_what_is_its_own(js: JetStream, connect) -> None:
    await js.publish("mq.mail_main.0.r.0.1.other.example", b"x")
    deliverer = await connect("deliverer")
    await ensure_consumers(deliverer, "mail_main", 0)
    await deliverer.request("CONSUMER.UNPIN.MQ_mail_main_0.p0l1", {"group": "own"})
    took: list[bytes] = []
    pull = Pull(
        deliverer,
        "MQ_mail_main_0",
        "p0l1",
        lambda message: took.append(message.payload),
        lambda: True,
        lambda: None,
    )
    await pull.start()
    await wait_for(lambda: took == [b"x"])
    await pull.stop()
    assert (await deliverer.request("STREAM.PURGE.MQ_mail_main_0", {"filter": "mq.mail_main.0.b.>"}))["success"]


async def test_a_stranger_to_the_authority_cannot_connect(js: JetStream, nats, tmp_path) -> None:
    from paquebot.runtime.authority import create_authority, issue

    del js
    create_authority(tmp_path / "other")
    issue(tmp_path / "other", "admin", tmp_path / "admin", ())
    with pytest.raises(QueueUnavailableError):
        await JetStream.connect(nats.url, tmp_path / "admin", "stranger")
