"""Shared mail: kept with its label, bounded, and dropped by tenant; no service reads it."""

import pytest

from paquebot.queue.jetstream import JetStream, QueueUnavailableError
from paquebot.queue.replay import CONTENT_MAX_BYTES, Shared, forget_shared, read_shared, share

CONTENT = b"From: a@b.example\r\n\r\n\xff\r\n"


async def test_what_is_shared_comes_back_and_the_last_word_counts(js: JetStream) -> None:
    await share(js, Shared.of("m1", "shop", CONTENT, is_wanted=False))
    await share(js, Shared.of("m1", "shop", CONTENT, is_wanted=True))
    (shared,) = await read_shared(js)
    assert (shared.label, shared.raw.encode("latin-1")) == ("ham", CONTENT)


async def test_a_tenant_is_forgotten_and_no_other(js: JetStream) -> None:
    for tenant in ("shop", "news"):
        await share(js, Shared.of("m1", tenant, CONTENT, is_wanted=True))
    assert await forget_shared(js, "shop") == 1
    assert [each.tenant for each in await read_shared(js)] == ["news"]


def test_a_large_message_is_shared_in_part() -> None:
    shared = Shared.of("m1", "shop", b"x" * (CONTENT_MAX_BYTES + 1), is_wanted=True)
    assert len(shared.raw) == CONTENT_MAX_BYTES


@pytest.mark.parametrize("identity", ["submission", "auth", "spamfilter", "router"])
async def test_no_service_reads_it(js: JetStream, connect, identity: str) -> None:
    await share(js, Shared.of("m1", "shop", CONTENT, is_wanted=True))
    stranger = await connect(identity)
    with pytest.raises(QueueUnavailableError):
        await stranger._read("$JS.API.DIRECT.GET.KV_replay", {"last_by_subj": "$KV.replay.>"}, 0.5)
