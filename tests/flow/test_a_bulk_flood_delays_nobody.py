"""Three thousand newsletters wait for one slow site: other mail for it hardly waits, and they keep flowing.

How long something took is counted in messages that the host took meanwhile, at 50 a second: no clock is read.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from paquebot.mail.delivery import Lane, Plan
from paquebot.queue.acceptance import Acceptance
from paquebot.queue.subjects import partition_of
from platform_support import NEWS, SHOP, Stage, content
from queue_making import delivery
from tests_support import wait_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

FLOOD = 3000
A_SECOND = 50
MANIFESTS = """
---
{apiVersion: paquebot.dev/v1alpha1, kind: DestinationPolicy, metadata: {name: slow},
 spec: {match: {domains: [plain.test]}, limits: {maxConnections: 4, rate: 50/s}}}
---
{apiVersion: paquebot.dev/v1alpha1, kind: SMTPCredential, metadata: {name: alarm, namespace: mail-system},
 spec: {anySender: true, poolRef: {name: default}, lane: Urgent}}
"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("platform"), extra=MANIFESTS)
    await stage.start()
    await flood(stage, FLOOD, Lane.BULK)
    await wait_for(lambda: len(stage.internet.received) > A_SECOND, 60)
    yield stage
    await stage.stop()


async def flood(stage: Stage, count: int, lane: Lane) -> None:
    """Put so many messages of one lane for the slow site into the queue."""
    js = await stage.admin()
    items = (
        delivery(
            f"{lane.name}-{number}",
            site="slow",
            group="slow",
            domain="plain.test",
            pool="mail-system_default",
            recipients=(f"r{number}@plain.test",),
            partition=partition_of("slow"),
            lane=lane,
        )
        for number in range(count)
    )
    subject = f"Subject: flood of {lane.name}\r\n\r\nHello\r\n".encode()
    acceptance = Acceptance(js)
    for _ in range(0, count, 100):
        await asyncio.gather(*(acceptance.accept(Plan((next(items),)), subject) for _ in range(min(100, count))))
    await js.close()


def came(stage: Stage, mark: bytes, since: int = 0) -> list[int]:
    """Return which of the messages that arrived carry a mark, as places in the order of arrival."""
    return [at for at, each in enumerate(stage.internet.received) if at >= since and mark in each.content]


@pytest.mark.parametrize("username", [SHOP, NEWS, "mail-system.alarm"])
async def test_normal_and_urgent_mail_waits_for_few_of_the_flood(stage: Stage, username: str) -> None:
    sender = "weekly@news.test" if username == NEWS else "orders@shop.test"
    mark = f"to-{username}"
    before = len(stage.internet.received)
    reply = await stage.submit(content(mark, sender), "a@plain.test", username=username, sender=sender)
    assert reply.startswith("250"), reply
    await wait_for(lambda: came(stage, mark.encode(), before), 60)
    assert came(stage, mark.encode(), before)[0] - before <= 2 * A_SECOND
    assert len(came(stage, b"flood of BULK")) < FLOOD  # it is still under way


async def test_the_flood_keeps_flowing_under_one_of_normal_mail(stage: Stage) -> None:
    await flood(stage, 500, Lane.NORMAL)
    await wait_for(lambda: came(stage, b"flood of NORMAL"), 60)
    before = came(stage, b"flood of NORMAL")[0]
    await wait_for(lambda: len(stage.internet.received) > before + 3 * A_SECOND, 60)
    window = range(before, before + 3 * A_SECOND)
    bulk = [at for at in came(stage, b"flood of BULK", before) if at in window]
    assert 3 * A_SECOND // 10 <= len(bulk) <= 3 * A_SECOND // 3  # a fifth is its share
